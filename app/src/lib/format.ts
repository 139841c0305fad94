/**
 * Numbers, times and names as people read them, in the language of the page. bigint stops here: nothing below these functions
 * calculates with strings.
 */
import { language, type Language } from './i18n/locale.ts';

/** English dates are the British ones: the day stands before the month, as in most of the world. */
const DATES: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de' };
const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

/** Making a formatter takes far longer than using it. */
function kept<Made extends Intl.NumberFormat | Intl.DateTimeFormat>(
  name: string,
  make: (language: Language) => Made,
): Made {
  const spoken = language();
  const key = `${spoken} ${name}`;
  const found = made.get(key) ?? make(spoken);
  made.set(key, found);
  return found as Made;
}

const thousands = (): Intl.NumberFormat =>
  kept('thousands', (spoken) => new Intl.NumberFormat(spoken, { maximumFractionDigits: 0 }));
const compact = (): Intl.NumberFormat =>
  kept('compact', (spoken) => new Intl.NumberFormat(spoken, { notation: 'compact', maximumFractionDigits: 1 }));

/** What stands before the digits of a fraction. */
const mark = (): string => (language() === 'de' ? ',' : '.');

/** `0.1234` with at most `digits` digits after the point, and with `least` at least. */
export function formatNumber(value: number, digits: number, least = 0): string {
  return kept(
    `${least} to ${digits}`,
    (spoken) => new Intl.NumberFormat(spoken, { minimumFractionDigits: least, maximumFractionDigits: digits }),
  ).format(value);
}

/** `1234567` → `1,234,567`. */
export function formatCount(value: number | bigint): string {
  return thousands().format(value);
}

/** `1234567` → `1.2M`; short numbers stay whole. */
export function formatCompact(value: number | bigint): string {
  return (value < 10_000 ? thousands() : compact()).format(value);
}

/**
 * A token amount: `1234500000` with 6 decimals → `1,234.5`. Shows at most `digits` digits after the point and never rounds
 * up, so that a balance is never shown as more than it is; what is too small to show reads `<0.0001`.
 */
export function formatAmount(value: bigint, decimals: number, digits = 4): string {
  const negative = value < 0n;
  const size = negative ? -value : value;
  const scale = 10n ** BigInt(decimals);
  const whole = size / scale;
  const fraction = (size % scale).toString().padStart(decimals, '0').slice(0, digits).replace(/0+$/, '');
  const sign = negative ? '−' : '';
  if (whole === 0n && fraction === '' && size > 0n)
    return digits === 0 ? `${sign}<1` : `${sign}<0${mark()}${'0'.repeat(digits - 1)}1`;
  return `${sign}${thousands().format(whole)}${fraction && decimals > 0 ? mark() + fraction : ''}`;
}

/** The whole amount as a plain decimal, for inputs: no grouping, nothing cut off. */
export function plainAmount(value: bigint, decimals: number): string {
  const scale = 10n ** BigInt(decimals);
  const fraction = (value % scale).toString().padStart(decimals, '0').replace(/0+$/, '');
  return `${value / scale}${fraction && decimals > 0 ? mark() + fraction : ''}`;
}

/**
 * What a person typed as an amount, or undefined when it is none (empty, negative, too many digits after the point). In English commas may
 * group digits by three. In German a comma stands before the fraction; a point does too, except where it could group: `1.500` may be meant as
 * either of two amounts a thousand apart, so it is none.
 */
export function parseAmount(text: string, decimals: number): bigint | undefined {
  const typed = text.trim();
  const plain =
    language() === 'de'
      ? /^[1-9]\d{0,2}(\.\d{3})+$/.test(typed)
        ? undefined
        : typed.replace(',', '.')
      : /^\d{1,3}(,\d{3})+(\.|$)/.test(typed)
        ? typed.replaceAll(',', '')
        : typed;
  const match = /^(\d{0,30})(?:\.(\d*))?$/.exec(plain ?? '');
  if (!match || (!match[1] && !match[2])) return undefined;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) return undefined;
  return BigInt((match[1] || '0') + fraction.padEnd(decimals, '0'));
}

/** `0x1234567890…` → `0x1234…7890`. */
export function shortHex(value: string, head = 4, tail = 4): string {
  return value.length <= head + tail + 3 ? value : `${value.slice(0, head + 2)}…${value.slice(-tail)}`;
}

