// The runtime: one worker with ONNX Runtime in it, a child process or a thread, and the sessions and tensors that live there.

import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { RuntimeError } from '../core/errors.js';
import { isError } from '../core/realm.js';
import { GraphCache, graphCacheFolder } from './cache/graph-cache.js';
import {
  chooseDevice,
  type ChosenDevice,
  CPU,
  type Device,
  type DeviceChoice,
  type DeviceFound,
  DEVICES,
} from './devices.js';
import type { GraphModel } from './graph/index.js';
import { saveModel, weightsInMemory } from './model-files.js';
import type { EngineMethods, ModelPayload, RuntimeStats } from './protocol.js';
import { type Carrier, elsewhere, Line } from './rpc/index.js';
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
  /** What computes. A GPU that is asked for and cannot be used is an error; `auto` takes what can be. @default cpu */
  readonly device?: DeviceChoice | undefined;
  /** What the engine lives in. @default that of VARSEARCH_ENGINE, or a thread */
  readonly carrier?: Carrier | undefined;
  /** Where large models are kept ready for the next start; null for nowhere. @default the user's cache */
  readonly cache?: GraphCache | null | undefined;
  /**
   * Up to this many bytes the engine lays the weights of a model out anew for its kernels when it is loaded, which takes time and
   * a copy of them in memory. Larger models are used as they lie in their mapped file, some hundredths slower, and a quarter
   * where there are few rows. The last bits of
   * results differ between the two, so that this is decided by the model alone, wherever it comes from. @default 2 GiB, 64 MiB for
   * what runs once a prompt
   */
  readonly prepackedUpTo?: number;
  /** Write every session's profile as `LoadOptions.profile` does, with this prefix and the model's name. @default none */
  readonly profile?: string | undefined;
}

/** Options of one session. */
interface LoadOptions {
  /** Weights beyond this many bytes go through files on their way to the engine. @default 1 GiB, 256 MiB to a process */
  readonly memoryLimit?: number;
  /**
   * The checkpoint that all weights are read from, as its reader calls it: with it, a large model is converted once and kept
   * in the cache of ready graphs. Everything that decides a weight's elements has to be in this file or in the graph.
   */
  readonly checkpoint?: string;
  /** Runs about once a prompt, so that laying its weights out anew would take longer than it saves. @default false */
  readonly seldom?: boolean;
  /** Folder for those files; a temporary one is made there and removed after loading. @default the system's */
  readonly temporaryFolder?: string;
  /** Keep memory for the next run instead of giving it back. @default true */
  readonly arena?: boolean;
  /** Write the engine's profile (a JSON trace) to files with this path prefix when the session is disposed of. */
  readonly profile?: string;
}

/** An `.onnx` file that somebody else made. */
interface OnnxFile {
  readonly name: string;
  readonly path: string;
}

/** In memory that is shared; a process gets a copy, made out of others on its way. */
const SHARED_MEMORY_LIMIT = 2 ** 30;
const COPIED_MEMORY_LIMIT = 2 ** 28;
const PREPACKED_UP_TO = 2 ** 31;
const SELDOM_PREPACKED_UP_TO = 2 ** 26;

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

/** Runs models in a worker. Close it when done; sessions and tensors end with it. */
export class Runtime {
  readonly threads: number;
  /** What computes here. */
  readonly device: Device;
  /** Whether it computes in 16-bit floating point, by itself or by turning weights to float32 when they are loaded. */
  readonly float16: boolean;
  /** Where a device was chosen: which, and why none before it, in one line; null where nothing was asked for. */
  readonly deviceWords: string | null;
  private readonly fusedAttention: boolean;
  private readonly line: Line<EngineMethods>;
  private readonly spinning: boolean;
  private readonly host: SessionHost;
  private readonly cache: GraphCache | null;
  private readonly prepackedUpTo: number;
  private readonly profile: string | undefined;
  private sessionIds = 0;
  private tensorIds = 0;

  constructor(
    line: Line<EngineMethods>,
    options: Required<Pick<RuntimeOptions, 'threads' | 'spinning' | 'prepackedUpTo'>> & {
      readonly cache: GraphCache | null;
      readonly device: ChosenDevice;
      readonly profile?: string | undefined;
    },
  ) {
    this.line = line;
    this.device = options.device.device;
    this.float16 = options.device.float16;
    this.deviceWords = options.device.words;
    this.fusedAttention = options.device.fusedAttention;
    this.cache = options.cache;
    this.prepackedUpTo = options.prepackedUpTo;
    this.profile = options.profile;
    this.threads = options.threads;
    this.spinning = options.spinning;
    this.host = {
      line,
      newTensorId: () => this.tensorIds++,
      handle: (id, type, dims) => this.newHandle(id, type, dims),
      released: (session) => {
        line.tell('release', { session: session.id });
      },
    };
  }

