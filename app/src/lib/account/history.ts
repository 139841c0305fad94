import type { JobSummary } from '@dpu/sdk/api';

/** Columns of the export, in their order. Amounts are exact, in whole units of the currency. */
const COLUMNS = [
  ...['job', 'state', 'posted', 'closed', 'shards', 'settled', 'currency', 'highest price of a shard'],
  ...['paid to nodes', 'protocol fee', 'back to requester', 'transaction'],
] as const;

/** An account's jobs as comma-separated values (RFC 4180), oldest first. `currencyOf`: symbol and digits of a token. */
export function historyCsv(
  jobs: readonly JobSummary[],
  currencyOf: (address: string) => { symbol: string; decimals: number },
): string {
  const rows = [...jobs]
    .sort((a, b) => a.postedAt - b.postedAt)
    .map((job) => {
      const { symbol, decimals } = currencyOf(job.currency);
      const money = (value: bigint): string => exact(value, decimals);
      return [
        ...[job.id, job.state, isoTime(job.postedAt), job.closedAt === null ? '' : isoTime(job.closedAt)],
        ...[String(job.shards), String(job.settled), symbol, money(job.maxPrice)],
        ...[money(job.paid), money(job.fee), money(job.refunded), job.transaction],
      ];
    });
  return [[...COLUMNS], ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

const isoTime = (seconds: number): string => new Date(seconds * 1_000).toISOString();

/** Every digit, a point, and no separators: what programs read. */
function exact(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0');
  const [whole, fraction] = [digits.slice(0, digits.length - decimals), digits.slice(digits.length - decimals)];
  const kept = fraction.replace(/0+$/, '');
  return kept ? `${whole}.${kept}` : whole;
}

/** A cell that no spreadsheet takes for a formula: symbols of tokens are a stranger's text. */
function cell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