/** Seconds, what the languages call so many of them, and what else may be typed for it. */
const UNITS: readonly (Readonly<Record<Language, string>> & { size: number; typed: readonly string[] })[] = [
  { size: 86_400, en: 'd', de: 'Tg.', typed: ['d', 'day', 'days', 'tg', 'tag', 'tage', 'tagen'] },
  { size: 3_600, en: 'h', de: 'Std.', typed: ['h', 'hour', 'hours', 'std', 'stunde', 'stunden'] },
  { size: 60, en: 'min', de: 'Min.', typed: ['m', 'min', 'minute', 'minutes', 'minuten'] },
  { size: 1, en: 's', de: 'Sek.', typed: ['s', 'second', 'seconds', 'sek', 'sekunde', 'sekunden'] },
];

/** Seconds as at most two units: `3725` → `1 h 2 min`. */
export function formatDuration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  let rest = total;
  for (const { size, [language()]: short } of UNITS) {
    const amount = Math.floor(rest / size);
    rest %= size;
    if (amount > 0) parts.push(`${amount} ${short}`);
    else if (parts.length) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || `0 ${UNITS.at(-1)?.[language()]}`;
}

/** Seconds in every unit that they have, with nothing cut off: `90061` → `1 d 1 h 1 min 1 s`. `parseDuration` reads it back. */
export function formatExactDuration(seconds: number | bigint): string {
  let rest = Number(seconds);
  const parts: string[] = [];
  for (const { size, [language()]: short } of UNITS) {
    const amount = Math.floor(rest / size);
    rest %= size;
    if (amount > 0) parts.push(`${amount} ${short}`);
  }
  return parts.join(' ') || `0 ${UNITS.at(-1)?.[language()]}`;
}

/** What a person typed as a length of time (`2 d`, `36h`, `1 h 30 min`), in seconds; undefined when it is none. */
export function parseDuration(text: string): bigint | undefined {
  const trimmed = text.trim().toLowerCase().replaceAll('.', ' ');
  if (!/^(\d{1,9}\s*[a-z]+\s*)+$/.test(trimmed)) return undefined;
  let total = 0n;
  for (const [, amount = '0', word = ''] of trimmed.matchAll(/(\d{1,9})\s*([a-z]+)/g)) {
    const unit = UNITS.find(({ typed }) => typed.includes(word));
    if (!unit) return undefined;
    total += BigInt(amount) * BigInt(unit.size);
  }
  return total;
}

/** Time left to the second, as a clock that counts down: `2 d 03:04:05`, `03:04:05`. Never below zero. */
export function formatCountdown(seconds: number): string {
  const total = Math.max(0, Math.ceil(seconds));
  const days = Math.floor(total / 86_400);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const clock = `${two((total % 86_400) / 3_600)}:${two((total % 3_600) / 60)}:${two(total % 60)}`;
  return days > 0 ? `${days} ${UNITS[0]?.[language()]} ${clock}` : clock;
}

/** How long ago, or how long until, in one unit: `5 min ago`, `in 2 h`, `now`. */
export function formatRelative(time: number, now: number): string {
  const spoken = language();
  const distance = Math.abs(now - time);
  if (distance < 2) return spoken === 'de' ? 'jetzt' : 'now';
  const { size, [spoken]: short } = UNITS.find(({ size }) => distance >= size) ?? { size: 1, en: 's', de: 'Sek.' };
  const text = `${Math.floor(distance / size)} ${short}`;
  if (time > now) return `in ${text}`;
  return spoken === 'de' ? `vor ${text}` : `${text} ago`;
}

/** Unix seconds as a local date and time. */
export function formatTime(seconds: number): string {
  return kept(
    'time',
    (spoken) => new Intl.DateTimeFormat(DATES[spoken], { dateStyle: 'medium', timeStyle: 'medium' }),
  ).format(new Date(seconds * 1_000));
}

/** The day of a second, UTC: `3 Nov`. */
export function formatDay(seconds: number): string {
  return kept(
    'day',
    (spoken) => new Intl.DateTimeFormat(DATES[spoken], { day: 'numeric', month: 'short', timeZone: 'UTC' }),
  ).format(new Date(seconds * 1_000));
}

/** Basis points as percent: `250` → `2.5 %`. */
export function formatBps(bps: number): string {
  return `${formatNumber(bps / 100, 2)} %`;
}

/** Bytes with a decimal unit: `1536000` → `1.5 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${formatNumber(value, value < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}
