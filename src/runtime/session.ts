// A loaded model, seen from the caller's thread: checks inputs, sends the run to the worker, wraps the results.

import { RuntimeError } from '../core/errors.js';
import { noteWaiting } from '../core/ledger.js';
import { isArrayOf, isError } from '../core/realm.js';
import { checkInputs, describeInputs, type RunInputs } from './check-inputs.js';
import type { TensorData, TensorInfo } from './graph/index.js';
import {
  type EngineMethods,
  GIVE_BACK,
  type RunReply,
  type RunRequest,
  type WireAssembly,
  type WireJoined,
  type WireTensor,
} from './protocol.js';
import type { Line } from './rpc/index.js';
import {
  type AssemblyType,
  encodeCopies,
  type HostTensor,
  type RunInput,
  type TensorHandle,
} from './tensors.js';

/** From this size on it is cheaper to hand a buffer over than to let the message copy it once more. */
const TRANSFER_BYTES = 16_384;

/** What a run gives back, and what stays in the worker. */
interface RunOptions {
  /** Outputs to compute and give back. @default all */
  readonly outputs?: readonly string[];
  /** Those of them that stay in the worker; the caller disposes of their handles. @default none */
  readonly keep?: readonly string[];
  /** Others that stay there one behind the other, as one tensor; the caller disposes of its handle. @default none */
  readonly joined?: readonly JoinedOutputs[];
}

/** Outputs of one type and shape that are written into one tensor, [count, ...dims]: it is there once, and in one piece. */
export interface JoinedOutputs {
  /** By which the tensor is asked for. */
  readonly name: string;
  readonly type: AssemblyType;
  /** Of each output. */
  readonly dims: readonly number[];
  readonly outputs: readonly string[];
}

/** The outputs of one run. */
export class RunResult {
  /** Time in the engine, without messages. */
  readonly milliseconds: number;
  private readonly label: string;
  private readonly outputs: ReadonlyMap<string, HostTensor | TensorHandle>;

  constructor(label: string, outputs: ReadonlyMap<string, HostTensor | TensorHandle>, milliseconds: number) {
    this.label = label;
    this.outputs = outputs;
    this.milliseconds = milliseconds;
  }

  /** An output in this thread; throws when there is none of that name, or when it was kept in the worker. */
  tensor(name: string): HostTensor {
    const found = this.find(name);
    if ('data' in found) return found;
    throw new RuntimeError(
      `Output ${name} of ${this.label} was kept in the worker: ask for kept('${name}').`,
    );
  }

  /** The elements of a float32 output in this thread. */
  float32(name: string): Float32Array {
    const { data, type } = this.tensor(name);
    if (isArrayOf('Float32Array', data)) return data;
    throw new RuntimeError(`Output ${name} of ${this.label} is ${type}, not float32.`);
  }

  /** The handle of an output that was kept in the worker; throws when it was not. */
  kept(name: string): TensorHandle {
    const found = this.find(name);
    if (!('data' in found)) return found;
    throw new RuntimeError(`Output ${name} of ${this.label} was not kept: name it in the run's keep option.`);
  }

  private find(name: string): HostTensor | TensorHandle {
    const found = this.outputs.get(name);
    if (!found) {
      throw new RuntimeError(
        `${this.label} gave no output ${name}; it gave ${[...this.outputs.keys()].join(', ')}.`,
      );
    }
    return found;
  }
}

/** What a session needs of its runtime. */
export interface SessionHost {
  readonly line: Line<EngineMethods>;
  newTensorId(): number;
  handle(id: number, type: TensorHandle['type'], dims: readonly number[]): TensorHandle;
  released(session: Session): void;
}

/** When each engine's last run was done. */
const lastDone = new WeakMap<SessionHost, number>();

/** A loaded model. Runs are worked off in the order of their calls; many may be under way. */
export class Session {
  readonly id: number;
  readonly name: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  private readonly host: SessionHost;
  private readonly outputNumbers: ReadonlyMap<string, number>;
  private disposed = false;

  constructor(
    host: SessionHost,
    id: number,
    name: string,
    inputs: readonly TensorInfo[],
    outputs: readonly TensorInfo[],
  ) {
    this.host = host;
    this.id = id;
    this.name = name;
    this.inputs = inputs;
    this.outputs = outputs;
    this.outputNumbers = new Map(outputs.map(({ name }, number) => [name, number]));
  }

