/** Longest headline. */
const MOST_TITLE = 120;

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

/** The first line of a description as its headline (marks of a heading taken away), and the rest. */
export function headline(text: string): { title: string; body: string } {
  const plain = plainText(text);
  const [first = ''] = plain.split('\n', 1);
  const title = first.replace(/^#{1,6}\s+/, '').trim();
  if (title === '') return { title: 'A proposal without words', body: '' };
  // What does not fit the headline is not lost: the whole text follows below it.
  if (title.length > MOST_TITLE) return { title: `${title.slice(0, MOST_TITLE - 1).trimEnd()}…`, body: plain };
  return { title, body: plain.slice(first.length).trim() };
}

/** A description as it is proposed: a headline, and why. */
export function descriptionOf(title: string, why: string): string {
  return [title.trim(), why.trim()].filter(Boolean).join('\n\n');
}
