// Finds the central directory of a zip archive: the end record, and zip64's wider one where there is one
// (APPNOTE 4.3.14 to 4.3.16). torch.save always writes both, even for small files.

import { CheckpointError } from '../../core/errors.js';
import type { ByteSource } from './byte-source.js';

/** Where the central directory lies. */
interface ZipDirectory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

const END_SIGNATURE = 0x06054b50;
const LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIGNATURE = 0x06064b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const MAX_COMMENT = 65535;

/** Finds and checks the end records; throws CheckpointError when the archive is truncated or split. */
export function findDirectory(source: ByteSource): ZipDirectory {
  const { label } = source;
  const tail = source.read(
    Math.max(0, source.size - END_BYTES - MAX_COMMENT),
    Math.min(source.size, END_BYTES + MAX_COMMENT),
  );
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const at = endRecord(view);
  if (at === undefined) {
    throw new CheckpointError(
      label,
      'is a truncated zip archive: it has no directory at its end; fetch it again',
    );
  }
  const endOffset = source.size - tail.length + at;
  const narrow = {
    offset: view.getUint32(at + 16, true),
    size: view.getUint32(at + 12, true),
    count: view.getUint16(at + 10, true),
  };
  if (
    view.getUint16(at + 4, true) !== 0 ||
    view.getUint16(at + 6, true) !== 0 ||
    view.getUint16(at + 8, true) !== narrow.count
  ) {
    throw new CheckpointError(label, 'is a zip archive split over several disks');
  }
  const wide = readEnd64(source, endOffset, narrow);
  const { directory, end } = wide ?? { directory: narrow, end: endOffset };
  if (directory.offset + directory.size !== end) {
    throw new CheckpointError(
      label,
      `has a zip directory of ${directory.size} bytes at ${directory.offset} that does not end at ${end}`,
    );
  }
  return directory;
}

/** The last end record, as torch's reader finds it; what stands behind it and its comment is nobody's. */
function endRecord(view: DataView): number | undefined {
  for (let at = view.byteLength - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) === END_SIGNATURE) return at;
  }
  return undefined;
}

/** Zip64's end record, when a locator stands before the ordinary one; its values must agree with those that fit there. */
function readEnd64(
  source: ByteSource,
  endOffset: number,
  narrow: ZipDirectory,
): { directory: ZipDirectory; end: number } | undefined {
  const { label } = source;
  const overflown = narrow.offset === 0xffffffff || narrow.size === 0xffffffff || narrow.count === 0xffff;
  const locatorOffset = endOffset - LOCATOR_BYTES;
  const locator = locatorOffset < 0 ? undefined : viewOf(source.read(locatorOffset, LOCATOR_BYTES));
  if (locator?.getUint32(0, true) !== LOCATOR_SIGNATURE) {
    if (overflown) throw new CheckpointError(label, 'lacks its zip64 directory record');
    return undefined;
  }
  const end = Number(locator.getBigUint64(8, true));
  if (locator.getUint32(4, true) !== 0 || locator.getUint32(16, true) !== 1) {
    throw new CheckpointError(label, 'is a zip archive split over several disks');
  }
  if (end + END64_BYTES !== locatorOffset) {
    throw new CheckpointError(label, 'has a zip64 directory record that is not where its locator says');
  }
  const record = viewOf(source.read(end, END64_BYTES));
  const directory = {
    offset: Number(record.getBigUint64(48, true)),
    size: Number(record.getBigUint64(40, true)),
    count: Number(record.getBigUint64(32, true)),
  };
  const agrees =
    record.getUint32(0, true) === END64_SIGNATURE &&
    record.getBigUint64(4, true) === BigInt(END64_BYTES - 12) &&
    record.getUint32(16, true) === 0 &&
    record.getUint32(20, true) === 0 &&
    record.getBigUint64(24, true) === BigInt(directory.count) &&
    matches(narrow.offset, directory.offset, 0xffffffff) &&
    matches(narrow.size, directory.size, 0xffffffff) &&
    matches(narrow.count, directory.count, 0xffff);
  if (!agrees) throw new CheckpointError(label, 'has two zip directory records that contradict each other');
  return { directory, end };
}

function matches(narrow: number, wide: number, unknown: number): boolean {
  return narrow === unknown || narrow === wide;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
