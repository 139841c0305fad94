/** What went wrong, as one word that survives HTTP: gateways send it as `error`, clients turn it back into a class. */
export type StorageErrorCode =
  | 'invalid-cid'
  | 'unsupported-cid'
  | 'block-too-big'
  | 'hash-mismatch'
  | 'malformed-block'
  | 'malformed-car'
  | 'invalid-request'
  | 'not-found'
  | 'corrupt-block'
  | 'missing-block'
  | 'not-a-file'
  | 'file-too-big'
  | 'upload-too-big'
  | 'quota-exceeded'
  | 'not-acceptable'
  | 'unauthorized'
  | 'writer-quota'
  | 'unsupported-encoding'
  | 'gone'
  | 'receipt-invalid'
  | 'all-holders-failed'
  | 'gateway-failed'
  | 'wrong-cid'
  | 'internal';

/** Every error the storage plane throws on purpose. `retryable` is decided where the cause is known. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;
  /** True when the same call may succeed later without anything being changed by the caller. */
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(
    code: StorageErrorCode,
    message: string,
    context: Record<string, unknown> = {},
    options: { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.context = context;
  }
}

/** The text is no CID. */
export class InvalidCidError extends StorageError {
  constructor(text: string, cause?: unknown) {
    super('invalid-cid', `"${text.slice(0, 100)}" is not a CID`, { text: text.slice(0, 100) }, { cause });
  }
}

/** A CID whose hash or codec this network does not use (only sha2-256 over raw, dag-pb and dag-cbor). */
export class UnsupportedCidError extends StorageError {
  constructor(cid: string, why: string) {
    super('unsupported-cid', `${cid} cannot be used here: ${why}`, { cid, why });
  }
}

/** A block larger than what gateways carry. */
export class BlockTooBigError extends StorageError {
  constructor(size: number, maxBytes: number) {
    super('block-too-big', `a block of ${size} bytes is over the limit of ${maxBytes}; split it as a file`, {
      size,
      maxBytes,
    });
  }
}

/** The bytes are not the ones the CID names: whoever sent them is broken or lying. */
export class HashMismatchError extends StorageError {
  constructor(cid: string) {
    super('hash-mismatch', `the bytes received for ${cid} do not hash to it; take them from another holder`, { cid });
  }
}

/** Bytes that hash to their CID but are not a valid block of its codec. */
export class MalformedBlockError extends StorageError {
  constructor(why: string, cause?: unknown) {
    super('malformed-block', `not a valid block: ${why}`, { why }, { cause });
  }
}

/** A stream that is not a CAR, version 1. */
export class MalformedCarError extends StorageError {
  constructor(why: string, cause?: unknown) {
    super('malformed-car', `not a valid CAR: ${why}`, { why }, { cause });
  }
}

/** A request that makes no sense; the message says which part. */
export class InvalidRequestError extends StorageError {
  constructor(why: string) {
    super('invalid-request', why);
  }
}

/** Nobody who was asked has it. Retryable: it may be on its way. */
export class NotFoundError extends StorageError {
  constructor(cid: string, asked: readonly string[] = []) {
    const where = asked.length > 0 ? ` at ${asked.join(', ')}` : '';
    super('not-found', `${cid} was not found${where}`, { cid, asked }, { retryable: true });
  }
}

/** The copy on this disk is damaged. It is set aside and never served; putting the block again heals it. */
export class CorruptBlockError extends StorageError {
  constructor(cid: string) {
    super('corrupt-block', `the stored copy of ${cid} is damaged and was set aside; fetch it from another holder`, {
      cid,
    });
  }
}

/** A DAG is not complete: `missing` is the first absent block found. Send it, then commit again. */
export class MissingBlockError extends StorageError {
  readonly missing: string;

  constructor(root: string, missing: string) {
    super('missing-block', `${root} is not complete: ${missing} is missing; send it and commit again`, {
      root,
      missing,
    });
    this.missing = missing;
  }
}

/** The CID does not name the bytes of one file. */
export class NotAFileError extends StorageError {
  constructor(cid: string, why: string) {
    super('not-a-file', `${cid} cannot be read as a file: ${why}`, { cid, why });
  }
}

