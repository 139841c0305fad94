import type { Api, JobState, JobSummary, Page } from '@dpu/sdk/api';

/** Which jobs a list shows. */
export interface JobFilter {
  state?: JobState;
  requester?: string;
}

/** The first `pages` pages of a list as one. `next` says whether there is more. */
export async function loadJobs(
  api: Pick<Api, 'jobs'>,
  filter: JobFilter,
  pages: number,
  signal: AbortSignal,
): Promise<Page<JobSummary>> {
  const items: JobSummary[] = [];
  let next: string | null = null;
  for (let page = 0; page < pages; page += 1) {
    const answer: Page<JobSummary> = await api.jobs({
      ...filter,
      limit: 25,
      signal,
      ...(next !== null && { cursor: next }),
    });
    items.push(...answer.items);
    next = answer.next;
    if (next === null) break;
  }
  return { items, next };
}
