import { Failure } from './failure.ts';
import { COUNTERS_AT, type ChildJob, type ChildPass } from './job.ts';

/** Dispatches, and invocations, that are handed to the device at a time: drivers end what takes them seconds. */
const BATCH = { dispatches: 64, invocations: 4 * 1024 * 1024 } as const;
const STAGING_BYTES = 4 * 1024 * 1024;
const COUNTER_BYTES = 8;

/** WebGPU's numbers for what a buffer may be used for and where a binding is seen. */
const USE = { mapRead: 1, copyFrom: 4, copyTo: 8, uniform: 64, storage: 128 } as const;
const COMPUTE = 4;
const READ = 1;

/** One shard's kernel on a device: compiled, bound, dispatched and read. */
export class Kernel {
  readonly #device: GPUDevice;
  readonly #job: ChildJob;
  #lost: string | undefined;
  #buffers: GPUBuffer[] = [];
  #uniform!: GPUBuffer;
  #counters!: GPUBuffer;
  #passes: { readonly pass: ChildPass; readonly layout: GPUBindGroupLayout; readonly pipeline: GPUComputePipeline }[] =
    [];
  /** Which buffer each name stands for now; passes that swap change it. */
  #places: number[];
  readonly #groups = new Map<string, GPUBindGroup>();

