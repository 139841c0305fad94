/** What the page knows about a network besides its id. */
export interface NetworkInfo {
  name: string;
  /** Base URL of a block explorer, when there is one. */
  explorer?: string;
  /** Symbol of the coin that pays for gas; ETH where nothing is said. */
  coin?: string;
}

/** The coin that pays for gas on most chains. */
const COIN = 'ETH';

/** Anvil's and Hardhat's id: a chain on this computer with money that is worth nothing. */
export const LOCAL_CHAIN = 31_337;

const KNOWN: Readonly<Record<number, NetworkInfo>> = {
  1: { name: 'Ethereum', explorer: 'https://etherscan.io' },
  10: { name: 'OP Mainnet', explorer: 'https://optimistic.etherscan.io' },
  137: { name: 'Polygon', coin: 'POL', explorer: 'https://polygonscan.com' },
  8_453: { name: 'Base', explorer: 'https://basescan.org' },
  42_161: { name: 'Arbitrum One', explorer: 'https://arbiscan.io' },
  84_532: { name: 'Base Sepolia', explorer: 'https://sepolia.basescan.org' },
  11_155_111: { name: 'Sepolia', explorer: 'https://sepolia.etherscan.io' },
  [LOCAL_CHAIN]: { name: 'Local network' },
};

/** Name, explorer and coin of chain `chainId`; a chain nobody has heard of is called by its number. */
export function networkInfo(chainId: number): NetworkInfo & Required<Pick<NetworkInfo, 'coin'>> {
  return { coin: COIN, ...(KNOWN[chainId] ?? { name: `Chain ${chainId}` }) };
}
