import * as schema from '../../ponder.schema.ts';
import { govern, record, touch } from '../network.ts';
import { keepSetting } from '../settings.ts';
import type { AnyContext, AnyEvent, Handlers } from '../types.ts';

const NO_MONEY = { deposited: 0n, withdrawn: 0n, paid: 0n, fee: 0n, escrow: 0n, uncollected: 0n };

const set = (
  context: AnyContext,
  event: AnyEvent,
  name: string,
  value: bigint | number | boolean | string,
  subject: string | number = '',
) => keepSetting(context, event, { contract: 'market', name, subject }, value);

/** What the timelock and the guardian decide. */
export const governanceHandlers = {
  async CurrencyAllowed({ event, context }) {
    const { currency, allowed } = event.args;
    await context.db
      .insert(schema.currency)
      .values({ address: currency, allowed, ...NO_MONEY })
      .onConflictDoUpdate({ allowed });
    await set(context, event, 'currency', allowed, currency);
    await record(context, event, { type: 'currencyAllowed', currency });
  },

  async RuntimeAllowed({ event, context }) {
    const { runtime, allowed } = event.args;
    await context.db.insert(schema.runtime).values({ id: runtime, allowed }).onConflictDoUpdate({ allowed });
    await set(context, event, 'runtime', allowed, runtime);
    await record(context, event, { type: 'runtimeAllowed' });
  },

  async CreditsSet({ event, context }) {
    const { credits } = event.args;
    await govern(context, { credits });
    await set(context, event, 'credits', credits);
    await record(context, event, { type: 'creditsSet', account: credits });
  },

  async ProverSet({ event, context }) {
    const { prover } = event.args;
    await govern(context, { prover });
    await record(context, event, { type: 'proverSet', account: prover });
  },

  async SeatsAllowed({ event, context }) {
    await govern(context, { seats: event.args.allowed });
    await set(context, event, 'seats', event.args.allowed);
    await record(context, event, { type: 'seatsAllowed' });
  },

  async ParamsAdded({ event, context }) {
    const { version, params } = event.args;
    const at = { block: Number(event.block.number), timestamp: Number(event.block.timestamp) };
    await context.db.insert(schema.params).values({ version, ...params, ...at, transaction: event.transaction.hash });
    await govern(context, { params: version });
    for (const [name, value] of Object.entries(params)) await set(context, event, name, value);
    await record(context, event, { type: 'paramsAdded' });
  },

  async TreasurySet({ event, context }) {
    const { treasury } = event.args;
    await govern(context, { treasury });
    await set(context, event, 'treasury', treasury);
    await record(context, event, { type: 'treasurySet', account: treasury });
  },

  async GuardianSet({ event, context }) {
    const { guardian, until } = event.args;
    await govern(context, { guardian, guardianUntil: until });
    await set(context, event, 'guardian', guardian);
    await set(context, event, 'guardianUntil', until);
    await record(context, event, { type: 'guardianSet', account: guardian });
  },

  async Paused({ event, context }) {
    const { guardian, until } = event.args;
    await govern(context, { pausedUntil: until });
    await set(context, event, 'pausedUntil', until);
    await record(context, event, { type: 'paused', account: guardian });
  },

  async MinStakeSet({ event, context }) {
    const { minStake } = event.args;
    await govern(context, { minStake });
    await set(context, event, 'minStake', minStake);
    await record(context, event, { type: 'minStakeSet', amount: minStake, currency: context.contracts.Token.address });
  },

  async UnbondingSet({ event, context }) {
    const { unbonding } = event.args;
    await govern(context, { unbonding });
    await set(context, event, 'unbonding', unbonding);
    await record(context, event, { type: 'unbondingSet' });
  },

  async OwnershipTransferStarted({ event, context }) {
    await set(context, event, 'pendingOwner', event.args.newOwner);
    await touch(context, event);
  },

  async OwnershipTransferred({ event, context }) {
    await set(context, event, 'owner', event.args.newOwner);
    await touch(context, event);
  },
} satisfies Partial<Handlers>;
