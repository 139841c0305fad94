/**
 * The header of an age file, read with a limit before anything is computed. age-encryption buffers a header of any length and
 * tries a key on every stanza of it, so a stranger's file could take all memory.
 * Format: https://age-encryption.org/v1, a strict grammar of ASCII lines.
 */
import { concat } from '../storage/bytes.ts';
import { HeaderTooBigError, NotAgeFileError, TruncatedError } from './errors.ts';

/** Longest header that is read, in bytes. Room for `MAX_RECIPIENTS`, and for what other age tools add. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** Most recipients of one file. */
export const MAX_RECIPIENTS = 128;

/** Bytes of the header around its stanzas: the version line, and `---` with the code over the header. */
const FRAME_BYTES = 22 + 48;
/** Bytes of one X25519 stanza. */
const STANZA_BYTES = 54 + 44;

const NEWLINE = 10;
const VERSION = 'age-encryption.org/v1\n';
const LAST_LINE = /\n--- [^\n]*\n/;
const BODY_LINE = '[A-Za-z0-9+/]';
const GRAMMAR = new RegExp(
  `^age-encryption\\.org/v1\\n(-> [!-~]+( [!-~]+)*\\n(${BODY_LINE}{64}\\n)*${BODY_LINE}{0,63}\\n)+--- ${BODY_LINE}{43}\\n$`,
);

/** Bytes of the header for `recipients` X25519 recipients. */
export const headerBytes = (recipients: number): number => FRAME_BYTES + recipients * STANZA_BYTES;

/** A header, and what was read beyond it. */
export interface SplitHeader {
  /** The whole header, its last line included. */
  header: Uint8Array<ArrayBuffer>;
  /** Bytes of the payload that came along. */
  rest: Uint8Array;
}

/**
 * Reads `source` to the end of the header and no further than one chunk beyond it.
 * @throws NotAgeFileError at the first byte that does not belong, HeaderTooBigError, or TruncatedError.
 */
export async function readHeader(source: AsyncIterator<Uint8Array>): Promise<SplitHeader> {
  let seen: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  for (;;) {
    const next = await source.next();
    if (next.done) {
      if (seen.length === 0) throw new NotAgeFileError('it is empty');
      const start = String.fromCharCode(...seen.subarray(0, VERSION.length));
      if (!VERSION.startsWith(start)) throw new NotAgeFileError('its first line is another');
      throw new TruncatedError(seen.length);
    }
    seen = concat([seen, next.value]);
    if (!next.value.includes(NEWLINE) && seen.length < MAX_HEADER_BYTES) continue;
    // one byte is one character, so places in the text are places in the bytes
    const text = String.fromCharCode(...seen.subarray(0, MAX_HEADER_BYTES));
    if (!text.startsWith(VERSION.slice(0, text.length))) throw new NotAgeFileError('its first line is another');
    const last = LAST_LINE.exec(text);
    if (!last) {
      if (seen.length >= MAX_HEADER_BYTES) throw new HeaderTooBigError(MAX_HEADER_BYTES);
      continue;
    }
    const end = last.index + last[0].length;
    if (!GRAMMAR.test(text.slice(0, end))) throw new NotAgeFileError('its header is not in the form of age, version 1');
    return { header: seen.slice(0, end), rest: seen.subarray(end) };
  }
}

/** The rounds of scrypt (their base-2 logarithm) that a header asks for, or undefined when it is not for a passphrase. */
export function scryptWorkOf(header: Uint8Array): number | undefined {
  const stanza = /^-> scrypt [!-~]+ ([0-9]+)$/m.exec(String.fromCharCode(...header));
  return stanza ? Number(stanza[1]) : undefined;
}
