let last: string | undefined;

/** Remembers the job that was posted in this tab, so that its page can say what was signed. */
export function rememberPost(id: string): void {
  last = id.toLowerCase();
}

/** Whether this job was the last one posted in this tab. */
export function isLastPost(id: string): boolean {
  return last === id.toLowerCase();
}
