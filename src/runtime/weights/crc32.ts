// CRC-32 as zip archives carry it. Node has a native one from 20.15 on; older ones take eight bytes a round here.

import * as zlib from 'node:zlib';

/** Continues a CRC-32 (0 to begin) over further bytes. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  return native === undefined ? crc32Portable(bytes, crc) : native(bytes, crc);
}

const native = (zlib as { crc32?: (data: Uint8Array, value?: number) => number }).crc32;

let tables: Uint32Array | undefined;

/** The same without Node's help (slicing by eight). */
export function crc32Portable(bytes: Uint8Array, crc = 0): number {
  const t = (tables ??= makeTables());
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let c = ~crc;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    const low = c ^ view.getUint32(i, true);
    const high = view.getUint32(i + 4, true);
    c =
      t[1792 + (low & 255)]! ^
      t[1536 + ((low >>> 8) & 255)]! ^
      t[1280 + ((low >>> 16) & 255)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + (high & 255)]! ^
      t[512 + ((high >>> 8) & 255)]! ^
      t[256 + ((high >>> 16) & 255)]! ^
      t[high >>> 24]!;
  }
  for (; i < bytes.length; i++) c = (c >>> 8) ^ t[(c ^ bytes[i]!) & 255]!;
  return ~c >>> 0;
}

/** Eight tables of 256: table k advances a byte by k further zero bytes. */
function makeTables(): Uint32Array {
  const t = new Uint32Array(2048);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    t[n] = c;
  }
  for (let n = 256; n < 2048; n++) {
    const previous = t[n - 256]!;
    t[n] = (previous >>> 8) ^ t[previous & 255]!;
  }
  return t;
}
