/**
 * A stranger's text as plain characters: without control characters, and without those that turn the direction of reading
 * around, with which a sentence can be made to look like another. It is shown, never interpreted.
 */
export function plainText(text: string): string {
  return (
    text
      .replace(/\r\n?/g, '\n')
      // eslint-disable-next-line no-control-regex -- these are what is taken out
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
      .replace(/\n{3,}/g, '\n\n')
      .trim()
  );
}

/** A stranger's name of something: one line, or `instead` when nothing is left of it. */
export function plainName(text: string, instead: string): string {
  return plainText(text).replace(/\s+/g, ' ') || instead;
}
