// Text from the bytes of a file.

import { UsageError } from './errors.js';

/** UTF-8, or UTF-16 with a mark; a UsageError that names the file for anything else. */
export function decodeText(bytes: Uint8Array, file: string): string {
  const mark = Buffer.from(bytes.subarray(0, 2)).toString('latin1');
  const encoding = mark === '\xff\xfe' ? 'utf-16le' : mark === '\xfe\xff' ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch (cause) {
    throw new UsageError(`${file} is not ${encoding.toUpperCase()} text: save it as UTF-8`, { cause });
  }
  throw new UsageError(`${file} is not text, or UTF-16 without a mark: save it as UTF-8`);
}
