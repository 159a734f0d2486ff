// Element types and attributes of a graph, and the finished model that a session is loaded from.

import type { Dim } from './shapes.js';

/** Element types of tensors; inputs and outputs of a model use float32, int64, int32, uint8 and bool only. */
export type ElementType = 'float32' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool' | 'float16';

/** Typed arrays that hold a tensor's elements (bool in bytes of 0 and 1, float16 in its bits). */
export type TensorData = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array | Uint16Array;

/** In which numbers the large matrix products of a graph are computed. */
export const PRECISIONS = ['float32', 'float16', 'int8'] as const;

/** One of them. */
export type Precision = (typeof PRECISIONS)[number];

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
};

/** Name, element type and shape of a model's input or output. */
export interface TensorInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];
}

/** A weight that the model's bytes only refer to: where it lies in its file, and how to get its elements. */
export interface ExternalWeight {
  readonly name: string;
  /** Name of the external file; files are virtual until somebody writes them. */
  readonly file: string;
  /** Byte offset in the file. */
  readonly offset: number;
  readonly byteLength: number;
  read(): TensorData | Promise<TensorData>;
}

/** A finished model: ONNX bytes without the large weights, the weights, and what goes in and out. */
export interface GraphModel {
  readonly name: string;
  /** The `.onnx` bytes: small constants inside, every weight as external data. */
  readonly proto: Uint8Array;
  readonly weights: readonly ExternalWeight[];
  /** Bytes of all external weights together. */
  readonly weightBytes: number;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** The same for devices whose fused attention is wrong. @default nothing is fused in it */
  readonly unfused?: () => GraphModel;
}

/** Marks an attribute as a floating-point one; plain whole numbers become integer attributes. */
export class FloatAttribute {
  readonly values: number | readonly number[];

  constructor(values: number | readonly number[]) {
    this.values = values;
  }
}

/** Marks one number, or a list, as a floating-point attribute. */
export function float(values: number | readonly number[]): FloatAttribute {
  return new FloatAttribute(values);
}

/** What an operator's attribute can be: whole numbers, text, or numbers marked by `float`. */
export type Attribute = number | string | readonly number[] | FloatAttribute;

/** One operator call as the builder records it. */
export interface NodeRecord {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}
