// Conversions from stored element types to the types that the library computes with: fp16 through a table of all
// 65,536 values, float8 through one of 256, bf16 by a shift. Bytes are little-endian, as is every machine that Node.js runs on today but s390x.

import type { TensorDtype } from './dtypes.js';

/** Widens floating-point bytes to fp32 (F64 is rounded); a TypeError for integers. May return a view of `bytes`. */
export function widenToFloat32(dtype: TensorDtype, bytes: Uint8Array): Float32Array {
  switch (dtype) {
    case 'F32': {
      const { buffer, byteOffset, byteLength } = aligned(bytes, 4);
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    }
    case 'F64': {
      const { buffer, byteOffset, byteLength } = aligned(bytes, 8);
      return Float32Array.from(new Float64Array(buffer, byteOffset, byteLength / 8));
    }
    case 'F16':
      return widenHalf(halfWords(bytes));
    case 'BF16':
      return widenBfloat(halfWords(bytes));
    case 'F8_E4M3':
      return widenFloat8(bytes);
    case 'F8_E5M2':
      return widenHalf(Uint16Array.from(bytes, (byte) => byte << 8)); // the upper half of an fp16
    default:
      throw new TypeError(`holds ${dtype}, not floating point: read it as integers`);
  }
}

/** Converts integer or boolean bytes to 32 bits; a RangeError when a value does not fit, a TypeError for floating point. */
export function integersFrom(dtype: TensorDtype, bytes: Uint8Array): Int32Array {
  switch (dtype) {
    case 'I64': {
      const wide = wideIntegers(bytes);
      const out = new Int32Array(wide.length);
      for (const [i, value] of wide.entries()) {
        if (value !== BigInt.asIntN(32, value)) {
          throw new RangeError(`holds ${value}, which does not fit 32 bits`);
        }
        out[i] = Number(value);
      }
      return out;
    }
    case 'I32': {
      const { buffer, byteOffset, byteLength } = aligned(bytes, 4);
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    }
    case 'I16': {
      const { buffer, byteOffset, byteLength } = aligned(bytes, 2);
      return Int32Array.from(new Int16Array(buffer, byteOffset, byteLength / 2));
    }
    case 'I8':
      return Int32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    case 'U8':
      return Int32Array.from(bytes);
    case 'BOOL':
      return Int32Array.from(bytes, (byte) => (byte === 0 ? 0 : 1));
    default:
      throw new TypeError(`holds ${dtype}, not integers: read it as floating point`);
  }
}

/** Converts integer or boolean bytes to 64 bits; a TypeError for floating point. */
export function integersFromBig(dtype: TensorDtype, bytes: Uint8Array): BigInt64Array {
  if (dtype === 'I64') return wideIntegers(bytes);
  return BigInt64Array.from(integersFrom(dtype, bytes), BigInt);
}

let halfTable: Float32Array | undefined;

/** Widens fp16 bit patterns to fp32, exactly. */
export function widenHalf(words: Uint16Array): Float32Array {
  const table = (halfTable ??= makeHalfTable());
  const out = new Float32Array(words.length);
  for (let i = 0; i < words.length; i++) out[i] = table[words[i]!]!;
  return out;
}

/** Widens bf16 bit patterns to fp32, exactly. */
export function widenBfloat(words: Uint16Array): Float32Array {
  const out = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) out[i] = words[i]! << 16;
  return new Float32Array(out.buffer);
}

let float8Table: Float32Array | undefined;

/**
 * Widens float8 E4M3 (torch.float8_e4m3fn: exponent bias 7, no infinities, NaN where all seven bits are ones) to fp32,
 * exactly.
 */
export function widenFloat8(bytes: Uint8Array): Float32Array {
  const table = (float8Table ??= Float32Array.from({ length: 256 }, (_, bits) => {
    const [sign, exponent, fraction] = [bits & 128 ? -1 : 1, (bits >> 3) & 15, (bits & 7) / 8];
    if (exponent === 15 && fraction === 7 / 8) return NaN;
    return sign * (exponent === 0 ? 2 ** -6 * fraction : 2 ** (exponent - 7) * (1 + fraction));
  }));
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = table[bytes[i]!]!;
  return out;
}

function makeHalfTable(): Float32Array {
  const bits = new Uint32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    let mantissa = half & 1023;
    if (exponent === 31) {
      bits[half] = sign | 0x7f800000 | (mantissa << 13); // infinity and NaN keep their payload
    } else if (exponent > 0) {
      bits[half] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    } else if (mantissa === 0) {
      bits[half] = sign;
    } else {
      // A subnormal half is a normal float: shift until the leading one is implicit.
      let shifts = 0;
      for (; (mantissa & 1024) === 0; shifts++) mantissa <<= 1;
      bits[half] = sign | ((113 - shifts) << 23) | ((mantissa & 1023) << 13);
    }
  }
  return new Float32Array(bits.buffer);
}

function halfWords(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes, 2);
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}

function wideIntegers(bytes: Uint8Array): BigInt64Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes, 8);
  return new BigInt64Array(buffer, byteOffset, byteLength / 8);
}

/** The same bytes at an offset that a typed array accepts; copies only when they do not lie so already. */
function aligned(bytes: Uint8Array, alignment: number): Uint8Array {
  return bytes.byteOffset % alignment === 0 ? bytes : bytes.slice();
}
