/** Why a shard ends without a result, as the child knows it. */
export class Failure extends Error {
  readonly reason: 'module-rejected' | 'out-of-memory' | 'device-lost' | 'sandbox';
  readonly fault: 'job' | 'machine';

  constructor(reason: Failure['reason'], fault: Failure['fault'], message: string) {
    super(message);
    this.reason = reason;
    this.fault = fault;
  }
}
