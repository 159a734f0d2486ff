// The messages between a runtime and its worker. Requests travel in batches, one message for all that was asked for in one
// turn of the event loop; ids of sessions and tensors are given out by the runtime, so that most requests need no reply.

import type { ElementType, TensorData, TensorInfo } from './graph/index.js';

/** Options of a session that reach the engine. */
export interface EngineOptions {
  readonly threads: number;
  readonly spinning: boolean;
  readonly arena: boolean;
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
  readonly dims: readonly number[];
  readonly copies: Float64Array;
}

/** An input of a run in a message: elements, the id of a tensor in the worker, or an assembly. */
export type WireInput = readonly [name: string, value: WireTensor | WireAssembly | number];

/** One thing that the worker is asked to do. */
export type Request =
  | {
      readonly kind: 'load';
      readonly call: number;
      readonly session: number;
      readonly model: ModelPayload;
      readonly options: EngineOptions;
    }
  | {
      readonly kind: 'run';
      readonly call: number;
      readonly session: number;
      readonly inputs: readonly WireInput[];
      readonly outputs: readonly string[];
      /** Outputs that stay in the worker, with the ids that they get. */
      readonly keep: readonly (readonly [name: string, id: number])[];
    }
  | { readonly kind: 'assemble'; readonly id: number; readonly assembly: WireAssembly }
  | { readonly kind: 'drop'; readonly ids: number[] }
  | { readonly kind: 'release'; readonly session: number }
  | { readonly kind: 'read'; readonly call: number; readonly id: number }
  | { readonly kind: 'upload'; readonly id: number; readonly tensor: WireTensor }
  | { readonly kind: 'stats'; readonly call: number }
  | { readonly kind: 'close' };

/** An output of a run: elements, or type and dims of what stayed in the worker. */
export type WireOutput =
  WireTensor | { readonly type: ElementType; readonly dims: readonly number[]; readonly id: number };

/** What the worker holds and has done. */
export interface RuntimeStats {
  readonly sessions: number;
  /** Tensors kept in the worker. */
  readonly tensors: number;
  /** Bytes of those tensors. */
  readonly bytes: number;
  /** Runs since the runtime was made. */
  readonly runs: number;
}

/** The results of requests that have a `call` number. */
export type Reply =
  | {
      readonly call: number;
      readonly kind: 'loaded';
      readonly inputs: TensorInfo[];
      readonly outputs: TensorInfo[];
    }
  | {
      readonly call: number;
      readonly kind: 'ran';
      readonly outputs: readonly (readonly [name: string, output: WireOutput])[];
      /** Time in the engine. */
      readonly milliseconds: number;
    }
  | { readonly call: number; readonly kind: 'tensor'; readonly tensor: WireTensor }
  | { readonly call: number; readonly kind: 'stats'; readonly stats: RuntimeStats }
  | { readonly call: number; readonly kind: 'failed'; readonly message: string };
