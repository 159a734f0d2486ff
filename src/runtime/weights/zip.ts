// A strict, seekable reader of zip archives as torch.save writes them, or zip tools that packed one again: stored and deflated
// entries, folders, zip64, data descriptors, padding in extra fields. Follows PKWARE's APPNOTE 6.3.10 (sections 4.3 and 4.5.3). The central directory is checked
// against every local header and no two entries may share a byte; contents are read, and their CRC checked, later.

import { CheckpointError } from '../../core/errors.js';
import type { ByteSource } from './byte-source.js';
import { LIMITS } from './limits.js';
import { decodeUtf8 } from './utf8.js';
import { findDirectory } from './zip-directory.js';

/** An entry: where its bytes lie in the file. */
export interface ZipEntry {
  readonly name: string;
  /** Place of the first byte of the contents. */
  readonly offset: number;
  /** Bytes of the contents. */
  readonly size: number;
  /** Bytes in the file: fewer than `size` where they are deflated. */
  readonly stored: number;
  readonly deflated: boolean;
  /** CRC-32 of the contents; 0 when the writer computed none (torch's set_crc32_options(False)). */
  readonly crc: number;
}

/** An entry as the central directory tells it, before its local header has been compared. */
interface CentralEntry {
  readonly name: string;
  readonly rawName: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly stored: number;
  readonly headerOffset: number;
}

const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const HAS_DESCRIPTOR = 0x0008;
/** Data descriptor, UTF-8 names, and the two bits that only matter to compression. */
const KNOWN_FLAGS = 0x080e;
const UNKNOWN_32 = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;

/** Lists an archive's files by name; throws CheckpointError for anything that a zip tool would not have written. */
export function readZipEntries(source: ByteSource): ReadonlyMap<string, ZipEntry> {
  const { label } = source;
  const directory = findDirectory(source);
  const plausible = directory.count <= LIMITS.zipEntries && directory.size <= LIMITS.zipDirectory;
  if (!plausible || directory.count * 46 > directory.size) {
    throw new CheckpointError(
      label,
      `claims ${directory.count} zip entries in a directory of ${directory.size} bytes`,
    );
  }
  const bytes = source.read(directory.offset, directory.size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const central: CentralEntry[] = [];
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    const { entry, next } = parseCentral(label, view, at);
    central.push(entry);
    at = next;
  }
  if (at !== bytes.length) {
    throw new CheckpointError(label, 'has bytes in its zip directory that belong to no entry');
  }
  return locate(source, central, directory.offset);
}

/** Reads each local header, in the order of the file, and makes sure that entries neither differ nor overlap. */
function locate(source: ByteSource, central: CentralEntry[], limit: number): ReadonlyMap<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  central.sort((a, b) => a.headerOffset - b.headerOffset);
  for (const [i, entry] of central.entries()) {
    if (entries.has(entry.name)) {
      throw new CheckpointError(source.label, `holds the zip entry ${quote(entry)} twice`);
    }
    const end = central[i + 1]?.headerOffset ?? limit;
    const offset = checkLocal(source, entry, end);
    const { name, size, stored, crc, method } = entry;
    if (name.endsWith('/')) continue;
    entries.set(name, { name, offset, size, stored, deflated: method === DEFLATED, crc });
  }
  checkUnpacked(source, entries);
  return entries;
}

/** What compressed entries claim to unpack to has to be in some proportion to the file. */
function checkUnpacked(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): void {
  let bytes = 0;
  for (const { deflated, size } of entries.values()) if (deflated) bytes += size;
  const most = Math.max(LIMITS.unpackedBytes, LIMITS.unpackedTimes * source.size);
  if (bytes > most) {
    throw new CheckpointError(
      source.label,
      `has compressed entries of ${bytes} bytes unpacked: at most ${most} are read`,
    );
  }
}

function parseCentral(label: string, view: DataView, at: number): { entry: CentralEntry; next: number } {
  const truncated = (): CheckpointError =>
    new CheckpointError(label, 'has a zip directory that ends within an entry');
  if (at + 46 > view.byteLength) throw truncated();
  if (view.getUint32(at, true) !== CENTRAL_SIGNATURE) {
    throw new CheckpointError(label, 'has a damaged zip directory: an entry without its signature');
  }
  const nameEnd = at + 46 + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > view.byteLength) throw truncated();
  const rawName = new Uint8Array(view.buffer, view.byteOffset + at + 46, nameEnd - at - 46);
  const name = decodeName(label, rawName);

  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  checkMethod(label, name, flags, method);
  const wide = readZip64(label, name, view, [nameEnd, extraEnd], {
    size: view.getUint32(at + 24, true),
    stored: view.getUint32(at + 20, true),
    offset: view.getUint32(at + 42, true),
  });
  if (name.endsWith('/') && wide.size !== 0) {
    throw new CheckpointError(label, `the zip entry '${name}' is a folder with ${wide.size} bytes in it`);
  }
  if (method === STORED && wide.size !== wide.stored) {
    throw new CheckpointError(
      label,
      `the zip entry '${name}' is stored in ${wide.stored} bytes but claims ${wide.size}`,
    );
  }
  const disk = view.getUint16(at + 34, true);
  if (disk !== 0) throw new CheckpointError(label, `the zip entry '${name}' lies on another disk (${disk})`);
  const crc = view.getUint32(at + 16, true);
  const { size, stored, offset: headerOffset } = wide;
  return { entry: { name, rawName, flags, method, crc, size, stored, headerOffset }, next };
}

