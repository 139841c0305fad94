/** Where one network's contracts and services are: the file `.dpu/deployment.json`, served to the dApp as `/config.json`. */
import { getAddress, isAddress, zeroAddress, type Address } from 'viem';
// As a namespace: the `z` export drags every locale of zod into the dApp (67 kB compressed).
import * as z from 'zod';

import { problemsOf, type Problem } from './problems.ts';

const address = z
  .string()
  .refine((text) => isAddress(text) && text !== zeroAddress, 'must be the address of a contract')
  .transform((text): Address => getAddress(text));

const url = z
  .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
  .transform((text) => text.replace(/\/+$/, ''));

/** Schema of a deployment file. Addresses come out checksummed, URLs without a slash at the end. Unknown fields are dropped. */
export const deploymentSchema = z.object({
  /** EIP-155 id of the chain. */
  chainId: z.int('must be a whole number').positive('must be positive'),
  /** JSON-RPC endpoint that the dApp and tools read from. */
  rpcUrl: url,
  /** The Market contract. */
  market: address,
  /** The DPU token, in which bonds and stakes are held. */
  token: address,
  /** The governor, where there is one. */
  governor: address.optional(),
  /** The timelock that owns the Market. */
  timelock: address.optional(),
  /** The compute credits, where there are some. */
  credits: address.optional(),
  /** The proofs of capability, by which nodes get their tier, where there are some. */
  proofs: address.optional(),
  /** Where credits are traded for DPU: a Uniswap v2 router, and the pair of the two. */
  exchange: z.object({ router: address, pair: address }).optional(),
  /** Currencies that jobs can be paid in. */
  currencies: z.array(
    z.object({
      address,
      symbol: z.string().min(1, 'must not be empty').max(16, 'must be at most 16 characters'),
      decimals: z.int('must be a whole number').min(0, 'must not be negative').max(36, 'must be at most 36'),
    }),
  ),
  /** Block of the Market's deployment: no event is older. */
  startBlock: z.int('must be a whole number').min(0, 'must not be negative'),
  /** Base URL of the indexer's API. */
  indexerUrl: url,
  /** Base URL of the default storage gateway. */
  gatewayUrl: url,
});

/** Where one network's contracts and services are. */
export type Deployment = z.output<typeof deploymentSchema>;

/** Thrown when a deployment file does not say what it must. `problems` lists everything that is wrong. */
export class DeploymentError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const list = problems.map(({ path, sentence }) => (path ? `${path}: ${sentence}` : sentence)).join('; ');
    super(`The deployment file is not usable: ${list}. Deploy again or correct the file.`);
    this.name = 'DeploymentError';
    this.problems = problems;
  }
}

/**
 * Reads a deployment from its JSON text or from the parsed value.
 * @throws DeploymentError that lists every problem.
 */
export function parseDeployment(json: unknown): Deployment {
  let value = json;
  if (typeof json === 'string') {
    try {
      value = JSON.parse(json);
    } catch {
      throw new DeploymentError([{ path: '', sentence: 'it is not JSON' }]);
    }
  }
  const parsed = deploymentSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new DeploymentError(problemsOf(parsed.error));
  return parsed.data;
}
