/**
 * How a receipt is awaited on a chain that makes one block for a transaction and then none: while viem looks whether the transaction
 * was replaced, it overlooks the only block that would tell it that it was mined, and waits for ever.
 */
export const AWAITED = { checkReplacement: false } as const;
