import type { Journal } from '../sending/journal.ts';
import type { Log } from '../log.ts';
import type { Claimer } from '../planning/claimer.ts';
import type { Control } from './statusServer.ts';

/** What orders act on. */
export interface ControlDeps {
  journal: Pick<Journal, 'meta' | 'setMeta'>;
  claimer: Pick<Claimer, 'drain' | 'resume'>;
  log: Log;
}

const DRAINED = 'drained';

/** Orders to the node. A drain outlives the process: who services a machine restarts it, and is not done yet. */
export function openControl({ journal, claimer, log }: ControlDeps): Control {
  if (journal.meta(DRAINED) === 'yes') {
    claimer.drain('stay');
    log.warn('No new work is taken: the node was drained before it was started');
  }
  return {
    drain() {
      journal.setMeta(DRAINED, 'yes');
      claimer.drain('stay');
      log.info('No new work is taken from now on');
    },
    resume() {
      journal.setMeta(DRAINED, 'no');
      claimer.resume();
      log.info('Work is taken again');
    },
    leave() {
      journal.setMeta(DRAINED, 'no');
      claimer.drain('leave');
      log.info('No new work is taken from now on, and the node ends when nothing is left to do');
    },
  };
}
