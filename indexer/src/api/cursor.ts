import { ProblemError } from './problem.ts';

/**
 * Cursors are opaque: the list's name and the key of the last row on the page, in base64url. They need no signature, because all that a
 * forged one can do is begin a page elsewhere in the same list; what is in it is checked like every other input.
 */
export function writeCursor(list: string, key: string): string {
  return Buffer.from(`${list}:${key}`).toString('base64url');
}

/**
 * The key in a cursor of the list `list`; undefined for the first page.
 * @throws ProblemError when it is of another list, or its key is not what `key` matches.
 */
export function readCursor(list: string, cursor: string | undefined, key: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  const found = text.slice(list.length + 1);
  // Encoding again tells what is no base64url: Buffer skips over it.
  if (!text.startsWith(`${list}:`) || !key.test(found) || writeCursor(list, found) !== cursor)
    throw new ProblemError('invalid-request', 'cursor must be the `next` of an earlier page of the same list');
  return found;
}
