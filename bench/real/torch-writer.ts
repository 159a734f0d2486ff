// Writes a state dict as torch.save does, one tensor in memory at a time: a zip of stored entries with a pickle and one file a
// tensor. For checkpoints of full size made of random numbers; what is read of such a file is all in src/runtime/weights.

import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** A float32 tensor to be written: its elements are asked for when it is its turn. */
export interface RandomTensor {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Float32Array;
}

interface Written {
  readonly name: string;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

const ALIGNMENT = 64;
const HEADER_BYTES = 30;

/** Writes the tensors, which appear under `path` when all are there. */
export function writeTorchFile(path: string, tensors: readonly RandomTensor[]): void {
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w');
  const entries: Written[] = [];
  let place = 0;
  const put = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at, place + at);
    place += bytes.length;
  };
  const entry = (name: string, data: Uint8Array): void => {
    const offset = place;
    const crc = crc32(data);
    const bare = offset + HEADER_BYTES + name.length + 4;
    const padding = (ALIGNMENT - (bare % ALIGNMENT)) % ALIGNMENT;
    put(
      Buffer.concat([
        u(4, 0x04034b50),
        u(2, 45, 0x0800, 0, 0, 0),
        u(4, crc, data.length, data.length),
        u(2, name.length, padding + 4),
        Buffer.from(name),
        Buffer.from('FB'),
        u(2, padding),
        Buffer.alloc(padding, 'Z'),
      ]),
    );
    put(data);
    entries.push({ name, crc, size: data.length, offset });
  };
  try {
    entry('archive/data.pkl', pickle(tensors));
    tensors.forEach((tensor, i) => {
      const data = tensor.read();
      entry(`archive/data/${i}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    });
    entry('archive/version', Buffer.from('3\n'));
    const start = place;
    for (const each of entries) put(directoryEntry(each));
    put(ending(entries.length, start, place - start));
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
}

/** Offsets are in zip64 extra fields, since files go beyond 4 GiB; single entries do not. */
function directoryEntry({ name, crc, size, offset }: Written): Buffer {
  return Buffer.concat([
    u(4, 0x02014b50),
    u(2, 45, 45, 0x0800, 0, 0, 0),
    u(4, crc, size, size),
    u(2, name.length, 12, 0, 0, 0),
    u(4, 0, 0xffffffff),
    Buffer.from(name),
    u(2, 1, 8),
    u(8, offset),
  ]);
}

function ending(count: number, start: number, size: number): Buffer {
  return Buffer.concat([
    u(4, 0x06064b50),
    u(8, 44),
    u(2, 45, 45),
    u(4, 0, 0),
    u(8, count, count, size, start),
    u(4, 0x07064b50, 0),
    u(8, start + size),
    u(4, 1),
    u(4, 0x06054b50),
    u(2, 0, 0, 0xffff, 0xffff),
    u(4, 0xffffffff, 0xffffffff),
    u(2, 0),
  ]);
}

/** Little-endian integers of one width. */
function u(width: 2 | 4 | 8, ...values: number[]): Buffer {
  const out = Buffer.alloc(width * values.length);
  for (const [i, value] of values.entries()) {
    if (width === 8) out.writeBigUInt64LE(BigInt(value), i * 8);
    else out.writeUIntLE(value, i * width, width);
  }
  return out;
}

/** The pickle of an ordered dictionary of contiguous tensors, protocol 2. */
function pickle(tensors: readonly RandomTensor[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x80, 2])];
  const raw = (text: string): void => void parts.push(Buffer.from(text, 'latin1'));
  const text = (value: string): void => {
    const bytes = Buffer.from(value);
    parts.push(Buffer.from('X'), u(4, bytes.length), bytes);
  };
  const whole = (value: number): void => {
    if (value < 2 ** 31) parts.push(Buffer.from('J'), u(4, value));
    else parts.push(Buffer.from([0x8a, 8]), u(8, value)); // LONG1
  };
  const tuple = (values: readonly number[]): void => {
    raw('(');
    values.forEach(whole);
    raw('t');
  };
  raw('ccollections\nOrderedDict\n)R(');
  tensors.forEach(({ name, shape }, i) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const strides = shape.map((_, axis) =>
      shape.slice(axis + 1).reduce((product, size) => product * size, 1),
    );
    text(name);
    raw('ctorch._utils\n_rebuild_tensor_v2\n((');
    text('storage');
    raw('ctorch\nFloatStorage\n');
    text(String(i));
    text('cpu');
    whole(count);
    raw('tQ'); // the persistent id of its storage
    whole(0);
    tuple(shape);
    tuple(strides);
    raw('\x89ccollections\nOrderedDict\n)RtR');
  });
  raw('u.');
  return Buffer.concat(parts);
}
