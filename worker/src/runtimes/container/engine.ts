/** The container engine of this machine: Docker, or Podman by the same interface. */
import { existsSync } from 'node:fs';
import type Docker from 'dockerode';
import type { ContainerHandle, ImageFacts } from 'dockerode';
import { aborted } from '../converse.ts';
import { ShardError } from '../runtime.ts';
import { refuse } from '../wasm/request.ts';
import { checkImage } from './image.ts';
import { containerOptions, LABEL, type ContainerWish } from './options.ts';
import { Demultiplexer } from './streams.ts';

const LOG_BYTES = 64 * 1024;
/** What is kept of an engine's words about an image that it took. */
const SAID_CHARS = 4_096;
/** Images of strangers that are kept for the next shard. */
const KEPT_IMAGES = 8;
/** An engine that does not answer for so long is stuck, milliseconds. */
const ANSWER_MS = 120_000;

/** Sockets where engines listen. */
export function engineSockets(uid: number | undefined = process.getuid?.()): readonly string[] {
  const own = ['docker.sock', 'podman/podman.sock'].map((name) => `/run/user/${uid}/${name}`);
  const all = ['/var/run/docker.sock', '/run/podman/podman.sock', ...own];
  return all.filter((path) => existsSync(path));
}

/** What came out of a container that ended by itself. */
export interface Ran {
  readonly code: number;
  readonly outOfMemory: boolean;
  readonly output: Buffer;
  readonly log: string;
}

const is = (error: unknown, status: number): boolean => (error as { statusCode?: number }).statusCode === status;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 500);

/** Starts containers, watches them, and leaves nothing behind. */
export class Engine {
  readonly socket: string;
  readonly #docker: Docker;
  /** Images that were loaded here, oldest first: only these are removed again. */
  readonly #loaded = new Set<string>();
  /** What the engine calls an image, where that is not its id. */
  readonly #names = new Map<string, string>();
  readonly #loading = new Map<string, Promise<void>>();

  constructor(socket: string, docker: Docker) {
    this.socket = socket;
    this.#docker = docker;
  }

  /** The engine that listens at `socket`; nobody is asked yet. */
  static async at(socket: string): Promise<Engine> {
    // Only where an engine is: the library brings others, for ways that nodes do not take, and with them twenty megabytes.
    const { default: Client } = await import('dockerode');
    return new Engine(socket, new Client({ socketPath: socket, timeout: ANSWER_MS }));
  }

  /** Its name and version, for the operator. */
  async describe(): Promise<string> {
    const { ServerVersion = 'of unknown version', OperatingSystem = '' } = await this.#docker.info();
    return `an engine ${ServerVersion} (${OperatingSystem})`;
  }

  /** Removes containers that an earlier process of this node left when it was killed. */
  async sweep(owner: string): Promise<void> {
    const filters = JSON.stringify({ label: [`${LABEL.owner}=${owner}`] });
    for (const { Id, Labels } of await this.#docker.listContainers({ all: true, filters })) {
      if (Labels[LABEL.pid] !== String(process.pid)) await this.#remove(this.#docker.getContainer(Id));
    }
  }

  /**
   * Makes sure that the engine has the image `id`: it has it already, or `archive` is it.
   * @throws ShardError
   */
  ensureImage(id: string, archive: Uint8Array): Promise<void> {
    const loading = this.#loading.get(id) ?? this.#ensure(id, archive).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }

  async #ensure(id: string, archive: Uint8Array): Promise<void> {
    let facts = await this.#imageFacts(this.#names.get(id) ?? id);
    if (facts === undefined) {
      if (archive.length === 0) {
        const problem = `This machine does not have the image ${id}, and the job does not bring it.`;
        throw new ShardError('device-lost', 'machine', problem);
      }
      const image = await checkImage(archive, id);
      const answer = await this.#docker.loadImage(image.archive, { quiet: true });
      let said = '';
      for await (const piece of answer) said = (said + String(piece)).slice(-SAID_CHARS);
      facts = await this.#imageFacts(id);
      // Some engines call an image by another digest, and say so: the archive held this one alone.
      const other = facts === undefined ? /sha256:[0-9a-f]{64}/.exec(said)?.[0] : undefined;
      if (other !== undefined) {
        facts = await this.#imageFacts(other);
        this.#names.set(id, other);
      }
      if (facts === undefined) throw new ShardError('sandbox', 'machine', `The engine did not take the image ${id}.`);
      this.#loaded.add(id);
      await this.#forgetOldest();
    }
    if (Object.keys(facts.Config?.Volumes ?? {}).length > 0)
      throw refuse('its image declares volumes, which would be places to write without a limit');
    if (facts.Config?.Healthcheck?.Test?.length)
      throw refuse('its image declares a health check, which would run beside its shard');
  }

