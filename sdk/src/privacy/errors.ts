/** What went wrong with a key or a sealed file, as one word. */
export type PrivacyErrorCode =
  | 'bad-recipient'
  | 'bad-identity'
  | 'not-exportable'
  | 'no-recipients'
  | 'too-many-recipients'
  | 'not-age'
  | 'header-too-big'
  | 'not-a-recipient'
  | 'tampered'
  | 'truncated'
  | 'weak-passphrase'
  | 'wrong-passphrase'
  | 'too-much-work'
  | 'wrong-job-key'
  | 'bad-sealed-spec'
  | 'wallet-refused'
  | 'wallet-not-deterministic'
  | 'wallet-changed';

/** What a person can do about each. */
const ACTIONS: Record<PrivacyErrorCode, string> = {
  'bad-recipient': 'Copy the key again from where its owner shows it.',
  'bad-identity': 'Copy the key again, or use the recovery file.',
  'not-exportable': 'Use the recovery file that was made with the key.',
  'no-recipients': 'Choose at least one who may read it.',
  'too-many-recipients': 'Choose fewer, or make a second envelope for the others.',
  'not-age': 'Choose the right file.',
  'header-too-big': 'Do not take files from its maker.',
  'not-a-recipient': 'Use the key that it was made for: import its recovery file.',
  tampered: 'Fetch the file again from another holder; do not accept a result that stays like this.',
  truncated: 'Fetch the file again from another holder; do not accept a result that stays like this.',
  'weak-passphrase': 'Take the generated passphrase.',
  'wrong-passphrase': 'Type the passphrase again.',
  'too-much-work': 'Open the file with the age command line tool if you trust it.',
  'wrong-job-key': 'Ask the requester for another envelope.',
  'bad-sealed-spec': 'Do not claim the job; ask the requester to post it again.',
  'wallet-refused': 'Make a random key and keep its recovery file.',
  'wallet-not-deterministic': 'Make a random key and keep its recovery file.',
  'wallet-changed': 'Use the wallet and version that made the key, or the recovery file.',
};

/** Every error of the privacy layer. None can be cured by trying again: other bytes, another key or another wallet is needed. */
export class PrivacyError extends Error {
  readonly code: PrivacyErrorCode;
  readonly retryable = false;
  /** Facts about the failure. Never a secret, a passphrase or a plaintext. */
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: PrivacyErrorCode, message: string, context: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.context = context;
  }

  /** What to do next, as a sentence. */
  get action(): string {
    return ACTIONS[this.code];
  }
}

/* KEYS */

/** The text or the 32 bytes are no X25519 recipient. */
export class BadRecipientError extends PrivacyError {
  constructor(recipient: string, why: string, cause?: unknown) {
    const short = recipient.slice(0, 100);
    super(
      'bad-recipient',
      `"${short}" is no recipient: ${why}. Ask its owner for the text that begins with age1.`,
      { recipient: short },
      cause,
    );
  }
}

/** The text is no X25519 secret key. The message says nothing of the text, which may be a mistyped key. */
export class BadIdentityError extends PrivacyError {
  constructor(why: string) {
    super('bad-identity', `This is no secret key: ${why}. A key is one line that begins with AGE-SECRET-KEY-1.`);
  }
}

/** The key was made so that it cannot leave this browser or process. */
export class NotExportableError extends PrivacyError {
  constructor(recipient: string) {
    super(
      'not-exportable',
      `The key of ${recipient} cannot be shown, because it was locked into this device. Use the recovery file that was made with it.`,
      { recipient },
    );
  }
}

/** Somebody wants to encrypt for nobody. */
export class NoRecipientsError extends PrivacyError {
  constructor() {
    super('no-recipients', 'Nobody could open this file; name at least one recipient.');
  }
}

/** More recipients than a header may hold. */
export class TooManyRecipientsError extends PrivacyError {
  constructor(count: number, most: number) {
    super(
      'too-many-recipients',
      `${count} recipients are over the limit of ${most}; make a second envelope for the others.`,
      { count, most },
    );
  }
}

/* FILES */

/** The bytes do not begin as an age file does. */
export class NotAgeFileError extends PrivacyError {
  constructor(why: string) {
    super('not-age', `This is no age file: ${why}. Check that it is the sealed file, in binary form.`, { why });
  }
}

