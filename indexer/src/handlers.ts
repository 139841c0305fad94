import { courtHandlers } from './handlers/court.ts';
import { governanceHandlers } from './handlers/governance.ts';
import { jobHandlers } from './handlers/jobs.ts';
import { leaseHandlers } from './handlers/leases.ts';
import { ledgerHandlers } from './handlers/ledger.ts';
import { nodeHandlers } from './handlers/nodes.ts';
import { panelHandlers } from './handlers/seats.ts';
import { stakeHandlers } from './handlers/stakes.ts';
import type { Handlers } from './types.ts';

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
