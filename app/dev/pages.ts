/** Every page of the dApp by a name, with jobs of the pretended network where a page shows one. */
export function pagesOf(jobs: Readonly<Record<string, string>>): Record<string, string> {
  const shown = ['rendered', 'assembled', 'trained', 'batch', 'running', 'challenged', 'hostile', 'many'] as const;
  return {
    home: '/',
    post: '/post',
    jobs: '/jobs',
    ...Object.fromEntries(shown.flatMap((name) => (jobs[name] ? [[`job-${name}`, `/jobs/${jobs[name]}`]] : []))),
    court: '/court',
    ...(jobs['case'] ? { case: `/court/${jobs['case']}`, 'case-text': `/court/${jobs['caseText']}` } : {}),
    nodes: '/nodes',
    node: '/nodes/2',
    run: '/nodes/run',
    stake: '/stake',
    credits: '/credits',
    governance: '/governance',
    propose: '/governance/new',
    account: '/account',
    missing: '/nowhere',
  };
}
