/** Facts that the tests of this folder share: what is in force on a fresh main network. */
import type { Facts } from './settings.ts';

export const at = (digit: string): `0x${string}` => `0x${digit.repeat(40)}`;
export const [GOVERNOR, TIMELOCK, MARKET, TOKEN, DOLLAR, ANN] = ['1', '2', '3', '4', '5', '6'].map(at) as [
  `0x${string}`,
  `0x${string}`,
  `0x${string}`,
  `0x${string}`,
  `0x${string}`,
  `0x${string}`,
];

export const DEPLOYMENT = {
  governor: GOVERNOR,
  timelock: TIMELOCK,
  market: MARKET,
  token: TOKEN,
  currencies: [
    { address: TOKEN, symbol: 'DPU', decimals: 18 },
    { address: DOLLAR, symbol: 'USDL', decimals: 6 },
  ],
};

const DAY = 86_400;

export const FACTS: Facts = {
  force: {
    version: 1,
    params: {
      feeBps: 300,
      bondTenths: 40,
      noShowBps: 2_000,
      burnBps: 5_000,
      retryBps: 4_000,
      auditRates: 0,
      revealWindow: 600,
      auditWindow: 1_800,
      openFor: 60,
      drawStep: 30,
      drawOpenAfter: 1_800,
    },
    minStake: 1_000n * 10n ** 18n,
    unbonding: 7 * DAY,
    treasury: TIMELOCK,
    guardian: undefined,
    guardianUntil: 0,
    settings: {
      votingDelay: DAY,
      votingPeriod: 5 * DAY,
      lateQuorumExtension: DAY,
      timelockDelay: 2 * DAY,
      proposalThreshold: 2_500_000n * 10n ** 18n,
      quorumPercent: 4,
      guardian: undefined,
      guardianUntil: 0,
    },
    first: { votingDelay: DAY, votingPeriod: 5 * DAY, lateQuorumExtension: DAY, timelockDelay: 2 * DAY },
  },
  open: { currencies: new Set([TOKEN]), runtimes: new Set([1]), seats: false },
};
