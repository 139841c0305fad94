import type { SelfTest } from '../wasm/selfTest.ts';

/** Made from test/fixtures/trainSelfTest.wat; a test compares the two. */
const MODULE = Buffer.from(
  [
    'AGFzbQEAAAABEQNgBH9/f38Bf2ABfwF/YAAAAiMBFndhc2lfc25hcHNob3RfcHJldmlldzEIZmRfd3JpdGUAAAMDAgECBQMBAAEHEwIGbWVtb3J5AgAG',
    'X3N0YXJ0AAIKhwMCEQAgAEGNzOUAbEHf5rvjA2oL8gIDA38BewF9A0BBACECA0AgABABIQAgAiAAQQh1skMAAABLlTgCgAEgAkEEaiECIAJBwABJDQAL',
    '/QwAAAAAAAAAAAAAAAAAAAAAIQNBACECA0AgAyAC/QAEQCAC/QAEgAH95gH95AEhAyACQRBqIQIgAkHAAEkNAAtBwAEgA/0LBABBwAEqAgBBxAEqAgCS',
    'QcgBKgIAQcwBKgIAkpJBgAEqAgBBhAEqAgCSkyEEQQAhAgNAIAIgAv0ABEAgBEMK1yM8lP0TIAL9AASAAf3mAf3lAf0LBEAgAkEQaiECIAJBwABJDQAL',
    'IAFBAWohASABQaCcAUkNAAtBgAFB0AD9AAQA/eAB/eMB/QsEAEGQAUHAAP0ABABB4AD9AAQA/ecB/QsEAEGgAUHgAP0ABAD9DAAAAAAAAAAAAAAAAAAA',
    'AAD96QH9CwQAQbABIAQgBJNDAAAAAJU4AgBBAEHAADYCAEEEQfQANgIAQQFBAEEBQQgQABoL',
  ].join(''),
  'base64',
);

/** A little training whose result is known: what could differ between machines here are sums, products, roots and NaN bits of floats. */
export const TRAIN_SELF_TEST: SelfTest = {
  request: {
    module: MODULE,
    args: [],
    shard: 0,
    shards: 1,
    inputs: [],
    seed: new Uint8Array(32),
    limits: { memoryBytes: 65_536, units: 100, outputBytes: 1_000, seconds: 20 },
  },
  outputSha256: 'e5f585b444b65011b70a21ff7d18124d9171751a06208fbcaa4fcaa3608464ed',
  units: 16,
};
