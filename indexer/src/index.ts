import { ponder } from 'ponder:registry';
import { allHandlers } from './handlers.ts';
import { projecting } from './projector.ts';
import type { AnyContext, AnyEvent } from './types.ts';

for (const [contract, handlers] of Object.entries(allHandlers)) {
  for (const [name, handler] of Object.entries(handlers)) {
    // Each handler was checked against its own event in `handlers.ts`; the loop loses which one it is.
    const run = handler as (input: { event: AnyEvent; context: AnyContext }) => Promise<void>;
    ponder.on(`${contract}:${name}` as 'Market:NodeSet', ({ event, context }) =>
      run({ event, context: projecting(context, event) }),
    );
  }
}
