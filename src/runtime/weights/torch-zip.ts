// Reader for PyTorch's zip checkpoints (.pth, .pt, .bin; torch.save since 1.6): `<root>/data.pkl` describes tensors over
// storages that lie uncompressed under `<root>/data/<key>`. Tensors of nested dictionaries and lists are named by their
// path, joined with dots. A storage is read, and its CRC checked, when one of its tensors is asked for.

import { CheckpointError } from '../../core/errors.js';
import type { ByteSource } from './byte-source.js';
import { openFileBytes } from './byte-source.js';
import { crc32 } from './crc32.js';
import { DTYPE_BYTES } from './dtypes.js';
import { flattenTensors } from './flatten.js';
import { parseTorchPickle } from './pickle.js';
import type { PickleValue, TorchTensor } from './pickle-values.js';
import { gatherStrided, isContiguous, spanOf } from './strided.js';
import type { LazyTensor, TensorInfo, TensorSource } from './tensor-source.js';
import { createTensorSource, describeTensor, quoteName } from './tensor-source.js';
import type { ZipEntry } from './zip.js';
import { readZipEntries } from './zip.js';

/** The pickle of a model with 10,000 tensors has about 4 MB. */
const MAX_PICKLE_BYTES = 1 << 26;
/** An expanded view (stride 0) may be larger than its storage, but not absurdly so. */
const MAX_EXPANDED_BYTES = 1 << 26;
const CHUNK_BYTES = 1 << 23;

/** The tensors of a PyTorch checkpoint, and everything else that was saved with them. */
export interface TorchSource extends TensorSource {
  /** The saved object: dictionaries as maps, lists as arrays, tuples as frozen arrays, tensors as descriptions. */
  readonly tree: PickleValue;
}

/** Opens a PyTorch zip checkpoint (or its bytes); throws CheckpointError, naming the fault, when any part of it is wrong. */
export function openTorchZip(file: string | ByteSource): TorchSource {
  const source = typeof file === 'string' ? openFileBytes(file) : file;
  try {
    return readArchive(source);
  } catch (error) {
    source.close();
    throw error;
  }
}

function readArchive(source: ByteSource): TorchSource {
  const { label } = source;
  const entries = readZipEntries(source);
  const root = findRoot(label, entries);
  const reader = new EntryReader(source);
  checkByteOrder(label, reader, entries.get(`${root}/byteorder`));

  const pickle = entries.get(`${root}/data.pkl`)!;
  if (pickle.size > MAX_PICKLE_BYTES) {
    throw new CheckpointError(label, `has a pickle of ${pickle.size} bytes: too large`);
  }
  const tree = parseTorchPickle(label, reader.read(pickle, 0, pickle.size));

  const tensors = new Map<string, LazyTensor>();
  for (const [name, tensor] of flattenTensors(label, tree)) {
    const entry = entries.get(`${root}/data/${tensor.storage.key}`);
    tensors.set(name, makeLazy(label, name, tensor, reader, entry));
  }
  const close = (): void => {
    source.close();
  };
  return { ...createTensorSource(label, tensors, close), tree };
}

/** The one folder that holds everything; torch names it after the file. */
function findRoot(label: string, entries: ReadonlyMap<string, ZipEntry>): string {
  const roots = new Set([...entries.keys()].map((name) => name.split('/', 1)[0]!));
  const [root] = roots;
  if (root === undefined || roots.size > 1 || !entries.has(`${root}/data.pkl`)) {
    throw new CheckpointError(
      label,
      'is a zip archive, but not one that torch.save wrote: it has no data.pkl in one folder',
    );
  }
  if (entries.has(`${root}/constants.pkl`)) {
    throw new CheckpointError(
      label,
      'is a TorchScript program, not a checkpoint: in Python, torch.save(torch.jit.load(file).state_dict(), new_file)',
    );
  }
  return root;
}

function checkByteOrder(label: string, reader: EntryReader, entry: ZipEntry | undefined): void {
  if (entry === undefined) return; // written before torch 2.0, always little-endian in practice
  const order = new TextDecoder().decode(reader.read(entry, 0, Math.min(entry.size, 16)));
  if (order !== 'little') {
    throw new CheckpointError(label, `was written with byte order '${quoteName(order)}', not 'little'`);
  }
}

function makeLazy(
  label: string,
  name: string,
  tensor: TorchTensor,
  reader: EntryReader,
  entry: ZipEntry | undefined,
): LazyTensor {
  const { storage, offset } = tensor;
  const width = DTYPE_BYTES[storage.dtype];
  const fail = (fault: string): never => {
    throw new CheckpointError(label, `tensor '${quoteName(name)}' ${fault}`);
  };
  if (entry === undefined) return fail(`lacks its storage '${storage.key}'`);
  if (entry.size !== storage.length * width) {
    fail(
      `has a storage of ${entry.size} bytes where ${storage.length} elements of ${storage.dtype} should be`,
    );
  }
  const info: TensorInfo | undefined = describeTensor(storage.dtype, tensor.shape);
  if (info === undefined || info.byteLength > Math.max(entry.size, MAX_EXPANDED_BYTES)) {
    return fail(`has the absurd shape [${tensor.shape.join(', ')}] over a storage of ${entry.size} bytes`);
  }
  const load = (): Uint8Array => {
    const bytes = reader.read(entry, offset * width, spanOf(tensor) * width);
    return isContiguous(tensor) ? bytes : gatherStrided(bytes, width, tensor);
  };
  return { info, load };
}

/** Reads ranges of entries; an entry's checksum is verified once, when it is first touched. */
class EntryReader {
  readonly #source: ByteSource;
  readonly #verified = new Set<ZipEntry>();

  constructor(source: ByteSource) {
    this.#source = source;
  }

  read(entry: ZipEntry, offset: number, length: number): Uint8Array {
    const whole = offset === 0 && length === entry.size;
    if (!whole) this.#verify(entry);
    const bytes = this.#source.read(entry.offset + offset, length);
    if (whole) this.#check(entry, () => crc32(bytes));
    return bytes;
  }

  #verify(entry: ZipEntry): void {
    this.#check(entry, () => {
      let crc = 0;
      for (let at = 0; at < entry.size; at += CHUNK_BYTES) {
        crc = crc32(this.#source.read(entry.offset + at, Math.min(CHUNK_BYTES, entry.size - at)), crc);
      }
      return crc;
    });
  }

  #check(entry: ZipEntry, compute: () => number): void {
    if (entry.crc === 0 || this.#verified.has(entry)) return;
    if (compute() !== entry.crc) {
      throw new CheckpointError(
        this.#source.label,
        `is damaged: '${entry.name}' does not match its checksum; fetch it again`,
      );
    }
    this.#verified.add(entry);
  }
}
