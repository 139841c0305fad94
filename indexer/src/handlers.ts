import { courtHandlers } from './handlers/court.ts';
import { creditsHandlers } from './handlers/credits.ts';
import { governanceHandlers } from './handlers/governance.ts';
import { governorHandlers } from './handlers/governor.ts';
import { jobHandlers } from './handlers/jobs.ts';
import { leaseHandlers } from './handlers/leases.ts';
import { ledgerHandlers } from './handlers/ledger.ts';
import { nodeHandlers } from './handlers/nodes.ts';
import { proofsHandlers } from './handlers/proofs.ts';
import { panelHandlers } from './handlers/seats.ts';
import { stakeHandlers } from './handlers/stakes.ts';
import { timelockHandlers } from './handlers/timelock.ts';
import { tokenHandlers } from './handlers/token.ts';
import type { Contract, Handlers, HandlersOf } from './types.ts';

/** One handler for each event of the Market. They read events and rows, and never the chain. */
export const handlers: Handlers = {
  ...ledgerHandlers,
  ...governanceHandlers,
  ...nodeHandlers,
  ...stakeHandlers,
  ...jobHandlers,
  ...leaseHandlers,
  ...panelHandlers,
  ...courtHandlers,
};

/** The same for every contract, by its name in `ponder.config.ts`. */
export const allHandlers: { Market: Handlers } & { [Of in Exclude<Contract, 'Market'>]: HandlersOf<Of> } = {
  Market: handlers,
  Token: tokenHandlers,
  Credits: creditsHandlers,
  Governor: governorHandlers,
  Timelock: timelockHandlers,
  Proofs: proofsHandlers,
};
