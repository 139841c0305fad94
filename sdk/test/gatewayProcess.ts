import { startGateway } from '../src/gateway/server.ts';
import type { GatewayOptions } from '../src/gateway/server.ts';

/** A gateway as a process of its own: options as JSON in the first argument, its URL on the first line of output. */
const options = JSON.parse(process.argv[2] ?? '{}') as GatewayOptions;
const log = {
  warn: (facts: Record<string, unknown>, message: string): void => console.error(message, facts),
  error: (facts: Record<string, unknown>, message: string): void => console.error(message, facts),
};
const gateway = await startGateway({ ...options, log });
console.log(gateway.url);
