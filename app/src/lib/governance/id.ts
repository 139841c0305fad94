/** A proposal's id as addresses of pages carry it: 32 bytes in hexadecimal, or a decimal number; undefined when it is neither. */
export function proposalIdOf(text: string): bigint | undefined {
  const trimmed = text.trim();
  if (!/^(0x[0-9a-fA-F]{1,64}|\d{1,78})$/.test(trimmed)) return undefined;
  const id = BigInt(trimmed);
  return id < 2n ** 256n ? id : undefined;
}

/** A proposal's id for the address of its page. */
export function idText(id: bigint): string {
  return `0x${id.toString(16).padStart(64, '0')}`;
}
