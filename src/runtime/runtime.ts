// The runtime: one worker thread with ONNX Runtime in it, the sessions and the tensors that live there.

import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { RuntimeError } from '../core/errors.js';
import { Channel } from './channel.js';
import type { GraphModel } from './graph/index.js';
import { saveModel, weightsInMemory } from './model-files.js';
import type { ModelPayload, RuntimeStats } from './protocol.js';
import { Session, type SessionHost } from './session.js';
import { type Assembly, encodeCopies, type HostTensor, type TensorHandle } from './tensors.js';

/** Options of a runtime. */
export interface RuntimeOptions {
  /** Threads of the engine. @default the number of cores */
  readonly threads?: number;
  /**
   * Let the engine's threads spin for a moment while they wait for work: faster for small models, but it takes the cores
   * from everybody else. @default false
   */
  readonly spinning?: boolean;
}

/** Options of one session. */
export interface LoadOptions {
  /** Weights beyond this many bytes go through files on their way to the engine. @default 1 GiB */
  readonly memoryLimit?: number;
  /** Folder for those files; a temporary one is made there and removed after loading. @default the system's */
  readonly temporaryFolder?: string;
  /** Keep memory for the next run instead of giving it back. @default true */
  readonly arena?: boolean;
  /** Write the engine's profile (a JSON trace) to files with this path prefix when the session is disposed of. */
  readonly profile?: string;
}

/** An `.onnx` file that somebody else made. */
export interface OnnxFile {
  readonly name: string;
  readonly path: string;
}

const DEFAULT_MEMORY_LIMIT = 2 ** 30;

class Handle implements TensorHandle {
  readonly id: number;
  readonly type: TensorHandle['type'];
  readonly dims: readonly number[];
  private readonly drop: (id: number) => void;
  private gone = false;

  constructor(id: number, type: TensorHandle['type'], dims: readonly number[], drop: (id: number) => void) {
    this.id = id;
    this.type = type;
    this.dims = dims;
    this.drop = drop;
  }

  get disposed(): boolean {
    return this.gone;
  }

  dispose(): void {
    if (this.gone) return;
    this.gone = true;
    this.drop(this.id);
  }
}

/** Runs models in a worker thread. Close it when done; sessions and tensors end with it. */
export class Runtime {
  readonly threads: number;
  private readonly channel: Channel;
  private readonly spinning: boolean;
  private readonly host: SessionHost;
  private sessionIds = 0;
  private tensorIds = 0;

  constructor(channel: Channel, options: Required<RuntimeOptions>) {
    this.channel = channel;
    this.threads = options.threads;
    this.spinning = options.spinning;
    this.host = {
      channel,
      newTensorId: () => this.tensorIds++,
      handle: (id, type, dims) => this.newHandle(id, type, dims),
      released: (session) => {
        if (channel.isOpen) channel.tell({ kind: 'release', session: session.id });
      },
    };
  }

  /** Loads a model that the graph builder made, or an `.onnx` file. The caller disposes of the session. */
  async load(model: GraphModel | OnnxFile, options: LoadOptions = {}): Promise<Session> {
    this.channel.check();
    if (!('proto' in model)) return this.loadPayload(model.name, { path: model.path }, options);
    if (model.weightBytes <= (options.memoryLimit ?? DEFAULT_MEMORY_LIMIT)) {
      const files = await weightsInMemory(model);
      return this.loadPayload(model.name, { proto: model.proto, files }, options);
    }
    const folder = await mkdtemp(join(options.temporaryFolder ?? tmpdir(), 'varsearch-'));
    try {
      return await this.loadPayload(model.name, { path: await saveModel(model, folder) }, options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Puts a tensor together in the worker; wrong copies are an error at once. The caller disposes of the handle. */
  assemble(assembly: Assembly): TensorHandle {
    this.channel.check();
    const copies = encodeCopies(assembly);
    const id = this.tensorIds++;
    this.channel.tell({ kind: 'assemble', id, assembly: { dims: assembly.dims, copies } });
    return this.newHandle(id, assembly.type, assembly.dims);
  }

  /** Copies a tensor of this thread to the worker, for many runs to use. The caller disposes of the handle. */
  upload(tensor: HostTensor): TensorHandle {
    this.channel.check();
    const id = this.tensorIds++;
    const data = tensor.data.slice();
    this.channel.tell({ kind: 'upload', id, tensor: { type: tensor.type, dims: tensor.dims, data } }, [
      data.buffer,
    ]);
    return this.newHandle(id, tensor.type, tensor.dims);
  }

  /** Copies a tensor of the worker to this thread. */
  async read(handle: TensorHandle): Promise<HostTensor> {
    if (handle.disposed) throw new RuntimeError(`The tensor ${handle.id} has been disposed of.`);
    const reply = await this.channel.ask({ kind: 'read', id: handle.id });
    if (reply.kind !== 'tensor') throw new RuntimeError(`Unexpected reply ${reply.kind}.`);
    return reply.tensor;
  }

  /** What the worker holds now and how much it has run, counted there after all calls made before. */
  async stats(): Promise<RuntimeStats> {
    const reply = await this.channel.ask({ kind: 'stats' });
    if (reply.kind !== 'stats') throw new RuntimeError(`Unexpected reply ${reply.kind}.`);
    return reply.stats;
  }

  /** Waits for the calls under way and ends the worker. Later calls are errors; a second close does nothing. */
  async close(): Promise<void> {
    await this.channel.close();
  }

  private async loadPayload(name: string, model: ModelPayload, options: LoadOptions): Promise<Session> {
    const id = this.sessionIds++;
    const engine = {
      threads: this.threads,
      spinning: this.spinning,
      arena: options.arena ?? true,
      ...(options.profile === undefined ? {} : { profile: options.profile }),
    };
    try {
      const reply = await this.channel.ask({ kind: 'load', session: id, model, options: engine });
      if (reply.kind !== 'loaded') throw new RuntimeError(`unexpected reply ${reply.kind}`);
      return new Session(this.host, id, name, reply.inputs, reply.outputs);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new RuntimeError(`Model ${name} cannot be loaded: ${message}`, { cause });
    }
  }

  private newHandle(id: number, type: TensorHandle['type'], dims: readonly number[]): TensorHandle {
    return new Handle(id, type, dims, (dead) => {
      if (this.channel.isOpen) this.channel.drop(dead);
    });
  }
}

/** Starts a runtime. */
export function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const threads = options.threads ?? availableParallelism();
  if (!Number.isInteger(threads) || threads < 1) {
    return Promise.reject(new RangeError(`threads has to be a whole number from 1 on, not ${threads}.`));
  }
  return Promise.resolve(new Runtime(new Channel(), { threads, spinning: options.spinning ?? false }));
}