  constructor(device: GPUDevice, job: ChildJob) {
    this.#device = device;
    this.#job = job;
    this.#places = job.buffers.map((_, i) => i);
    void device.lost.then(({ message }) => (this.#lost = message));
  }

  /** Compiles the module and makes a pipeline of each pass. */
  async compile(code: string): Promise<void> {
    await this.#judged(async () => {
      const module = this.#device.createShaderModule({ code });
      const { messages } = await module.getCompilationInfo();
      const error = messages.find(({ type }) => type === 'error');
      if (error !== undefined) throw new Failure('module-rejected', 'job', sentenceOf(error.message));
      this.#passes = this.#job.passes.map((pass) => {
        const entries: GPUBindGroupLayoutEntry[] = [
          { binding: 0, visibility: COMPUTE, buffer: { type: 'uniform' } },
          ...pass.bind.map(({ binding, access }) => ({
            binding,
            visibility: COMPUTE,
            buffer: { type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
          })),
        ];
        const layout = this.#device.createBindGroupLayout({ entries });
        const pipeline = this.#device.createComputePipeline({
          layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
          compute: { module, entryPoint: pass.entry },
        });
        return { pass, layout, pipeline };
      });
    });
  }

  /** Makes the buffers; `fill` writes what they begin with. */
  async allocate(fill: (target: Uint8Array) => void): Promise<void> {
    await this.#judged(async () => {
      const use = USE.storage | USE.copyFrom | USE.copyTo;
      for (const { bytes, content } of this.#job.buffers) {
        this.#buffers.push(
          this.#buffer(bytes, use, content === 0 ? undefined : (all) => fill(all.subarray(0, content))),
        );
      }
      this.#uniform = this.#buffer(this.#job.uniform.length / 2, USE.uniform | USE.copyTo, (all) => {
        for (let i = 0; i < all.length; i += 1) all[i] = parseInt(this.#job.uniform.slice(2 * i, 2 * i + 2), 16);
      });
      // Every dispatch's round and step, copied into the uniform before it: no dispatch waits for this process.
      const counts = this.#dispatches;
      this.#counters = this.#buffer(counts * COUNTER_BYTES, USE.copyFrom, (all) => {
        const words = new Uint32Array(all.buffer, all.byteOffset, 2 * counts);
        let at = 0;
        for (const { round, step } of this.#steps()) {
          words[at] = round;
          words[at + 1] = step;
          at += 2;
        }
      });
    });
  }

  /** Dispatches everything in order. `onProgress` hears which share of the dispatches is done. */
  async run(onProgress: (share: number) => void): Promise<void> {
    await this.#judged(async () => {
      let encoder = this.#device.createCommandEncoder();
      const all = this.#dispatches * COUNTER_BYTES;
      let [dispatches, invocations, at] = [0, 0, 0];
      for (const { index } of this.#steps()) {
        const { pass, pipeline } = this.#passes[index]!;
        encoder.copyBufferToBuffer(this.#counters, at, this.#uniform, COUNTERS_AT, COUNTER_BYTES);
        at += COUNTER_BYTES;
        const compute = encoder.beginComputePass();
        compute.setPipeline(pipeline);
        compute.setBindGroup(0, this.#group(index));
        compute.dispatchWorkgroups(...pass.groups);
        compute.end();
        for (const [a, b] of pass.swap) {
          [this.#places[a], this.#places[b]] = [this.#places[b]!, this.#places[a]!];
        }
        dispatches += 1;
        invocations += pass.invocations;
        if (dispatches < BATCH.dispatches && invocations < BATCH.invocations) continue;
        this.#device.queue.submit([encoder.finish()]);
        await this.#device.queue.onSubmittedWorkDone();
        this.#check();
        onProgress(at / all);
        encoder = this.#device.createCommandEncoder();
        [dispatches, invocations] = [0, 0];
      }
      this.#device.queue.submit([encoder.finish()]);
    });
  }

  /** Hands the output's bytes to `take`, piece by piece. */
  async read(take: (piece: Uint8Array) => void): Promise<void> {
    await this.#judged(async () => {
      const staging = this.#buffer(STAGING_BYTES, USE.mapRead | USE.copyTo);
      for (const place of this.#job.output) {
        const { bytes } = this.#job.buffers[place]!;
        for (let from = 0; from < bytes; from += STAGING_BYTES) {
          const length = Math.min(STAGING_BYTES, bytes - from);
          const encoder = this.#device.createCommandEncoder();
          encoder.copyBufferToBuffer(this.#buffers[this.#places[place]!]!, from, staging, 0, length);
          this.#device.queue.submit([encoder.finish()]);
          await staging.mapAsync(READ, 0, length);
          this.#check();
          take(new Uint8Array(staging.getMappedRange(0, length)));
          staging.unmap();
        }
      }
    });
  }

  get #dispatches(): number {
    return this.#job.passes.reduce((sum, { repeat }) => sum + repeat, 0) * this.#job.rounds;
  }

  /** Every dispatch in order: the pass, the round, and how often the pass was repeated in it. */
  *#steps(): Generator<{ readonly index: number; readonly round: number; readonly step: number }> {
    for (let round = 0; round < this.#job.rounds; round += 1) {
      for (const [index, { repeat }] of this.#job.passes.entries()) {
        for (let step = 0; step < repeat; step += 1) yield { index, round, step };
      }
    }
  }

  #buffer(size: number, usage: number, fill?: (all: Uint8Array) => void): GPUBuffer {
    const buffer = this.#device.createBuffer({ size, usage, mappedAtCreation: fill !== undefined });
    if (fill !== undefined) {
      fill(new Uint8Array(buffer.getMappedRange()));
      buffer.unmap();
    }
    return buffer;
  }

  #group(index: number): GPUBindGroup {
    const { pass, layout } = this.#passes[index]!;
    const places = pass.bind.map(({ buffer }) => this.#places[buffer]!);
    const key = `${index}:${places.join()}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      const entries = pass.bind.map(({ binding }, i) => ({
        binding,
        resource: { buffer: this.#buffers[places[i]!]! },
      }));
      group = this.#device.createBindGroup({
        layout,
        entries: [{ binding: 0, resource: { buffer: this.#uniform } }, ...entries],
      });
      this.#groups.set(key, group);
    }
    return group;
  }

  #check(): void {
    if (this.#lost !== undefined) throw new Failure('device-lost', 'machine', `the device was lost: ${this.#lost}`);
  }

  /** Runs `action` and turns what the device says of it into a failure: invalid is the job's fault, all else this machine's. */
  async #judged(action: () => Promise<void>): Promise<void> {
    const scopes = ['internal', 'out-of-memory', 'validation'] as const;
    for (const scope of scopes) this.#device.pushErrorScope(scope);
    let thrown: unknown;
    try {
      await action();
    } catch (error) {
      thrown = error;
    }
    const [invalid, memory, internal] = [
      await this.#device.popErrorScope(),
      await this.#device.popErrorScope(),
      await this.#device.popErrorScope(),
    ];
    if (thrown instanceof Failure) throw thrown;
    if (memory) throw new Failure('out-of-memory', 'machine', 'the device has not the memory that the spec asks for');
    if (internal) throw new Failure('device-lost', 'machine', `the driver failed: ${sentenceOf(internal.message)}`);
    if (invalid) throw new Failure('module-rejected', 'job', sentenceOf(invalid.message));
    this.#check();
    if (thrown !== undefined) throw new Failure('sandbox', 'machine', `the runtime failed: ${String(thrown)}`);
  }
}

/** What the compiler or the device said, on one line. */
function sentenceOf(message: string): string {
  return message
    .replace(/^\s*Shader '' parsing error: /, '')
    .replaceAll(/[─│┌═╭╰]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