/** Sizes and offset of an entry; those that do not fit 32 bits are taken from the zip64 extra field (id 1). */
function readZip64(
  label: string,
  name: string,
  view: DataView,
  [start, end]: readonly [number, number],
  narrow: { readonly size: number; readonly stored: number; readonly offset: number },
): { size: number; stored: number; offset: number } {
  const values = { ...narrow };
  const missing = (['size', 'stored', 'offset'] as const).filter((key) => narrow[key] === UNKNOWN_32);
  if (missing.length === 0) return values;
  const fail = (): CheckpointError =>
    new CheckpointError(label, `the zip entry '${name}' lacks its zip64 sizes`);
  for (let at = start; at + 4 <= end;) {
    const fieldEnd = at + 4 + view.getUint16(at + 2, true);
    if (fieldEnd > end) throw fail();
    if (view.getUint16(at, true) === 1) {
      for (const [i, key] of missing.entries()) {
        const place = at + 4 + i * 8;
        if (place + 8 > fieldEnd) throw fail();
        values[key] = Number(view.getBigUint64(place, true));
      }
      return values;
    }
    at = fieldEnd;
  }
  throw fail();
}

/** Compares a local header with the directory; returns where the contents start. `limit` is where the next entry does. */
function checkLocal(source: ByteSource, entry: CentralEntry, limit: number): number {
  const fail = (fault: string): never => {
    throw new CheckpointError(source.label, `the zip entry ${quote(entry)} ${fault}`);
  };
  const { headerOffset, rawName, flags, method } = entry;
  const nameEnd = headerOffset + 30 + rawName.length;
  if (nameEnd > limit) fail('overlaps the next entry, or the directory');
  const bytes = source.read(headerOffset, nameEnd - headerOffset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== LOCAL_SIGNATURE) fail('has no local header where the directory says');
  if (
    view.getUint16(26, true) !== rawName.length ||
    !bytes.subarray(30).every((byte, i) => byte === rawName[i])
  ) {
    fail('has another name in its local header');
  }
  if (view.getUint16(6, true) !== flags || view.getUint16(8, true) !== method) {
    fail('has other flags or another method in its local header');
  }
  const offset = nameEnd + view.getUint16(28, true);
  if (!Number.isSafeInteger(offset + entry.stored) || offset + entry.stored > limit) {
    fail('overlaps the next entry, or the directory');
  }
  // With a data descriptor the local header may leave CRC and sizes empty; with zip64 the sizes say so.
  const deferred = (flags & HAS_DESCRIPTOR) !== 0;
  const crc = view.getUint32(14, true);
  if (crc !== entry.crc && !(deferred && crc === 0)) fail('has another checksum in its local header');
  for (const [at, size] of [
    [18, entry.stored],
    [22, entry.size],
  ] as const) {
    const local = view.getUint32(at, true);
    if (local !== size && local !== UNKNOWN_32 && !(deferred && local === 0)) {
      fail('has another size in its local header');
    }
  }
  return offset;
}

function checkMethod(label: string, name: string, flags: number, method: number): void {
  if ((flags & 1) !== 0) throw new CheckpointError(label, `the zip entry '${name}' is encrypted`);
  if ((flags & ~KNOWN_FLAGS) !== 0) {
    throw new CheckpointError(label, `the zip entry '${name}' has unknown flags (0x${flags.toString(16)})`);
  }
  if (method !== STORED && method !== DEFLATED) {
    throw new CheckpointError(
      label,
      `the zip entry '${name}' is compressed by method ${method}, which is not read (nor by torch.load): unpack the archive ` +
        'and pack it again without compression',
    );
  }
}

function decodeName(label: string, raw: Uint8Array): string {
  const name = decodeUtf8(raw);
  if (name === undefined) throw new CheckpointError(label, 'has a zip entry whose name is not UTF-8');

  const isUnsafe = raw.some((byte) => byte < 0x20 || byte === 0x5c); // control characters and backslashes
  const parts = name.split('/');
  if (parts.at(-1) === '') parts.pop(); // a folder
  if (isUnsafe || parts.length === 0 || parts.some((part) => part === '..' || part === '')) {
    throw new CheckpointError(
      label,
      `has a zip entry with an unsafe name: ${JSON.stringify(name.slice(0, 120))}`,
    );
  }
  return name;
}

function quote(entry: CentralEntry): string {
  return `'${entry.name.slice(0, 120)}'`;
}
