import { keccak256, toHex, type Hex } from 'viem';
import { mnemonicToAccount, type HDAccount } from 'viem/accounts';

/** Anvil's well-known test mnemonic: these keys are public and only ever hold play money. */
export const MNEMONIC = 'test test test test test test test test test test test junk';

/** Most nodes of a local network: each owner and each operator is an account of its own. */
export const MOST_NODES = 12;
/** Accounts that the chain gives money to: as many as people need. */
export const ACCOUNTS = 30;

const account = (addressIndex: number): HDAccount => mnemonicToAccount(MNEMONIC, { addressIndex });
/** The first three nodes are as they always were; from the fourth on owners and operators take turns after account 10. */
const FIRST_NODES = 3;

/** Who plays whom on a local network (docs/architecture.md). */
export const people = {
  deployer: account(0),
  requester: account(1),
  guardian: account(2),
  /** Owner (cold key) of node 1 … n. */
  owner: (node: number): HDAccount => account(node <= FIRST_NODES ? 2 + node : 3 + 2 * node),
  /** Operator (hot key) of node 1 … n. */
  operator: (node: number): HDAccount => account(node <= FIRST_NODES ? 5 + node : 4 + 2 * node),
  browser: account(9),
  /** Owner and operator of the node that lies. */
  liar: account(10),
  /** Pays the gas of orders that the indexer relays. */
  relayer: account(29),
};

/** The secret with which node 1 … n of a local network opens private jobs: as public as the accounts above. */
export function nodeSecret(node: number): Hex {
  return keccak256(toHex(`DPU local node ${node}`));
}

/** The raw private key of a local account, for programs that read a key file. */
export function privateKeyOf(person: HDAccount): `0x${string}` {
  const key = person.getHdKey().privateKey;
  if (!key) throw new Error('a local account without a private key');
  return `0x${Buffer.from(key).toString('hex')}`;
}
