/**
 * `npm run sim:credits`: plays honest requesters and nodes, traders and a self-dealing ring by the contract's own formulas, over a grid of
 * parameters, and checks what docs/credits.md claims. Seeded, so every run says the same. Writes nothing; ends with 1 when a claim fails.
 */
import { table } from '../../script/network/report.ts';
import { ATTACKS, bestOf, WAKES_AT } from './attacks.ts';
import { play, type WorldOptions } from './world.ts';

const EPOCHS = 80;

/** Rate and offer that governance may choose: their product is at most a fifth. */
const RETURNS = [
  { rate: 1, offer: 0.2 },
  { rate: 0.2, offer: 1 },
  { rate: 1, offer: 0.05 },
];
const FEES = [0.01, 0.1];
const CAPS = [0.5, 1, 4];
const COVERAGES = [0.25, 0.8];
const SHARES = [0.1, 0.33, 0.66];
/** DPU per credit before anybody trades: far below every offer, and far above. */
const PRICES = [0.01, 4];
const MARKETS: Record<string, Partial<WorldOptions>> = {
  'people learn': {},
  'work is scarce for ever': { stuckAt: 0.6 },
  'nodes are idle for ever': { stuckAt: 0.05 },
  'the runtime wakes up': { wakesAt: WAKES_AT },
};

const BASE: WorldOptions = {
  ...{ seed: 7, epochs: EPOCHS, fee: 0.03, rate: 1, offer: 0.2, cap: 1, coverage: 0.5, price: 0.2, share: 0.33 },
};

let failed = 0;

function claim(holds: boolean, sentence: string): void {
  console.log(`${holds ? 'holds ' : 'FAILS '} ${sentence}`);
  if (!holds) failed += 1;
}

/** Every world of the grid in one kind of market, for one size of ring. */
function* worlds(market: Partial<WorldOptions>, share: number): Generator<WorldOptions> {
  for (const { rate, offer } of RETURNS) {
    for (const fee of FEES) {
      for (const cap of CAPS) {
        for (const coverage of COVERAGES) {
          for (const price of PRICES) yield { ...BASE, ...market, share, rate, offer, fee, cap, coverage, price };
        }
      }
    }
  }
}

function print(rows: string[][]): void {
  for (const line of table(rows)) console.log(line);
}

const percent = (part: number): string => `${part < 0 ? '−' : '+'}${Math.abs(part * 100).toFixed(1)} %`;

/** The ring: whatever it tries, wherever, it loses. */
function rings(): void {
  const rows: string[][] = [];
  let played = 0;
  let most = -Infinity;
  for (const [name, market] of Object.entries(MARKETS)) {
    const row = [name];
    let by = '';
    let worst = -Infinity;
    for (const share of SHARES) {
      let best = { name: '', gain: -Infinity };
      for (const world of worlds(market, share)) {
        const tried = bestOf(world);
        played += Object.keys(ATTACKS).length + 1;
        if (tried.gain > best.gain) best = tried;
      }
      row.push(percent(best.gain));
      if (best.gain > worst) [worst, by] = [best.gain, best.name];
    }
    most = Math.max(most, worst);
    rows.push([...row, by]);
  }
  console.log('What the best attack brings, for each DPU of fees that the ring pays:\n');
  print([['market', ...SHARES.map((share) => `ring holds ${share * 100} %`), 'best attack'], ...rows]);
  console.log();
  claim(most < 0, `no ring profits in any of ${played} plays; the best attack ends at ${percent(most)} of its fees`);
}

/** The same without what the contract enforces: the simulation must see a ring profit, or it would prove nothing. */
function controls(): void {
  const unsold = bestOf({ ...BASE, offer: undefined, price: 4 });
  claim(
    unsold.gain > 0,
    `without the standing offer, at 4 DPU a credit, "${unsold.name}" brings ${percent(unsold.gain)}`,
  );
  const light = bestOf({ ...BASE, share: 0.66, wakesAt: WAKES_AT, targetWeighs: 0.01 });
  claim(
    light.gain > 0,
    `with a target that weighs a hundredth of the cap, "${light.name}" brings ${percent(light.gain)}`,
  );
}

const mean = (list: number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;

/** Demand changes for good: the weight answers, and comes to rest. */
function shocks(): void {
  const rows: string[][] = [];
  const AT = 40;
  for (const factor of [2, 1.5, 0.6, 0.4]) {
    const { weights } = play({ ...BASE, epochs: 140, coverage: 0.5, shock: { epoch: AT, factor } });
    const before = mean(weights.slice(AT - 20, AT));
    const answer = weights.slice(AT, AT + 10);
    const furthest = factor > 1 ? Math.max(...answer) : Math.min(...answer);
    const end = weights.slice(-20);
    rows.push([`demand × ${factor}`, ...[before, furthest, mean(end)].map((weight) => weight.toFixed(3))]);
    claim(
      factor > 1 ? furthest > before + 0.02 : furthest < before - 0.02,
      `after demand × ${factor} the weight ${factor > 1 ? 'rises' : 'falls'}`,
    );
    claim(
      Math.max(...end) - Math.min(...end) < 0.05 && Math.abs(mean(end) - before) < 0.03,
      `and is back where people have learnt the new price`,
    );
  }
  console.log();
  print([['shock', 'weight before', 'furthest', 'at the end'], ...rows]);
}

/** Pressure that stays keeps the weight where the rule's two terms balance: w = 1 / (1 − (u − target) / target), within its bounds. */
function rest(): void {
  for (const stuckAt of [0, 0.1, 0.25, 0.3, 0.35, 0.6, 1]) {
    const { weights } = play({ ...BASE, cap: 1, coverage: 0.5, stuckAt, epochs: 120 });
    const end = weights.slice(-20);
    // The target weighs as much as the cap, half of the honest fees here.
    const u = (stuckAt + 0.5 * 0.25) / 1.5;
    const balance = u < 0.5 ? 1 / (1 - (u - 0.25) / 0.25) : Infinity;
    const expected = Math.min(Math.max(balance, 0.5), 4);
    claim(
      Math.max(...end) - Math.min(...end) < 0.001 && Math.abs(mean(end) - expected) < 0.005,
      `under a pressure of ${stuckAt} for ever the weight rests at ${mean(end).toFixed(3)}`,
    );
  }
}

rings();
controls();
console.log();
shocks();
rest();
process.exitCode = failed === 0 ? 0 : 1;