/** A header that would cost the reader memory or time. */
export class HeaderTooBigError extends PrivacyError {
  constructor(maxBytes: number) {
    super(
      'header-too-big',
      `The file's header does not end within ${maxBytes} bytes. Do not take files from its maker.`,
      {
        maxBytes,
      },
    );
  }
}

/** A sound header, but for other keys. */
export class NotARecipientError extends PrivacyError {
  constructor(recipients: readonly string[]) {
    super(
      'not-a-recipient',
      `The file is not for ${recipients.join(' or ')}; ask for an envelope for that key, or use the key it was made for.`,
      { recipients },
    );
  }
}

/** A byte differs from what was sealed. Plaintext that came before is authentic, but the file is not whole. */
export class TamperedError extends PrivacyError {
  constructor(where: 'header' | 'payload', sealedBytes: number, cause?: unknown) {
    super(
      'tampered',
      `The file's ${where} is not as it was sealed, at or before byte ${sealedBytes}. Throw away what was read and fetch it from another holder.`,
      { where, sealedBytes },
      cause,
    );
  }
}

/** The file ends too early. Plaintext that came before is authentic, but the file is not whole. */
export class TruncatedError extends PrivacyError {
  constructor(sealedBytes: number, expectedBytes?: number, cause?: unknown) {
    const due = expectedBytes === undefined ? '' : ` instead of ${expectedBytes}`;
    super(
      'truncated',
      `The file ends too early, after ${sealedBytes} bytes${due}. Throw away what was read and fetch it from another holder.`,
      { sealedBytes, expectedBytes },
      cause,
    );
  }
}

/* RECOVERY FILES */

/** A passphrase that could be guessed by trying. */
export class WeakPassphraseError extends PrivacyError {
  constructor(least: number) {
    super(
      'weak-passphrase',
      `The passphrase has fewer than ${least} characters. Whoever copies the file can try passphrases for ever; take the generated one.`,
      { least },
    );
  }
}

/** The passphrase does not open the recovery file. */
export class WrongPassphraseError extends PrivacyError {
  constructor() {
    super('wrong-passphrase', 'The passphrase does not open this file; check the keyboard and capital letters.');
  }
}

/** A recovery file whose key derivation would freeze the reader or exhaust its memory. */
export class TooMuchWorkError extends PrivacyError {
  constructor(workLog2: number, most: number) {
    super(
      'too-much-work',
      `The file asks for 2^${workLog2} rounds of scrypt, over the limit of 2^${most}. Open it with the age command line tool if you trust it.`,
      { workLog2, most },
    );
  }
}

/* JOBS */

/** An envelope that opens, with a key of some other job in it. */
export class WrongJobKeyError extends PrivacyError {
  constructor(expected: string, actual: string) {
    super(
      'wrong-job-key',
      `The envelope holds the key of ${actual}, but the job's is ${expected}. Do not use it; ask the requester again.`,
      { expected, actual },
    );
  }
}

/** The sealed part of a private job's spec does not say what it must. */
export class SealedSpecError extends PrivacyError {
  constructor(why: string, cause?: unknown) {
    super(
      'bad-sealed-spec',
      `The sealed part of the job spec is not valid: ${why}. Do not claim the job.`,
      { why },
      cause,
    );
  }
}

/* WALLETS */

/** A wallet whose signature cannot become a key. */
export class WalletRefusedError extends PrivacyError {
  constructor(why: string, cause?: unknown) {
    super(
      'wallet-refused',
      `No key can be made from this wallet: ${why}. Make a random key and keep its recovery file.`,
      {},
      cause,
    );
  }
}

/** A wallet that signs the same message differently each time. */
export class WalletNotDeterministicError extends PrivacyError {
  constructor(account: string) {
    super(
      'wallet-not-deterministic',
      `The wallet of ${account} signed one message in two ways, so a key made from it would be lost. Make a random key and keep its recovery file.`,
      { account },
    );
  }
}

/** The wallet gives another key than the one that was published. */
export class WalletChangedError extends PrivacyError {
  constructor(expected: string, actual: string) {
    super(
      'wallet-changed',
      `The wallet gives the key of ${actual}, but ${expected} was published. Use the wallet and version that made it, or the recovery file.`,
      { expected, actual },
    );
  }
}
