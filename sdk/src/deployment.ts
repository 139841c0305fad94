/** Where one network's contracts and services are: the file `.dpu/deployment.json`, served to the dApp as `/config.json`. */
import { getAddress, isAddress, zeroAddress, type Address } from 'viem';
// The small face of zod: this file is part of the dApp's first page.
import * as z from 'zod/mini';

import { problemsOf, type Problem } from './problems.ts';

const address = z.pipe(
  z.string().check(z.refine((text) => isAddress(text) && text !== zeroAddress, 'must be the address of a contract')),
  z.transform((text): Address => getAddress(text)),
);

const url = z.pipe(
  z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }),
  z.transform((text) => text.replace(/\/+$/, '')),
);

const fromZero = z.minimum(0, 'must not be negative');

/** Schema of a deployment file. Addresses come out checksummed, URLs without a slash at the end. Unknown fields are dropped. */
export const deploymentSchema = z.object({
  /** EIP-155 id of the chain. */
  chainId: z.int('must be a whole number').check(z.positive('must be positive')),
  /** JSON-RPC endpoint that the dApp and tools read from. */
  rpcUrl: url,
  /** The Market contract. */
  market: address,
  /** The DPU token, in which bonds and stakes are held. */
  token: address,
  /** The governor, where there is one. */
  governor: z.optional(address),
  /** The timelock that owns the Market. */
  timelock: z.optional(address),
  /** The compute credits, where there are some. */
  credits: z.optional(address),
  /** The proofs of capability, by which nodes get their tier, where there are some. */
  proofs: z.optional(address),
  /** Where credits are traded for DPU: a Uniswap v2 router, and the pair of the two. */
  exchange: z.optional(z.object({ router: address, pair: address })),
  /** Currencies that jobs can be paid in. */
  currencies: z.array(
    z.object({
      address,
      symbol: z.string().check(z.minLength(1, 'must not be empty'), z.maxLength(16, 'must be at most 16 characters')),
      decimals: z.int('must be a whole number').check(fromZero, z.maximum(36, 'must be at most 36')),
    }),
  ),
  /** Block of the Market's deployment: no event is older. */
  startBlock: z.int('must be a whole number').check(fromZero),
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
