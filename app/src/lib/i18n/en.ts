/** English: the language that is always there. Other dictionaries have the same keys, which the compiler checks. */
export const en = {
  nav: {
    network: 'Network',
    jobs: 'Jobs',
    nodes: 'Nodes',
    court: 'Court',
    stake: 'Stake',
    credits: 'Credits',
    governance: 'Governance',
    account: 'Account',
    post: 'Post a job',
    menu: 'Menu',
    skip: 'Skip to content',
  },
  footer: {
    motto: 'The contract holds the money and decides. This page is one of many possible windows on it.',
    language: 'Language',
  },
  home: {
    title: 'Compute that belongs to nobody.',
    text: 'Post a job from your wallet. Staked nodes run its pieces, contracts hold the money, and you check every result yourself.',
    demo: 'Use a demo wallet',
    demoNote: 'The demo wallet is for this local test network only: its money is worth nothing.',
    seeJobs: 'See the jobs',
    running: 'Jobs running',
    nodes: 'Nodes',
    settled: 'Shards settled',
    paid: 'Paid to nodes',
    recent: 'Recent jobs',
    all: 'All jobs',
    feed: 'Happening now',
  },
} as const;

type Text<Part> = { readonly [Key in keyof Part]: Part[Key] extends string ? string : Text<Part[Key]> };

/** A dictionary. */
export type Words = Text<typeof en>;
