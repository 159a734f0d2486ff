// Writer for safetensors files: the counterpart of safetensors.ts, in the official writer's order (wide types first,
// then by name) and with the header padded to 8 bytes, so that every tensor is aligned.

import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

import { CheckpointError } from '../../core/errors.js';
import { systemFault } from './byte-source.js';
import { DTYPE_BITS, type TensorDtype } from './dtypes.js';
import { describeTensor, quoteName } from './tensor-source.js';

/** A tensor to be written: `data` in row-major order, as a typed array of the dtype's width (bit patterns for F16, BF16). */
export interface TensorToWrite {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/** Names and tensors, as an object or a map. */
type TensorsToWrite = Readonly<Record<string, TensorToWrite>> | ReadonlyMap<string, TensorToWrite>;

/** Writes a safetensors file; it appears under `path` only when it is whole. Throws CheckpointError when it cannot be written. */
export function writeSafetensors(
  path: string,
  tensors: TensorsToWrite,
  metadata?: Readonly<Record<string, string>>,
): void {
  const parts = layOut(path, tensors, metadata);
  const partial = `${path}.${process.pid}.partial`;
  try {
    const descriptor = openSync(partial, 'wx');
    try {
      for (const part of parts) writeFully(descriptor, part);
    } finally {
      closeSync(descriptor);
    }
    renameSync(partial, path);
  } catch (cause) {
    rmSync(partial, { force: true });
    throw new CheckpointError(path, systemFault(cause, 'written'), { cause });
  }
}

/** The bytes of a safetensors file, for a file in memory. */
export function encodeSafetensors(
  tensors: TensorsToWrite,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  return new Uint8Array(Buffer.concat(layOut('safetensors', tensors, metadata)));
}

function layOut(
  label: string,
  tensors: TensorsToWrite,
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array[] {
  const entries = isMap(tensors) ? [...tensors] : Object.entries(tensors);
  entries.sort(([a, x], [b, y]) => DTYPE_BITS[y.dtype] - DTYPE_BITS[x.dtype] || (a < b ? -1 : 1));
  // fromEntries defines own properties, so that a tensor may even be called __proto__.
  const header: [string, unknown][] = metadata === undefined ? [] : [['__metadata__', metadata]];
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    const info = describeTensor(dtype, shape);
    if (name === '__metadata__' || info?.byteLength !== data.byteLength) {
      throw new CheckpointError(
        label,
        `cannot write '${quoteName(name)}': ${dtype} [${shape.join(', ')}] does not fit ${data.byteLength} bytes of data`,
      );
    }
    const end = offset + data.byteLength;
    header.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json, 8);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  return [padded, ...parts];
}

function isMap(tensors: TensorsToWrite): tensors is ReadonlyMap<string, TensorToWrite> {
  return tensors instanceof Map;
}

function writeFully(descriptor: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, 1 << 30));
  }
}
