import { plainText } from '../plain.ts';

/** Longest headline. */
const MOST_TITLE = 120;

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
