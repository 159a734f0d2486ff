// What the runtime's worker can be asked for. Ids of sessions and tensors are given out by the runtime, so that most
// requests need no reply. A run has dozens of inputs and outputs: numbers in typed arrays instead of objects make its
// messages four times cheaper.

import type { Device, DeviceFound } from './devices.js';
import type { ElementType, TensorData, TensorInfo } from './graph/index.js';
import type { AssemblyType } from './tensors.js';

/** Options of a session that reach the engine. */
export interface EngineOptions {
  readonly device: Device;
  readonly threads: number;
  readonly spinning: boolean;
  readonly arena: boolean;
  /** Lay weights out anew for the kernels when the model is loaded. */
  readonly prepack: boolean;
  readonly profile?: string;
}

/** An `.onnx` model: its bytes with the files of external weights in shared memory, or the path of a file. */
export type ModelPayload =
  | {
      readonly proto: Uint8Array;
      readonly files: readonly { readonly path: string; readonly data: Uint8Array }[];
    }
  | { readonly path: string };

/** A tensor in a message. */
export interface WireTensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** An assembly in a message: dims, and COPY_FIELDS numbers a copy. */
export interface WireAssembly {
  readonly type: AssemblyType;
  readonly dims: readonly number[];
  readonly copies: Float64Array;
}

/** In place of a tensor's id: the output goes back to the caller. */
export const GIVE_BACK = -1;

/** One run of a session. */
export interface RunRequest {
  readonly session: number;
  /** Pairs of an input's number and the id of a tensor in the worker. */
  readonly handles: Int32Array;
  /** The other inputs by their numbers. */
  readonly values: readonly (readonly [input: number, value: WireTensor | WireAssembly])[];
  /** Pairs of an output's number and the id that it gets in the worker, or GIVE_BACK. */
  readonly outputs: Int32Array;
  readonly joined: readonly WireJoined[];
}

/** Outputs that are written one behind the other, as one tensor. */
export interface WireJoined {
  /** Of that tensor in the worker. */
  readonly id: number;
  readonly type: AssemblyType;
  /** Of each output. */
  readonly dims: readonly number[];
  /** Their numbers. */
  readonly outputs: Int32Array;
}

/** The results of a run. */
export interface RunReply {
  /** Rank and dims of every output that was asked for, one behind the other. */
  readonly shapes: Int32Array;
  /** Elements of those that were to be given back. */
  readonly data: readonly TensorData[];
  /** Time in the engine. */
  readonly milliseconds: number;
}

/** What the worker holds and has done. */
export interface RuntimeStats {
  readonly sessions: number;
  /** Tensors kept in the worker. */
  readonly tensors: number;
  /** Bytes of those tensors. */
  readonly bytes: number;
  /** Bytes of the memory that assembled inputs are put together in, which sessions keep for their next run. */
  readonly scratchBytes: number;
  /** Runs since the runtime was made. */
  readonly runs: number;
}

/** The methods of the worker. */
export interface EngineMethods {
  load(request: {
    readonly session: number;
    readonly model: ModelPayload;
    readonly options: EngineOptions;
  }): { readonly inputs: TensorInfo[]; readonly outputs: TensorInfo[] };
  run(request: RunRequest): RunReply;
  /** Whether a device can be used, tried out. */
  probe(request: { readonly device: Device }): DeviceFound;
  read(request: { readonly id: number }): WireTensor;
  stats(): RuntimeStats;
  // Told, not called:
  assemble(request: { readonly id: number; readonly assembly: WireAssembly }): void;
  upload(request: { readonly id: number; readonly tensor: WireTensor }): void;
  drop(request: { readonly ids: number[] }): void;
  release(request: { readonly session: number }): void;
}