  /** Loads a model that the graph builder made, or an `.onnx` file. The caller disposes of the session. */
  async load(given: GraphModel | OnnxFile, options: LoadOptions = {}): Promise<Session> {
    this.line.check();
    if (!('proto' in given)) return this.loadPayload(given.name, { path: resolve(given.path) }, options);
    const model = this.fusedAttention ? given : (given.unfused?.() ?? given);
    const { checkpoint } = options;
    const most = options.seldom === true ? SELDOM_PREPACKED_UP_TO : PREPACKED_UP_TO;
    const prepack = model.weightBytes <= Math.min(most, this.prepackedUpTo);
    if (checkpoint !== undefined && this.cache && model.weightBytes >= this.cache.from) {
      const path = await this.cache.ready(model, checkpoint);
      return this.loadPayload(model.name, { path }, options, prepack);
    }
    const limit = this.line.shares ? SHARED_MEMORY_LIMIT : COPIED_MEMORY_LIMIT;
    if (model.weightBytes <= (options.memoryLimit ?? limit)) {
      const files = await weightsInMemory(model);
      return this.loadPayload(model.name, { proto: model.proto, files }, options, prepack);
    }
    const folder = await mkdtemp(join(options.temporaryFolder ?? tmpdir(), 'varsearch-'));
    try {
      return await this.loadPayload(model.name, { path: await saveModel(model, folder) }, options, prepack);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Puts a tensor together in the worker; wrong copies are an error at once. The caller disposes of the handle. */
  assemble(assembly: Assembly): TensorHandle {
    this.line.check();
    const copies = encodeCopies(assembly);
    const id = this.tensorIds++;
    const { type, dims } = assembly;
    this.line.tell('assemble', { id, assembly: { type, dims, copies } });
    return this.newHandle(id, type, dims);
  }

  /** Copies a tensor of this thread to the worker, for many runs to use. The caller disposes of the handle. */
  upload(tensor: HostTensor): TensorHandle {
    this.line.check();
    const id = this.tensorIds++;
    const data = tensor.data.slice();
    this.line.tell('upload', { id, tensor: { type: tensor.type, dims: tensor.dims, data } }, [data.buffer]);
    return this.newHandle(id, tensor.type, tensor.dims);
  }

  /** Copies a tensor of the worker to this thread. */
  async read(handle: TensorHandle): Promise<HostTensor> {
    if (handle.disposed) throw new RuntimeError(`The tensor ${handle.id} has been disposed of.`);
    return this.line.call('read', { id: handle.id });
  }

  /** What the worker holds now and how much it has run, counted there after all calls made before. */
  async stats(): Promise<RuntimeStats> {
    return this.line.call('stats');
  }

  /** Whether the worker has broken down, such as a process that was ended: nothing works any more, and only `close` is left. */
  get isBroken(): boolean {
    return this.line.isBroken;
  }

  /** Waits for the calls under way and ends the worker. Later calls are errors; a second close does nothing. */
  async close(): Promise<void> {
    await this.line.close();
  }

  private async loadPayload(
    name: string,
    model: ModelPayload,
    options: LoadOptions,
    prepack = true,
  ): Promise<Session> {
    const id = this.sessionIds++;
    const profile = options.profile ?? (this.profile === undefined ? undefined : `${this.profile}${name}`);
    const engine = {
      device: this.device,
      threads: this.threads,
      spinning: this.spinning,
      arena: options.arena ?? true,
      prepack,
      ...(profile === undefined ? {} : { profile: resolve(profile) }),
    };
    try {
      const { inputs, outputs } = await this.line.call('load', { session: id, model, options: engine });
      return new Session(this.host, id, name, inputs, outputs);
    } catch (cause) {
      const message = isError(cause) ? cause.message : String(cause);
      throw new RuntimeError(`Model ${name} cannot be loaded: ${message}`, { cause });
    }
  }

  private newHandle(id: number, type: TensorHandle['type'], dims: readonly number[]): TensorHandle {
    return new Handle(id, type, dims, (dead) => {
      const last = this.line.unsent('drop');
      if (last) last.ids.push(dead);
      else this.line.tell('drop', { ids: [dead] });
    });
  }
}

/** The most threads of an engine: the largest machines have some hundreds of cores, and each thread takes half a megabyte. */
export const MOST_THREADS = 1024;

/** The worker of a new runtime. */
function startLine(carrier?: Carrier): Line<EngineMethods> {
  return new Line<EngineMethods>(elsewhere(import.meta.url, 'worker', carrier), {
    worker: 'The engine',
    closed: 'The runtime has been closed; create a new one.',
    remedy: 'Create a new runtime.',
  });
}

/** What becomes of every device but the CPU here, tried out. */
export async function findDevices(): Promise<ReadonlyMap<Device, DeviceFound>> {
  const line = startLine();
  try {
    const found = new Map<Device, DeviceFound>();
    for (const device of DEVICES) {
      if (device !== 'cpu') found.set(device, await line.call('probe', { device }));
    }
    return found;
  } finally {
    await line.close();
  }
}

/** Starts a runtime. Rejects with UsageError where the device that is asked for cannot be used. */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const threads = options.threads ?? Math.min(availableParallelism(), MOST_THREADS);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw new RangeError(`threads has to be a whole number from 1 to ${MOST_THREADS}, not ${threads}.`);
  }
  const line = startLine(options.carrier);
  const folder = graphCacheFolder();
  const usual = folder === null ? null : new GraphCache(folder);
  const cache = options.cache === undefined ? usual : options.cache;
  const { spinning = false, prepackedUpTo = Infinity, device: asked = 'cpu', profile } = options;
  try {
    const device =
      asked === 'cpu' ? CPU : await chooseDevice(asked, (each) => line.call('probe', { device: each }));
    return new Runtime(line, { threads, spinning, prepackedUpTo, cache, device, profile });
  } catch (error) {
    await line.close();
    throw error;
  }
}
