import { ponder } from 'ponder:registry';
import { handlers } from './handlers.ts';

for (const [name, handler] of Object.entries(handlers)) {
  // Each handler was checked against its own event in `handlers.ts`; the loop loses which one it is.
  ponder.on(`Market:${name as keyof typeof handlers}`, handler as never);
}