/** A file larger than the caller wants to receive. */
export class FileTooBigError extends StorageError {
  constructor(cid: string, size: number, maxBytes: number) {
    super('file-too-big', `${cid} has ${size} bytes to read, over the limit of ${maxBytes}`, { cid, size, maxBytes });
  }
}

/** A request body over the gateway's limit. */
export class UploadTooBigError extends StorageError {
  constructor(maxBytes: number) {
    super('upload-too-big', `the upload is over this gateway's limit of ${maxBytes} bytes; send smaller parts`, {
      maxBytes,
    });
  }
}

/** The gateway's disk allowance is used up. Retryable: pins are released as jobs end. */
export class QuotaExceededError extends StorageError {
  constructor(usedBytes: number, quotaBytes: number) {
    super(
      'quota-exceeded',
      `this store holds ${usedBytes} of ${quotaBytes} bytes and has no room; use another gateway or free space`,
      { usedBytes, quotaBytes },
      { retryable: true },
    );
  }
}

/** The gateway does not speak the asked format. */
export class NotAcceptableError extends StorageError {
  constructor() {
    super(
      'not-acceptable',
      'this is a trustless gateway: ask for application/vnd.ipld.raw or application/vnd.ipld.car (or ?format=raw|car)',
      { formats: ['application/vnd.ipld.raw', 'application/vnd.ipld.car'] },
    );
  }
}

/** The gateway does not take this write from this caller; the message says why and what would help. */
export class UnauthorizedError extends StorageError {
  constructor(why?: string) {
    const reason = why === undefined ? '' : `: ${why}`;
    const advice = why === undefined ? '; use your own gateway or authenticate' : '';
    super(
      'unauthorized',
      `this gateway does not take writes from you${reason}${advice}`,
      why === undefined ? {} : { why },
    );
  }
}

/** What one writer may have kept here is used up. Retryable: what it had kept ends. */
export class WriterQuotaError extends StorageError {
  constructor(by: string, usedBytes: number, quotaBytes: number) {
    super(
      'writer-quota',
      `${by} has ${usedBytes} of ${quotaBytes} bytes here and has no room; use another gateway or wait until some of it ends`,
      { by, usedBytes, quotaBytes },
      { retryable: true },
    );
  }
}

/** A request body that is compressed. A small one could unfold to anything, and content is named by its plain bytes. */
export class UnsupportedEncodingError extends StorageError {
  constructor(encoding: string) {
    super(
      'unsupported-encoding',
      `a body with Content-Encoding ${encoding.slice(0, 40)} is refused; send it as it is`,
      {
        encoding: encoding.slice(0, 40),
      },
    );
  }
}

/** The operator of this gateway has decided not to serve it, whether it is here or not. */
export class GoneError extends StorageError {
  constructor(cid: string) {
    super('gone', `${cid} is not served by this gateway any more; ask another holder`, { cid });
  }
}

/** One try at one holder that did not work out. */
export interface HolderFailure {
  readonly holder: string;
  readonly error: StorageError;
}

/** Every holder was tried and none could give the rest. Retryable: holders come and go. */
export class AllHoldersFailedError extends StorageError {
  readonly failures: readonly HolderFailure[];

  constructor(cid: string, offset: number, failures: readonly HolderFailure[]) {
    const said = failures.map(({ holder, error: { message } }) =>
      message.includes(holder) ? message : `${holder}: ${message}`,
    );
    const list = said.join(' | ') || 'no holder is known';
    super(
      'all-holders-failed',
      `${cid} could not be read past byte ${offset}: ${list}`,
      { cid, offset },
      { retryable: true },
    );
    this.failures = failures;
  }
}

/** A gateway did not answer, answered nonsense, stalled or died. Retryable. */
export class GatewayError extends StorageError {
  constructor(gateway: string, why: string, cause?: unknown) {
    super('gateway-failed', `${gateway} failed: ${why}`, { gateway, why }, { retryable: true, cause });
  }
}

/** A store made another CID of the same bytes: it does not follow the profile. */
export class WrongCidError extends StorageError {
  constructor(expected: string, actual: string) {
    super('wrong-cid', `the store made ${actual} where the unixfs-v1-2025 profile gives ${expected}; upgrade it`, {
      expected,
      actual,
    });
  }
}

/** The text of anything thrown, for messages. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  // fetch says only "fetch failed"; what happened is in its cause
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
};
