/** How many measurements of a kind are kept. */
const KEPT = 512;

/**
 * Measured latencies in milliseconds, per step: from when the node saw the mined event (or had the result) to when the next
 * transaction was handed to the RPC. Benchmarks read them from `/status`.
 */
export class Timings {
  readonly #values = new Map<string, number[]>();

  /** Takes in one measurement. */
  add(step: string, ms: number): void {
    const values = this.#values.get(step) ?? [];
    values.push(Math.round(ms * 100) / 100);
    if (values.length > KEPT) values.shift();
    this.#values.set(step, values);
  }

  /** All measurements, oldest first. */
  all(): Record<string, number[]> {
    return Object.fromEntries([...this.#values].map(([step, values]) => [step, [...values]]));
  }
}