  async #imageFacts(id: string): Promise<ImageFacts | undefined> {
    try {
      const facts = await this.#docker.getImage(id).inspect();
      return facts.Id === id || `sha256:${facts.Id}` === id ? facts : undefined;
    } catch (error) {
      if (is(error, 404)) return undefined;
      throw new ShardError('sandbox', 'machine', `The engine does not answer: ${messageOf(error)}.`, {}, error);
    }
  }

  async #forgetOldest(most = KEPT_IMAGES): Promise<void> {
    for (const id of this.#loaded) {
      if (this.#loaded.size <= most) return;
      this.#loaded.delete(id);
      await this.#docker
        .getImage(id)
        .remove({ force: false })
        .catch(() => undefined);
    }
  }

  /**
   * Runs a container to its end or to its limits. It is gone when this returns.
   * @throws ShardError
   */
  async run(
    wish: ContainerWish,
    options: { signal?: AbortSignal | undefined; onLog?: ((text: string) => void) | undefined },
  ): Promise<Ran> {
    const { signal, onLog } = options;
    const { outputBytes, seconds } = wish.request.limits;
    if (signal?.aborted) throw aborted();
    let container: ContainerHandle | undefined;
    let failure: ShardError | undefined;
    const fail = (error: ShardError): void => {
      failure ??= error;
      void container?.kill().catch(() => undefined);
    };
    const onAbort = (): void => fail(aborted());
    let timer: NodeJS.Timeout | undefined;
    const output: Buffer[] = [];
    let [written, log] = [0, ''];
    const streams = new Demultiplexer(
      (piece) => {
        written += piece.length;
        if (failure !== undefined) return;
        const problem = `The shard wrote more than the ${outputBytes} bytes its spec allows.`;
        if (written > outputBytes) return fail(new ShardError('output-limit', 'job', problem));
        output.push(Buffer.from(piece));
      },
      (piece) => {
        const text = piece.toString().slice(0, LOG_BYTES - log.length);
        log += text;
        if (text !== '') onLog?.(text);
      },
    );
    try {
      const image = this.#names.get(wish.settings.image);
      container = await this.#docker.createContainer({ ...containerOptions(wish), ...(image && { Image: image }) });
      const stream = await container.attach({ stream: true, stdout: true, stderr: true });
      const ended = new Promise<void>((resolve) => {
        for (const event of ['end', 'close', 'error']) stream.once(event, () => resolve());
      });
      stream.on('data', (piece: Buffer) => streams.push(piece));
      await container.start();
      // What asked for an end while it was being made found nothing to kill.
      timer = setTimeout(() => fail(late(seconds)), seconds * 1000);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();
      const { StatusCode } = await container.wait();
      await ended;
      if (failure !== undefined) throw failure;
      const { State } = await container.inspect();
      return { code: StatusCode, outOfMemory: State.OOMKilled === true, output: Buffer.concat(output), log };
    } catch (error) {
      if (failure !== undefined) throw failure;
      if (error instanceof ShardError) throw error;
      // The program itself is not there or cannot be started: every engine says so before anything runs.
      if (
        container !== undefined &&
        /executable file not found|no such file or directory|permission denied|exec format/i.test(messageOf(error))
      )
        throw new ShardError(
          'exit-code',
          'job',
          `The shard's program cannot be started: ${messageOf(error)}.`,
          {},
          error,
        );
      throw new ShardError('sandbox', 'machine', `The engine failed: ${messageOf(error)}.`, {}, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (container !== undefined) await this.#remove(container);
    }
  }

  /** Removes the images that were loaded here. */
  async close(): Promise<void> {
    await this.#forgetOldest(0);
  }

  async #remove(container: ContainerHandle): Promise<void> {
    await container.remove({ force: true, v: true }).catch(() => undefined);
  }
}

const late = (seconds: number): ShardError =>
  new ShardError('timeout', 'machine', `The shard was not done after the ${seconds} seconds its spec allows.`);
