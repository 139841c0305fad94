import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { NodeConfig } from '../config.ts';
import { messageOf, OperatorError } from '../errors.ts';
import type { Control } from './statusServer.ts';

/**
 * Gives the running node of this data folder an order, with the token that only its user can read.
 * @throws OperatorError when it did not take it.
 */
export async function order(config: Pick<NodeConfig, 'statusPort' | 'dataDir'>, what: keyof Control): Promise<void> {
  const url = `http://127.0.0.1:${config.statusPort}/${what}`;
  const file = join(config.dataDir, 'control-token');
  try {
    const token = readFileSync(file, 'utf8');
    const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
  } catch (error) {
    throw new OperatorError(
      `The node at ${url} did not take the order: ${messageOf(error)}. Run this as the user and with the dataDir of the running node.`,
      { url, file },
      error,
    );
  }
}
