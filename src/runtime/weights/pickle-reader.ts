// A cursor over the bytes of a pickle: little-endian numbers and strict UTF-8, never past the end.

import { CheckpointError } from '../../core/errors.js';
import { decodeUtf8 } from './utf8.js';

/** Reads a pickle's opcodes and operands in order; throws CheckpointError, naming `label`, at the end of the bytes. */
export class PickleReader {
  /** Place of the next byte. */
  at = 0;
  readonly #label: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(label: string, bytes: Uint8Array) {
    this.#label = label;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#bytes.length - this.at;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** Eight bytes as a number: rounded above 2^53, which no length in a file reaches. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** Pickle's one big-endian number. */
  float64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** A two's complement integer of `length` bytes; a bigint only where a number would round. */
  integer(length: number): number | bigint {
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#view.getUint8(start + i));
    value = BigInt.asIntN(length * 8, value);
    const narrow = Number(value);
    return Number.isSafeInteger(narrow) ? narrow : value;
  }

  /** A string of `length` bytes. */
  text(length: number): string {
    const start = this.#take(length);
    const text = decodeUtf8(this.#bytes.subarray(start, start + length));
    if (text === undefined) {
      throw new CheckpointError(this.#label, `its pickle holds a string at byte ${start} that is not UTF-8`);
    }
    return text;
  }

  /** A string that ends with a newline. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    const text = this.text((end < 0 ? this.#bytes.length : end) - this.at);
    this.#take(1);
    return text;
  }

  #take(length: number): number {
    const start = this.at;
    if (length > this.remaining) {
      throw new CheckpointError(
        this.#label,
        `its pickle is truncated: it ends within an operand at byte ${start}`,
      );
    }
    this.at += length;
    return start;
  }
}
