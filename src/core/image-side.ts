// What JPEG and WebP files hold beside their pixels is left out before they are decoded: 60 KB of Exif data keep the library
// busy for a minute. Orientation is all that is wanted of them.

/** A file without its side parts, and how its camera was held: 1 to 8 as TIFF 6.0 numbers them. */
export interface BareFile {
  readonly bare: Buffer;
  readonly orientation: number;
}

/** The tag of the orientation. */
const ORIENTATION = 0x0112;

/** How a camera was held by its Exif data, from the TIFF header on; 1, upright, where they do not say. */
export function orientationOf(exif: Buffer | undefined): number {
  if (!exif || exif.length < 8) return 1;
  // Some programs leave JPEG's mark before it.
  if (exif.toString('latin1', 0, 6) === 'Exif\0\0') return orientationOf(exif.subarray(6));
  // The order of bytes (II or MM), 42, and where the first list begins: its length, then entries of 12 bytes.
  const isLittle = exif.toString('latin1', 0, 2) === 'II';
  const u16 = (at: number): number => (isLittle ? exif.readUInt16LE(at) : exif.readUInt16BE(at));
  const list = isLittle ? exif.readUInt32LE(4) : exif.readUInt32BE(4);
  if (list + 2 > exif.length) return 1;
  const count = u16(list);
  for (let i = 0, at = list + 2; i < count && at + 12 <= exif.length; i++, at += 12) {
    if (u16(at) !== ORIENTATION) continue;
    const orientation = u16(at + 8);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

/** A JPEG file with JFIF's and Adobe's segments, which say what its components mean, and no others at the side. */
export function bareJpeg(bytes: Uint8Array): BareFile {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept = [file.subarray(0, 2)];
  let exif: Buffer | undefined;
  let at = 2;
  while (at + 4 <= file.length) {
    const marker = file[at + 1]!;
    // Bytes out of place are passed over up to the next marker, as libjpeg does.
    if (file[at] !== 0xff || marker === 0xff || marker === 0) {
      const next = file.indexOf(0xff, at + 1);
      at = next < 0 ? file.length : next;
      continue;
    }
    const end = at + 2 + file.readUInt16BE(at + 2);
    const isApp = marker >= 0xe0 && marker <= 0xef;
    const isTable = marker >= 0xc0 && marker <= 0xfe && !(marker >= 0xd0 && marker <= 0xda);
    if (!isTable || end < at + 4 || end > file.length) break;
    const start = file.toString('latin1', at + 4, Math.min(end, at + 10));
    if (marker === 0xe1 && start === 'Exif\0\0') exif ??= file.subarray(at + 10, end);
    const isSide = marker === 0xfe || (isApp && !(marker === 0xe0 && start.startsWith('JFIF\0')) && !(marker === 0xee && start.startsWith('Adobe'))); // prettier-ignore
    if (!isSide) kept.push(file.subarray(at, end));
    at = end;
  }
  return { bare: Buffer.concat([...kept, file.subarray(at)]), orientation: orientationOf(exif) };
}

const WEBP_FRAMES = /^(?:VP8[ LX]|ALPH|ANIM|ANMF)$/;
/** Bits of VP8X that say that there are a profile, Exif data, XMP. */
const WEBP_SIDE = 0x2c;

/** A WebP file with the chunks alone that its pixels are in. */
export function bareWebp(bytes: Uint8Array): BareFile {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Buffer[] = [];
  let exif: Buffer | undefined;
  for (let at = 12; at + 8 <= file.length;) {
    const type = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    // Chunks are filled up to an even length.
    const end = at + 8 + length + (length & 1);
    if (type === 'EXIF') exif ??= file.subarray(at + 8, at + 8 + length);
    if (WEBP_FRAMES.test(type)) {
      const chunk = file.subarray(at, end);
      kept.push(type === 'VP8X' && chunk.length > 8 ? withoutSide(chunk) : chunk);
    }
    at = end;
  }
  const bare = Buffer.concat([file.subarray(0, 12), ...kept]);
  bare.writeUInt32LE(bare.length - 8, 4);
  return { bare, orientation: orientationOf(exif) };
}

function withoutSide(chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk);
  copy[8]! &= ~WEBP_SIDE;
  return copy;
}
