import type { Chain, Head, RawLog, SendVerdict } from '../chain/chain.ts';
import { messageOf, OperatorError, TransientError } from '../errors.ts';
import type { Log } from '../log.ts';

/** One JSON-RPC endpoint and what is known of it. */
export interface Endpoint {
  /** For logs: where it is, never the whole URL, in which providers put keys. */
  readonly name: string;
  readonly chain: Chain;
}

/** How several endpoints are used as one. */
export interface EndpointsOptions {
  chainId: number;
  /** An endpoint whose head is this many blocks older than another's lags, and is not used while there is a better one. */
  lagBlocks: number;
}

/** What the endpoints work with. */
export interface EndpointsDeps {
  log: Log;
  /** Called with every answer about logs from block `from` on, before anybody uses it. */
  onLogs?: (from: number, logs: readonly RawLog[]) => void;
}

/** How an endpoint stands. `wrong`: it serves another chain and is never asked again. */
type Standing = 'unknown' | 'up' | 'down' | 'wrong';

interface Member extends Endpoint {
  standing: Standing;
  head: Head | undefined;
  /** A question about its head is on its way. */
  asked: boolean;
}

/** Best first: the verdict of several endpoints about one transaction is the best of them. */
const VERDICTS: readonly SendVerdict[] = [
  'accepted',
  'known',
  'nonceTooLow',
  'underpriced',
  'feeTooLow',
  'insufficientFunds',
  'rejected',
  'unknown',
];

/**
 * Several endpoints of one chain as one. Questions go to the one in use, so that the answers about one head fit together; when it fails or
 * lags, the next one takes its place and the head is worked off again. Transactions go to all of them.
 */
export class Endpoints {
  /** The chain as the endpoint in use tells it. */
  readonly chain: Chain;
  readonly #options: EndpointsOptions;
  readonly #deps: EndpointsDeps;
  readonly #members: readonly [Member, ...Member[]];
  #active: Member;

  constructor(endpoints: readonly [Endpoint, ...Endpoint[]], options: EndpointsOptions, deps: EndpointsDeps) {
    this.#options = options;
    this.#deps = deps;
    const member = (endpoint: Endpoint): Member => ({
      ...endpoint,
      standing: 'unknown',
      head: undefined,
      asked: false,
    });
    const [first, ...rest] = endpoints;
    this.#members = [member(first), ...rest.map(member)];
    this.#active = this.#members[0];
    this.chain = this.#asOne();
  }

  /** How many there are. */
  get count(): number {
    return this.#members.length;
  }

  /** Name of the endpoint in use. */
  get active(): string {
    return this.#active.name;
  }

  /** Those that can speak about what the endpoint in use says: of this chain, whether they answer or not. */
  get others(): readonly Endpoint[] {
    return this.#members.filter((member) => member !== this.#active && member.standing !== 'wrong');
  }

  /** Uses the endpoint `name` from now on. */
  use(name: string, why: string): void {
    const next = this.#members.find((member) => member.name === name);
    if (!next || next === this.#active) return;
    this.#deps.log.warn('Another RPC endpoint is used', { from: this.#active.name, to: next.name, why });
    this.#active = next;
  }

  async #ask<T>(question: (chain: Chain) => Promise<T>): Promise<T> {
    const asked = this.#active;
    try {
      return await question(asked.chain);
    } catch (error) {
      if (error instanceof TransientError) this.#leave(asked, messageOf(error));
      throw error;
    }
  }

  /** `member` did not answer: the next one that does is used. */
  #leave(member: Member, why: string): void {
    member.standing = member.standing === 'wrong' ? 'wrong' : 'down';
    if (member !== this.#active) return;
    const next = this.#members.find(({ standing }) => standing === 'up');
    if (next) this.use(next.name, why);
  }

  async #latest(): Promise<Head> {
    for (const member of this.#members) if (member !== this.#active) void this.#visit(member);
    const asked = this.#active;
    const head = await this.#ask((chain) => chain.latest());
    asked.standing = 'up';
    asked.head = head;
    const best = this.#members
      .filter(({ standing }) => standing === 'up')
      .toSorted((a, b) => (b.head?.number ?? 0) - (a.head?.number ?? 0))[0];
    const behind = (best?.head?.number ?? 0) - head.number;
    if (best && asked === this.#active && behind >= this.#options.lagBlocks) {
      this.use(best.name, `it is ${behind} blocks behind`);
      return best.head ?? head;
    }
    return head;
  }

  /** Asks an endpoint that is not in use for its chain, once, and its head. */
  async #visit(member: Member): Promise<void> {
    if (member.asked || member.standing === 'wrong') return;
    member.asked = true;
    try {
      if (member.standing !== 'up') {
        const found = await member.chain.chainId();
        if (found !== this.#options.chainId) {
          member.standing = 'wrong';
          this.#deps.log.error('RPC endpoint serves another chain and is left out: correct rpc in the configuration', {
            endpoint: member.name,
            found,
            wanted: this.#options.chainId,
          });
          return;
        }
      }
      member.head = await member.chain.latest();
      if (member.standing === 'down') this.#deps.log.info('RPC endpoint is back', { endpoint: member.name });
      member.standing = 'up';
    } catch (error) {
      if (member.standing === 'up')
        this.#deps.log.warn('RPC endpoint does not answer', { endpoint: member.name, error });
      member.standing = 'down';
    } finally {
      member.asked = false;
    }
  }

  /** Offers a transaction everywhere: one endpoint that takes it is enough, one that loses it costs nothing. */
  async #sendRaw(raw: `0x${string}`): Promise<{ verdict: SendVerdict; message: string }> {
    const offers = [this.#active, ...this.others].map(({ chain }) => chain.sendRaw(raw));
    const taken = offers.map(async (offer) => {
      const answer = await offer;
      if (answer.verdict !== 'accepted') throw new OperatorError(answer.message);
      return answer;
    });
    return Promise.any(taken).catch(async () => {
      const answers = await Promise.all(offers);
      const [best] = answers.toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
      return best ?? { verdict: 'unknown' as const, message: 'there is no endpoint' };
    });
  }

  #asOne(): Chain {
    type Name = Exclude<keyof Chain, 'latest' | 'logs' | 'sendRaw'>;
    const pass = <K extends Name>(name: K): Chain[K] =>
      ((...args: never[]) =>
        this.#ask((chain) => (chain[name] as (...given: never[]) => Promise<unknown>)(...args))) as Chain[K];
    return {
      latest: () => this.#latest(),
      logs: async (from, to) => {
        const logs = await this.#ask((chain) => chain.logs(from, to));
        this.#deps.onLogs?.(from, logs);
        return logs;
      },
      sendRaw: (raw) => this.#sendRaw(raw),
      chainId: pass('chainId'),
      block: pass('block'),
      dryRun: pass('dryRun'),
      nonce: pass('nonce'),
      balance: pass('balance'),
      receipt: pass('receipt'),
      knows: pass('knows'),
      job: pass('job'),
      lease: pass('lease'),
      leaseWord: pass('leaseWord'),
      seatWord: pass('seatWord'),
      bench: pass('bench'),
      drawn: pass('drawn'),
      node: pass('node'),
      nodeOf: pass('nodeOf'),
      runtimeStake: pass('runtimeStake'),
      config: pass('config'),
      treasury: pass('treasury'),
      marketBalance: pass('marketBalance'),
      nodeCount: pass('nodeCount'),
    };
  }
}
