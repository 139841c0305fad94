import { readWords } from '../chain/words.ts';

/** What the first page says about credits. Amounts in wei, times unix seconds. */
export interface CreditFacts {
  number: number;
  endsAt: number;
  minted: bigint;
  cap: bigint;
  /** Weights as numbers around one, for eyes only. */
  weights: { runtime: number; weight: number }[];
}

/** A weight of one. */
const ONE = 1e9;

/** The running epoch, and the weight of each of `runtimes`, from the chain. @throws RpcError */
export async function readCreditFacts(
  rpcUrl: string,
  credits: string,
  runtimes: readonly number[],
  signal: AbortSignal,
): Promise<CreditFacts> {
  const [epoch = [], ...weights] = await readWords(
    rpcUrl,
    [
      { to: credits, call: 'epoch' },
      ...runtimes.map((runtime) => ({ to: credits, call: 'weightOf', argument: runtime }) as const),
    ],
    signal,
  );
  const [number = 0n, , endsAt = 0n, minted = 0n, cap = 0n] = epoch;
  return {
    number: Number(number),
    endsAt: Number(endsAt),
    minted,
    cap,
    weights: weights.map(([weight = 0n], index) => ({ runtime: runtimes[index] ?? 0, weight: Number(weight) / ONE })),
  };
}
