/** Words that hold several fields, as the contracts pack them: the one place of this package that shifts and masks. */

/** Names and widths in bits of a word's fields, highest first; the last ends at bit 0. */
export type Layout<Name extends string> = readonly (readonly [name: Name, bits: number])[];

/**
 * The word of `values`. `what` names their owner in the error, e.g. `terms`.
 * @throws RangeError that names the field when a value is no whole number or does not fit.
 */
export function packWord<Name extends string>(
  what: string,
  layout: Layout<Name>,
  values: Record<NoInfer<Name>, bigint | number>,
): bigint {
  return layout.reduce(
    (word, [name, bits]) => (word << BigInt(bits)) | fitting(`${what}.${name}`, values[name], bits),
    0n,
  );
}

/** The fields of `word`; bits above the layout are left out. */
export function unpackWord<Name extends string>(layout: Layout<Name>, word: bigint): Record<Name, bigint> {
  let rest = word;
  const fields = layout.toReversed().map(([name, bits]) => {
    const value = BigInt.asUintN(bits, rest);
    rest >>= BigInt(bits);
    return [name, value] as const;
  });
  return Object.fromEntries(fields) as Record<Name, bigint>;
}

function fitting(field: string, value: bigint | number, bits: number): bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
    const whole = BigInt(value);
    // What is left of a negative number is −1.
    if (whole >> BigInt(bits) === 0n) return whole;
  }
  throw new RangeError(`${field} is ${value}, but it must be a whole number from 0 to ${(1n << BigInt(bits)) - 1n}.`);
}
