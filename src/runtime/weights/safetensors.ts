// Reader for safetensors files. Layout: 8 bytes of header size, a JSON header {name: {dtype, shape, data_offsets}},
// then the tensors without holes (https://github.com/huggingface/safetensors, "Format"). Stricter than JSON.parse:
// every rule of the official Rust reader is checked when the file is opened, and tensors are read when asked for.

import { CheckpointError } from '../../core/errors.js';
import type { ByteSource } from './byte-source.js';
import { openFileBytes } from './byte-source.js';
import { DTYPE_BITS, isStoredDtype } from './dtypes.js';
import { LIMITS } from './limits.js';
import { isJsonObject, parseStrictJson } from './strict-json.js';
import type { LazyTensor, TensorInfo, TensorSource } from './tensor-source.js';
import { createTensorSource, describeTensor, quoteName } from './tensor-source.js';

/** The tensors of a safetensors file, and its free-text metadata. */
interface SafetensorsSource extends TensorSource {
  /** The header's `__metadata__`, for example the recipe of a result. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Opens a safetensors file (or its bytes); throws CheckpointError, naming the fault, when any part of it is wrong. */
export function openSafetensors(file: string | ByteSource): SafetensorsSource {
  const source = typeof file === 'string' ? openFileBytes(file) : file;
  try {
    return readHeader(source);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** One tensor of the header, with its place in the file. */
interface Entry {
  readonly name: string;
  readonly info: TensorInfo;
  readonly start: number;
  readonly end: number;
}

function readHeader(source: ByteSource): SafetensorsSource {
  const { label } = source;
  if (source.size < 8) {
    throw new CheckpointError(label, `has ${source.size} bytes: no safetensors file is that short`);
  }
  const prefix = source.read(0, 8);
  const headerBytes = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (headerBytes > LIMITS.headerBytes) {
    throw new CheckpointError(
      label,
      `claims a header of ${headerBytes} bytes: at most ${LIMITS.headerBytes} are read`,
    );
  }
  if (8 + headerBytes > source.size) {
    throw new CheckpointError(
      label,
      `is truncated: it claims a header of ${headerBytes} bytes and has ${source.size} in all`,
    );
  }
  const header = parseStrictJson(label, 'the safetensors header', source.read(8, headerBytes));
  if (!isJsonObject(header)) throw new CheckpointError(label, 'the safetensors header is not an object');

  const dataStart = 8 + headerBytes;
  const entries: Entry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  const members = Object.entries(header);
  if (members.length > LIMITS.tensors) {
    throw new CheckpointError(label, `holds more than ${LIMITS.tensors} tensors`);
  }
  for (const [name, value] of members) {
    if (name === '__metadata__') metadata = parseMetadata(label, value);
    else entries.push(parseEntry(label, name, value, dataStart));
  }
  checkLayout(label, entries, dataStart, source.size);

  const tensors = new Map<string, LazyTensor>();
  for (const { name, info, start } of entries) {
    tensors.set(name, { info, load: () => source.read(start, info.byteLength) });
  }
  const close = (): void => {
    source.close();
  };
  return { ...createTensorSource(label, tensors, close), metadata };
}

function parseMetadata(label: string, value: unknown): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  // The official reader takes null for none.
  if (value === null) return metadata;
  if (!isJsonObject(value)) throw new CheckpointError(label, '__metadata__ is not an object');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw new CheckpointError(label, `__metadata__ '${quoteName(key)}' is not a string`);
    }
    metadata.set(key, text);
  }
  return metadata;
}

function parseEntry(label: string, name: string, value: unknown, dataStart: number): Entry {
  const fail = (fault: string): never => {
    throw new CheckpointError(label, `tensor '${quoteName(name)}' ${fault}`);
  };
  if (name.length > LIMITS.nameLength) return fail(`has a name of more than ${LIMITS.nameLength} characters`);
  if (!isJsonObject(value)) return fail('has no description');
  for (const key of Object.keys(value)) {
    if (!['dtype', 'shape', 'data_offsets'].includes(key)) fail(`has an unknown field '${quoteName(key)}'`);
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isStoredDtype(dtype)) return fail(unknownDtype(dtype));
  if (!isIntegers(shape) || shape.length > LIMITS.dimensions) {
    return fail('has a shape that is no list of sizes');
  }
  if (!isIntegers(offsets) || offsets.length !== 2) {
    return fail('has data_offsets that are no pair of places');
  }
  const [start, end] = offsets as [number, number];
  const info = describeTensor(dtype, shape);
  if (info === undefined) return fail(`has an absurd shape [${shape.join(', ')}]`);
  if (end - start !== info.byteLength) {
    fail(
      `of ${dtype} [${shape.join(', ')}] needs ${info.byteLength} bytes, its data_offsets give ${end - start}`,
    );
  }
  return { name, info, start: dataStart + start, end: dataStart + end };
}

function unknownDtype(dtype: unknown): string {
  const given = typeof dtype === 'string' ? `'${quoteName(dtype)}'` : 'missing or no string';
  return `has a dtype that cannot be read: ${given} (known: ${Object.keys(DTYPE_BITS).join(', ')})`;
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && (item as number) >= 0);
}

/** The tensors must fill the data without overlap or hole: a file that breaks this was not written by a safe writer. */
function checkLayout(label: string, entries: readonly Entry[], dataStart: number, fileSize: number): void {
  const sorted = [...entries].sort((a, b) => a.start - b.start || a.end - b.end);
  let place = dataStart;
  for (const { name, start, end } of sorted) {
    if (end > fileSize) {
      throw new CheckpointError(
        label,
        `tensor '${quoteName(name)}' ends at byte ${end} of ${fileSize}: the file is truncated or its header lies`,
      );
    }
    if (start !== place) {
      const fault = start < place ? 'overlaps another tensor' : 'leaves a hole before it';
      throw new CheckpointError(label, `tensor '${quoteName(name)}' ${fault}`);
    }
    place = end;
  }
  if (place !== fileSize) {
    throw new CheckpointError(label, `has ${fileSize - place} bytes that belong to no tensor`);
  }
}
