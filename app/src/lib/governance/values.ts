import { formatAmount, formatBps, formatExactDuration, parseAmount, parseDuration, plainAmount } from '../format.ts';
import { say } from '../i18n/say.ts';

/** How a value that a vote may turn is measured. `tenths` are tenths of a job's price. */
export type Unit = 'bps' | 'tenths' | 'seconds' | 'dpu' | 'percent' | 'address' | 'switch';

/** A number in its contract's unit, an address, or open (true) and closed. */
export type Value = bigint | string | boolean;

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** A value as people read it, with its unit and nothing rounded away. */
export function sayValue(unit: Unit, value: Value): string {
  switch (unit) {
    case 'bps':
      return formatBps(Number(value));
    case 'tenths':
      return say('{factor} × the price', { factor: plainAmount(value as bigint, 1) });
    case 'seconds':
      return formatExactDuration(value as bigint);
    case 'dpu':
      return `${formatAmount(value as bigint, 18, 18)} DPU`;
    case 'percent':
      return `${String(value)} %`;
    case 'switch':
      return value ? say('open') : say('closed');
    case 'address':
      return String(value);
  }
}

/** A value as it stands in an input. `readValue` reads it back. */
export function inputText(unit: Unit, value: Value): string {
  switch (unit) {
    case 'bps':
      return plainAmount(value as bigint, 2);
    case 'tenths':
      return plainAmount(value as bigint, 1);
    case 'seconds':
      return formatExactDuration(value as bigint);
    case 'dpu':
      return plainAmount(value as bigint, 18);
    default:
      return String(value);
  }
}

/** What stands behind an input. */
export const SUFFIX: Readonly<Record<Unit, string>> = {
  bps: '%',
  tenths: '× price',
  seconds: '',
  dpu: 'DPU',
  percent: '%',
  address: '',
  switch: '',
};

/** How to write a value that could not be read. */
const HOW: Readonly<Record<Unit, string>> = {
  bps: 'A share in per cent, with at most two digits after the point.',
  tenths: 'A factor, with at most one digit after the point.',
  seconds: 'A length of time, such as 2 d, 36 h or 1 h 30 min.',
  dpu: 'An amount of DPU.',
  percent: 'A whole number of per cent.',
  address: 'An address: 0x and 40 hexadecimal digits.',
  switch: 'Open or closed.',
};

/** What was typed as a value, or a sentence about what it should look like. */
export function readValue(unit: Unit, text: string): { value: Value } | { problem: string } {
  const value = parse(unit, text.trim());
  return value === undefined ? { problem: say(HOW[unit]) } : { value };
}

function parse(unit: Unit, text: string): Value | undefined {
  switch (unit) {
    case 'bps':
      return parseAmount(text, 2);
    case 'tenths':
      return parseAmount(text, 1);
    case 'seconds':
      return parseDuration(text);
    case 'dpu':
      return parseAmount(text, 18);
    case 'percent':
      return parseAmount(text, 0);
    case 'address':
      return ADDRESS.test(text) && !/^0x0{40}$/.test(text) ? text : undefined;
    case 'switch':
      return text === 'true' ? true : text === 'false' ? false : undefined;
  }
}
