import type { Head } from '../chain/chain.ts';
import type { RevealTimes } from './audit.ts';
import type { KnownLease } from '../chain/chainBook.ts';
import type { LastWord } from './panels.ts';
import type { Promised } from './promiseBook.ts';

/** What a lease of ours needs now. `agree`: end the panel that it sits on. `lost`: nothing can be done for it any more. */
export type Step = 'run' | 'commit' | 'submit' | 'reveal' | 'settle' | 'agree' | 'lapse' | 'wait' | 'lost';

/** What decides about it. */
export interface StepFacts {
  head: Head;
  /** When the next block is expected, unix seconds. */
  nextTime: number;
  /** The result and its salt, if they are on disk. */
  promised: Promised | undefined;
  /** Its shards are being computed. */
  running: boolean;
  /** This node gave up on it. */
  failed: boolean;
  /** Undefined while the block that draws audits is not mined, or while somebody may still commit to another seat. */
  reveal: RevealTimes | undefined;
  /** Block of the newest commit that the reveal depends on: its own, or the last of its panel. */
  boundBlock: number;
  /** First second at which this node ends the panel; undefined while it cannot be said, and for a lease that is alone. */
  agreeAt: number | undefined;
  /** Whether it ends its panel with the call that shows its result. */
  lastWord: LastWord;
  /** Blocks that a commit must have, its own included, before the result is shown. */
  revealConfirmations: number;
}

/**
 * The next step of a lease of ours, from what the chain and the disk say and nothing else: a process that was killed at any point finds
 * its way from here. A step is named as soon as it is right in the next block.
 */
export function nextStep(lease: KnownLease, facts: StepFacts): Step {
  const { head, nextTime, promised, running, failed } = facts;
  switch (lease.phase) {
    case 'claimed':
      // Ending it ourselves gives back what the missed deadline did not cost.
      if (head.timestamp > lease.lease.deadline) return 'lapse';
      if (promised) return lease.terms.direct ? 'submit' : 'commit';
      return running ? 'wait' : failed ? 'lost' : 'run';
    case 'committed': {
      const { reveal } = facts;
      // The bond is gone either way; saying so ends the lease, for the job and for a node that wants to leave.
      if (reveal && head.timestamp > reveal.closes) return lease.seated ? agreeOrWait(facts) : 'lapse';
      // The salt is gone with the journal: computed again, an exact result has the same salt.
      if (!promised) return running ? 'wait' : failed ? 'lost' : 'run';
      const confirmations = head.number - facts.boundBlock + 1;
      const ready = reveal !== undefined && confirmations >= facts.revealConfirmations && nextTime >= reveal.opens;
      if (!ready || facts.lastWord === 'wait') return 'wait';
      return facts.lastWord === 'now' ? 'agree' : 'reveal';
    }
    case 'revealed':
      // A jury looks at it: paying and ending wait for the verdict.
      if (lease.disputed) return 'wait';
      if (lease.seated) return agreeOrWait(facts);
      return nextTime > (lease.revealedAt ?? nextTime) + lease.terms.window ? 'settle' : 'wait';
    case 'settled':
    case 'lapsed':
      return 'wait';
  }
}

function agreeOrWait({ agreeAt, nextTime }: StepFacts): Step {
  return agreeAt !== undefined && nextTime >= agreeAt ? 'agree' : 'wait';
}
