// A loaded model, seen from the caller's thread: checks inputs, sends the run to the worker, wraps the results.

import { RuntimeError } from '../core/errors.js';
import type { Channel } from './channel.js';
import { checkInputs, describeInputs, type RunInputs } from './check-inputs.js';
import type { TensorInfo } from './graph/index.js';
import type { WireInput, WireOutput } from './protocol.js';
import { encodeCopies, type HostTensor, type RunInput, type TensorHandle } from './tensors.js';

/** What a run gives back, and what stays in the worker. */
export interface RunOptions {
  /** Outputs to compute and give back. @default all */
  readonly outputs?: readonly string[];
  /** Those of them that stay in the worker; the caller disposes of their handles. @default none */
  readonly keep?: readonly string[];
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
    if (data instanceof Float32Array) return data;
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
    if (!found)
      throw new RuntimeError(
        `${this.label} gave no output ${name}; it gave ${[...this.outputs.keys()].join(', ')}.`,
      );
    return found;
  }
}

/** What a session needs of its runtime. */
export interface SessionHost {
  readonly channel: Channel;
  newTensorId(): number;
  handle(id: number, type: TensorHandle['type'], dims: readonly number[]): TensorHandle;
  released(session: Session): void;
}

/** A loaded model. Runs are worked off in the order of their calls; many may be under way. */
export class Session {
  readonly id: number;
  readonly name: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  private readonly host: SessionHost;
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
  }

  /**
   * Runs the model. Arrays of host tensors are copied and can be used again at once. Rejects with RuntimeError that tells
   * every wrong input, or on a failure in the engine the types and shapes of all inputs.
   */
  async run(inputs: RunInputs, options: RunOptions = {}): Promise<RunResult> {
    if (this.disposed) throw new RuntimeError(`Session ${this.name} has been disposed of.`);
    this.host.channel.check();
    checkInputs(this.name, this.inputs, inputs);
    const outputs = options.outputs ?? this.outputs.map((output) => output.name);
    const keep = (options.keep ?? []).map((name) => [name, this.host.newTensorId()] as const);
    this.checkOutputs(outputs, keep);
    const wired = Object.entries(inputs).map(([name, input]): WireInput => [name, wire(input)]);
    try {
      const request = { kind: 'run' as const, session: this.id, inputs: wired, outputs, keep };
      const reply = await this.host.channel.ask(request);
      if (reply.kind !== 'ran') throw new RuntimeError(`unexpected reply ${reply.kind}`);
      const found = reply.outputs.map(([name, output]) => [name, this.unwire(output)] as const);
      return new RunResult(`Session ${this.name}`, new Map(found), reply.milliseconds);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
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

  private unwire(output: WireOutput): HostTensor | TensorHandle {
    return 'id' in output ? this.host.handle(output.id, output.type, output.dims) : output;
  }

  private checkOutputs(outputs: readonly string[], keep: readonly (readonly [string, number])[]): void {
    const known = new Set(this.outputs.map((output) => output.name));
    const unknown = [...outputs, ...keep.map(([name]) => name)].filter((name) => !known.has(name));
    if (unknown.length > 0) {
      throw new RuntimeError(
        `Session ${this.name} has no output ${unknown.join(', ')}; it has ${[...known].join(', ')}.`,
      );
    }
    const idle = keep.filter(([name]) => !outputs.includes(name));
    if (idle.length > 0) {
      throw new RuntimeError(
        `Session ${this.name}: keep names ${idle.map(([name]) => name).join(', ')}, outputs does not.`,
      );
    }
  }
}

function wire(input: RunInput): WireInput[1] {
  if ('id' in input) return input.id;
  if ('parts' in input) return { dims: input.dims, copies: encodeCopies(input) };
  const { type, dims, data } = input;
  // A message carries the whole buffer under a view: copy a part of a larger one first.
  const own = data.byteLength === data.buffer.byteLength && data.buffer instanceof ArrayBuffer;
  return { type, dims, data: own ? data : data.slice() };
}
