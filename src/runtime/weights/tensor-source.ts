// The contract of a checkpoint: named tensors whose bytes are read when asked for, whatever file they lie in.
// Readers (safetensors.ts, torch-zip.ts) hand a table of lazy tensors to `createTensorSource`, which does the rest.

import { CheckpointError } from '../../core/errors.js';
import { isError } from '../../core/realm.js';
import { DTYPE_BITS, isReadDtype, type StoredDtype, type TensorDtype } from './dtypes.js';
import { integersFrom, integersFromBig, widenToFloat32 } from './widen.js';

/** What is known of a tensor before its bytes are read. */
export interface TensorInfo {
  /** A tensor of a type that is not read is known, but cannot be had. */
  readonly dtype: StoredDtype;
  /** Sizes, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Bytes of the contiguous tensor: the product of the shape times the element's bytes. */
  readonly byteLength: number;
}

/** Named tensors of one checkpoint. Every method throws CheckpointError, naming the file, for an unknown name or a fault. */
export interface TensorSource {
  /** The file or folder, for messages. */
  readonly label: string;
  /** Names in the order of the file. */
  readonly names: readonly string[];
  /** Whether a tensor of this name exists. */
  has(name: string): boolean;
  /** Type, shape and size of a tensor; reads nothing. */
  info(name: string): TensorInfo;
  /** A floating-point tensor in row-major order, widened to fp32 (F64 is rounded); a fresh array. Refuses integers. */
  read(name: string): Float32Array;
  /** The tensor's little-endian bytes in row-major order; a fresh array. */
  readRaw(name: string): Uint8Array;
  /** An integer or boolean tensor; throws when a value does not fit 32 bits. Refuses floating point. */
  readIntegers(name: string): Int32Array;
  /** An integer or boolean tensor, exact over the whole range of I64. Refuses floating point. */
  readBigIntegers(name: string): BigInt64Array;
  /** Closes the file; later reads throw, a second close does nothing. */
  close(): void;
}

/** A tensor of a reader: its description, and how to fetch its bytes (fresh, contiguous, little-endian). */
export interface ReadableTensor {
  readonly info: TensorInfo;
  load(): Uint8Array;
}

/** A tensor of a kind that is not read, and the kind in words: an error only for whoever asks for it. */
export interface UnreadTensor {
  readonly unread: string;
}

/** A tensor of a reader's table. */
export type LazyTensor = ReadableTensor | UnreadTensor;

/** Builds a TensorSource from a table of lazy tensors; `close` frees the underlying file. */
export function createTensorSource(
  label: string,
  tensors: ReadonlyMap<string, LazyTensor>,
  close: () => void,
): TensorSource {
  let closed = false;
  const get = (name: string): ReadableTensor => {
    if (closed) {
      throw new CheckpointError(label, `cannot read '${quoteName(name)}': the file has been closed`);
    }
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new CheckpointError(label, `has no tensor '${quoteName(name)}'`);
    if ('unread' in tensor) {
      throw new CheckpointError(label, `'${quoteName(name)}' is ${tensor.unread}, which is not read`);
    }
    return tensor;
  };
  const load = (name: string): { dtype: TensorDtype; bytes: Uint8Array } => {
    const tensor = get(name);
    const { info } = tensor;
    const { dtype } = info;
    if (!isReadDtype(dtype)) {
      throw new CheckpointError(label, `'${quoteName(name)}' is of type ${dtype}, which is not read`);
    }
    const bytes = tensor.load();
    if (bytes.byteLength !== info.byteLength) {
      throw new CheckpointError(
        label,
        `'${quoteName(name)}' gave ${bytes.byteLength} bytes, not ${info.byteLength}`,
      );
    }
    return { dtype, bytes };
  };
  /** Runs a conversion and turns its complaint into one that names file and tensor. */
  const convert = <T>(name: string, step: (dtype: TensorDtype, bytes: Uint8Array) => T): T => {
    const { dtype, bytes } = load(name);
    try {
      return step(dtype, bytes);
    } catch (cause) {
      if (!isError(cause) || !['TypeError', 'RangeError'].includes(cause.name)) throw cause;
      throw new CheckpointError(label, `'${quoteName(name)}' ${cause.message}`, { cause });
    }
  };
  return {
    label,
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    info: (name) => get(name).info,
    read: (name) => convert(name, widenToFloat32),
    readRaw: (name) => load(name).bytes,
    readIntegers: (name) => convert(name, integersFrom),
    readBigIntegers: (name) => convert(name, integersFromBig),
    close: () => {
      if (closed) return;
      closed = true;
      close();
    },
  };
}

/** A view of the tensors whose names start with `prefix`, under their names without it. Closing it closes the source. */
export function withPrefix(source: TensorSource, prefix: string): TensorSource {
  const names = source.names.filter((n) => n.startsWith(prefix)).map((n) => n.slice(prefix.length));
  const known = new Set(names);
  return {
    label: source.label,
    names,
    has: (name) => known.has(name),
    info: (name) => source.info(prefix + name),
    read: (name) => source.read(prefix + name),
    readRaw: (name) => source.readRaw(prefix + name),
    readIntegers: (name) => source.readIntegers(prefix + name),
    readBigIntegers: (name) => source.readBigIntegers(prefix + name),
    close: () => {
      source.close();
    },
  };
}

/** Describes a tensor, or returns undefined when its size is no safe integer of bytes or a dimension no size at all. */
export function describeTensor(dtype: StoredDtype, shape: readonly number[]): TensorInfo | undefined {
  const bits = DTYPE_BITS[dtype];
  let count = 1;
  // A zero makes the product zero, but the other sizes still have to be sane: torch refuses them too.
  let nonZero = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    nonZero *= Math.max(size, 1);
    if (!Number.isSafeInteger(nonZero * bits)) return undefined;
  }
  const byteLength = (count * bits) / 8;
  return Number.isInteger(byteLength) ? { dtype, shape: Object.freeze([...shape]), byteLength } : undefined;
}

/** A name made fit for a one-line message: control characters escaped, long ones cut. */
export function quoteName(name: string): string {
  const cut = name.length > 120 ? `${name.slice(0, 120)}...` : name;
  return JSON.stringify(cut).slice(1, -1);
}
