import type { Context, EventNames, IndexingFunctionArgs } from 'ponder:registry';

/** The Market's events, without Ponder's pseudo event. */
type EventName = Exclude<
  Extract<EventNames, `Market:${string}`> extends `Market:${infer Name}` ? Name : never,
  'setup'
>;

/** The arguments of the Market's event `Name`, as a handler gets them. */
export type Args<Name extends EventName> = IndexingFunctionArgs<`Market:${Name}`>;
/** What every handler can count on. */
export type AnyContext = Pick<Context<`Market:${EventName}`>, 'db' | 'contracts'>;
/** The part of an event that does not depend on its name. */
export type AnyEvent = Pick<Args<EventName>['event'], 'id' | 'block' | 'transaction'>;
/** A handler for each event: an event without one does not compile. */
export type Handlers = {
  [Name in Exclude<EventName, Unindexed>]: (args: Args<Name>) => Promise<void>;
};

/** Events of OpenZeppelin's bases that no table needs. */
type Unindexed = 'OwnershipTransferStarted' | 'OwnershipTransferred' | 'EIP712DomainChanged';
