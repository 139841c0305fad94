import type { Context, EventNames, IndexingFunctionArgs } from 'ponder:registry';

/** The contracts whose events make the tables, by their names in `ponder.config.ts`. */
export type Contract = 'Market' | 'Token' | 'Credits' | 'Governor' | 'Timelock' | 'Proofs';

/** The events of a contract, without Ponder's pseudo event. */
export type EventOf<Of extends Contract> = Exclude<
  Extract<EventNames, `${Of}:${string}`> extends `${Of}:${infer Name}` ? Name : never,
  'setup'
>;

type EventName = EventOf<'Market'>;

/** The arguments of the event `Name` of a contract, as a handler gets them. */
export type ArgsOf<Of extends Contract, Name extends EventOf<Of>> = IndexingFunctionArgs<
  Extract<EventNames, `${Of}:${Name}`>
>;
/** The arguments of the Market's event `Name`, as a handler gets them. */
export type Args<Name extends EventName> = IndexingFunctionArgs<`Market:${Name}`>;
/** What every handler can count on. */
export type AnyContext = Pick<Context<`Market:${EventName}`>, 'db' | 'contracts'>;
/** The part of an event that does not depend on its name. */
export type AnyEvent = Pick<Args<EventName>['event'], 'id' | 'block' | 'transaction'>;

/** What `ArgsOf` says, with the context that all contracts' handlers share. */
export type Input<Of extends Contract, Name extends EventOf<Of>> = Pick<ArgsOf<Of, Name>, 'event'> & {
  context: AnyContext;
};

/** A handler for each event of a contract but those that `unindexed.ts` names: an event without one does not compile. */
export type HandlersOf<Of extends Contract> = {
  [Name in Exclude<EventOf<Of>, Unindexed>]: (input: Input<Of, Name>) => Promise<void>;
};
/** A handler for each event of the Market. */
export type Handlers = { [Name in Exclude<EventName, Unindexed>]: (args: Args<Name>) => Promise<void> };

/** Events that no handler takes; `unindexed.ts` says why. */
export type Unindexed = 'EIP712DomainChanged' | 'Approval';
