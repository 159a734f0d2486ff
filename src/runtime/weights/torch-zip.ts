// Reader for PyTorch's zip checkpoints (.pth, .pt, .bin; torch.save since 1.6): `<root>/data.pkl` describes tensors over
// storages under `<root>/data/<key>`, mostly uncompressed. Tensors of nested dictionaries and lists are named by their
// path, joined with dots. A storage is read, and its CRC checked, when one of its tensors is asked for.

import { inflateRawSync } from 'node:zlib';

import { CheckpointError } from '../../core/errors.js';
import type { ByteSource } from './byte-source.js';
import { openFileBytes } from './byte-source.js';
import { crc32 } from './crc32.js';
import { DTYPE_BITS } from './dtypes.js';
import { flattenTensors } from './flatten.js';
import { LIMITS } from './limits.js';
import { parseTorchPickle } from './pickle.js';
import { type PickleValue, type TorchTensor, TorchUnread } from './pickle-values.js';
import { gatherStrided, isContiguous, spanOf } from './strided.js';
import type { LazyTensor, ReadableTensor, TensorSource } from './tensor-source.js';
import { createTensorSource, describeTensor, quoteName } from './tensor-source.js';
import type { ZipEntry } from './zip.js';
import { readZipEntries } from './zip.js';

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
  if (pickle.size > LIMITS.pickleBytes) {
    throw new CheckpointError(
      label,
      `has a pickle of ${pickle.size} bytes: at most ${LIMITS.pickleBytes} are read`,
    );
  }
  const tree = parseTorchPickle(label, reader.read(pickle, 0, pickle.size));

  const tensors = new Map<string, LazyTensor>();
  const sizes = new ViewSizes(label);
  for (const [name, tensor] of flattenTensors(label, tree)) {
    if (tensor instanceof TorchUnread) tensors.set(name, { unread: tensor.kind });
    else {
      const entry = entries.get(`${root}/data/${tensor.storage.key}`);
      tensors.set(name, makeLazy(label, name, tensor, reader, entry, sizes));
    }
  }
  sizes.check();
  const close = (): void => {
    source.close();
  };
  return { ...createTensorSource(label, tensors, close), tree };
}

/** The one folder with a data.pkl in it; torch names it after the file. What a packing tool laid beside it is nobody's. */
function findRoot(label: string, entries: ReadonlyMap<string, ZipEntry>): string {
  const roots = [...entries.keys()].flatMap((name) => /^([^/]+)\/data\.pkl$/.exec(name)?.[1] ?? []);
  const [root] = roots;
  if (root === undefined || roots.length > 1) {
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
  sizes: ViewSizes,
): ReadableTensor {
  const { storage, offset, dtype } = tensor;
  const fail = (fault: string): never => {
    throw new CheckpointError(label, `tensor '${quoteName(name)}' ${fault}`);
  };
  if (entry === undefined) return fail(`lacks its storage '${storage.key}'`);
  if (entry.size * 8 !== storage.length * DTYPE_BITS[storage.dtype]) {
    fail(
      `has a storage of ${entry.size} bytes where ${storage.length} elements of ${storage.dtype} should be`,
    );
  }
  const info = describeTensor(dtype, tensor.shape);
  // An expanded view (stride 0) may be larger than its storage, but not absurdly so.
  if (info === undefined || info.byteLength > Math.max(entry.size, LIMITS.viewBytes)) {
    return fail(`has the absurd shape [${tensor.shape.join(', ')}] over a storage of ${entry.size} bytes`);
  }
  sizes.add(entry, info.byteLength);
  const width = DTYPE_BITS[dtype] / 8;
  const load = (): Uint8Array => {
    const bytes = reader.read(entry, offset * width, spanOf(tensor) * width);
    return isContiguous(tensor) ? bytes : gatherStrided(bytes, width, tensor);
  };
  return { info, load };
}

/** Adds up what all views together come to: each may be in order, and thousands of them a bomb. */
class ViewSizes {
  readonly #label: string;
  readonly #storages = new Set<ZipEntry>();
  #viewed = 0;

  constructor(label: string) {
    this.#label = label;
  }

  add(storage: ZipEntry, bytes: number): void {
    this.#storages.add(storage);
    this.#viewed += bytes;
  }

  /** Throws a CheckpointError where the views are absurdly larger than what they view. */
  check(): void {
    let stored = 0;
    for (const { size } of this.#storages) stored += size;
    const most = Math.max(LIMITS.viewBytes, LIMITS.viewTimes * stored);
    if (this.#viewed <= most) return;
    throw new CheckpointError(
      this.#label,
      `has tensors of ${this.#viewed} bytes in all over storages of ${stored}: at most ${most} are read`,
    );
  }
}

/** Reads ranges of entries; an entry's checksum is verified once, when it is first touched. */
class EntryReader {
  readonly #source: ByteSource;
  readonly #verified = new Set<ZipEntry>();
  /** The entry that was unpacked last: tensors that share one are mostly read one after another. */
  #unpacked: { readonly entry: ZipEntry; readonly bytes: Uint8Array } | undefined;
  #unpackedBytes = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  read(entry: ZipEntry, offset: number, length: number): Uint8Array {
    if (entry.deflated) return this.#unpack(entry).slice(offset, offset + length);
    const whole = offset === 0 && length === entry.size;
    if (!whole) this.#verify(entry);
    const bytes = this.#source.read(entry.offset + offset, length);
    if (whole) this.#check(entry, () => crc32(bytes));
    return bytes;
  }

  /** All bytes of a deflated entry. */
  #unpack(entry: ZipEntry): Uint8Array {
    if (this.#unpacked?.entry === entry) return this.#unpacked.bytes;
    const { label, size: fileSize } = this.#source;
    this.#unpackedBytes += entry.size;
    if (this.#unpackedBytes > 2 * Math.max(LIMITS.unpackedBytes, LIMITS.unpackedTimes * fileSize)) {
      throw new CheckpointError(
        label,
        'would be unpacked again and again: pack it again without compression',
      );
    }
    const packed = this.#source.read(entry.offset, entry.stored);
    let bytes: Uint8Array;
    try {
      // One byte at least, which is the least that zlib allows.
      bytes = inflateRawSync(packed, { maxOutputLength: Math.max(entry.size, 1) });
    } catch (cause) {
      throw new CheckpointError(label, `is damaged: '${entry.name}' cannot be unpacked; fetch it again`, {
        cause,
      });
    }
    if (bytes.length !== entry.size) {
      throw new CheckpointError(
        label,
        `is damaged: '${entry.name}' unpacks to ${bytes.length} bytes of ${entry.size}`,
      );
    }
    this.#check(entry, () => crc32(bytes));
    this.#unpacked = { entry, bytes };
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
