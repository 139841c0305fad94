import { Range } from '../../worker/test/bombs/range.ts';
import { drawsOf } from '../lib/faultPlan.ts';
import { count, type Campaign, type Report } from './stories.ts';

/** A node that works is asked to prove it after so many bombs. */
const PROOF_EVERY = 10;
/** Memory by which the node may have grown over all bombs after the first hundred, bytes. */
const MOST_GROWTH = 128 * 1024 * 1024;

/** Bombs of all kinds by turns; what a bomb is in detail follows from its seed. */
export const bombs: Campaign = async (seed, runs) => {
  const report: Report = { done: 0, violations: [], actions: new Map() };
  const range = new Range();
  try {
    await range.open();
    const names = range.bombs;
    let settled = 0;
    for (let index = 0; index < runs; index += 1) {
      const name = names[index % names.length] ?? '';
      const wrong = await range.explode(name, drawsOf(seed + index));
      if (index % PROOF_EVERY === 0 && !(await range.isAlive())) wrong.push('the node does not work any more');
      report.done += 1;
      count(report.actions, name, wrong.length === 0);
      if (wrong.length > 0) report.violations.push(`bomb "${name}", seed ${seed + index}: ${wrong.join('; ')}`);
      if (index === 100) settled = process.memoryUsage().rss;
      if (report.done % 100 === 0) console.error(`${report.done} of ${runs}, ${report.violations.length} violations`);
    }
    const growth = settled === 0 ? 0 : process.memoryUsage().rss - settled;
    if (growth > MOST_GROWTH) report.violations.push(`the node has grown by ${growth} bytes`);
    if (!(await range.isAlive())) report.violations.push('the node does not work any more');
  } finally {
    await range.close();
  }
  return report;
};