  /**
   * Runs the model. Arrays of host tensors are copied and can be used again at once. Rejects with RuntimeError that tells
   * every wrong input, or on a failure in the engine the types and shapes of all inputs.
   */
  async run(inputs: RunInputs, options: RunOptions = {}): Promise<RunResult> {
    if (this.disposed) throw new RuntimeError(`Session ${this.name} has been disposed of.`);
    this.host.line.check();
    checkInputs(this.name, this.inputs, inputs);
    const outputs = this.numberOutputs(options);
    const joined = (options.joined ?? []).map((each) => this.numberJoined(each));
    try {
      const transfer: ArrayBuffer[] = [];
      const wired = this.wireInputs(inputs, transfer);
      const sent = performance.now();
      const reply = await this.host.line.call(
        'run',
        { session: this.id, outputs, joined, ...wired },
        { transfer },
      );
      // The engine works calls off in their order: it came to this one when the one before was done.
      const before = lastDone.get(this.host) ?? 0;
      noteWaiting(Math.max(0, before - sent));
      lastDone.set(this.host, performance.now());
      const found = this.unwire(outputs, reply);
      options.joined?.forEach(({ name }, i) => {
        const { id, type, dims, outputs } = joined[i] as WireJoined;
        found.set(name, this.host.handle(id, type, [outputs.length, ...dims]));
      });
      return new RunResult(`Session ${this.name}`, found, reply.milliseconds);
    } catch (cause) {
      // The inputs have no part in the end of the whole engine.
      if (this.host.line.isBroken) throw cause;
      const message = isError(cause) ? cause.message : String(cause);
      throw new RuntimeError(`Session ${this.name} failed: ${message} Inputs: ${describeInputs(inputs)}.`, {
        cause,
      });
    }
  }

  /** Frees the model once all calls made before are done; a second call does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.host.released(this);
  }

  private wireInputs(inputs: RunInputs, transfer: ArrayBuffer[]): Pick<RunRequest, 'handles' | 'values'> {
    const handles: number[] = [];
    const values: [number, WireTensor | WireAssembly][] = [];
    this.inputs.forEach(({ name }, number) => {
      const input = inputs[name] as RunInput; // checked before
      if ('id' in input) handles.push(number, input.id);
      else values.push([number, wire(input, transfer)]);
    });
    return { handles: Int32Array.from(handles), values };
  }

  /** Pairs of an output's number and the id that it gets in the worker. */
  private numberOutputs(options: RunOptions): Int32Array {
    const outputs = options.outputs ?? [...this.outputNumbers.keys()];
    const keep = options.keep ?? [];
    const unknown = [...outputs, ...keep].filter((name) => !this.outputNumbers.has(name));
    if (unknown.length > 0) {
      const known = [...this.outputNumbers.keys()].join(', ');
      throw new RuntimeError(`Session ${this.name} has no output ${unknown.join(', ')}; it has ${known}.`);
    }
    const kept = new Set(keep);
    const pairs = outputs.flatMap((name) => [
      this.outputNumbers.get(name) as number,
      kept.delete(name) ? this.host.newTensorId() : GIVE_BACK,
    ]);
    if (kept.size > 0) {
      throw new RuntimeError(`Session ${this.name}: keep names ${[...kept].join(', ')}, outputs does not.`);
    }
    return Int32Array.from(pairs);
  }

  private numberJoined({ type, dims, outputs }: JoinedOutputs): WireJoined {
    const numbers = outputs.map((name) => {
      const number = this.outputNumbers.get(name);
      if (number !== undefined && this.outputs[number]?.type === type) return number;
      throw new RuntimeError(`Session ${this.name} has no output ${name} of type ${type}.`);
    });
    return { id: this.host.newTensorId(), type, dims, outputs: Int32Array.from(numbers) };
  }

  private unwire(pairs: Int32Array, { shapes, data }: RunReply): Map<string, HostTensor | TensorHandle> {
    const found = new Map<string, HostTensor | TensorHandle>();
    let at = 0;
    let given = 0;
    for (let i = 0; i < pairs.length; i += 2) {
      const { name, type } = this.outputs[pairs[i] as number] as TensorInfo;
      const rank = shapes[at] as number;
      const dims = Array.from(shapes.subarray(at + 1, at + 1 + rank));
      at += 1 + rank;
      const id = pairs[i + 1] as number;
      const tensor = id === GIVE_BACK ? { type, dims, data: data[given++] as TensorData } : undefined;
      found.set(name, tensor ?? this.host.handle(id, type, dims));
    }
    return found;
  }
}

/** Host tensors are copied here, so that callers may use their arrays again at once; large copies move to the worker. */
function wire(input: Exclude<RunInput, TensorHandle>, transfer: ArrayBuffer[]): WireTensor | WireAssembly {
  if ('parts' in input) return { type: input.type, dims: input.dims, copies: encodeCopies(input) };
  const { type, dims } = input;
  const data = input.data.slice();
  if (data.byteLength >= TRANSFER_BYTES) transfer.push(data.buffer);
  return { type, dims, data };
}
