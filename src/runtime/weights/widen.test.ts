import { describe, expect, it } from 'vitest';

import {
  integersFrom,
  integersFromBig,
  widenBfloat,
  widenFloat8,
  widenHalf,
  widenToFloat32,
} from './widen.js';

/** IEEE 754 binary16 by its definition. */
function halfByDefinition(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction);
}

describe('widening', () => {
  it('widens every fp16 pattern exactly', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const wide = widenHalf(all);
    for (const [bits, value] of wide.entries()) {
      if (!Object.is(value, halfByDefinition(bits))) throw new Error(`0x${bits.toString(16)} gave ${value}`);
    }
  });

  it('widens bf16 to the float with the same upper half', () => {
    const wide = widenBfloat(new Uint16Array([0x3f80, 0xc000, 0x7f80, 0x8000, 0x0001, 0x4049]));
    expect([...wide]).toEqual([1, -2, Infinity, -0, 2 ** -133, 3.140625]);
  });

  it('widens float8 as torch.float8_e4m3fn does', () => {
    // 1, -1, the largest, the smallest normal, the smallest and the largest subnormal, both zeros, both NaNs.
    const bytes = new Uint8Array([0x38, 0xb8, 0x7e, 0x08, 0x01, 0x07, 0x00, 0x80, 0x7f, 0xff]);
    const known = [1, -1, 448, 2 ** -6, 2 ** -9, 7 * 2 ** -9, 0, -0, NaN, NaN];
    expect([...widenFloat8(bytes)]).toEqual(known);
    expect([...widenToFloat32('F8_E4M3', bytes)]).toEqual(known);
    expect(() => integersFrom('F8_E4M3', bytes)).toThrow('not integers');
  });

  it('widens float8 as torch.float8_e5m2 does', () => {
    // 1, -2, the largest, the smallest subnormal, both infinities, NaN.
    const bytes = new Uint8Array([0x3c, 0xc0, 0x7b, 0x01, 0x7c, 0xfc, 0x7e]);
    expect([...widenToFloat32('F8_E5M2', bytes)]).toEqual([1, -2, 57344, 2 ** -16, Infinity, -Infinity, NaN]);
  });

  it('reads bytes at any alignment', () => {
    const bytes = new Uint8Array(1 + 16);
    new DataView(bytes.buffer).setFloat32(1, 1.5, true);
    new DataView(bytes.buffer).setFloat32(5, -7, true);
    expect([...widenToFloat32('F32', bytes.subarray(1, 9))]).toEqual([1.5, -7]);
    expect([...widenToFloat32('F16', new Uint8Array([9, 0x00, 0x3c]).subarray(1))]).toEqual([1]);
    expect([...widenToFloat32('F64', new Uint8Array(17).subarray(1))]).toEqual([0, 0]);
  });

  it('keeps integers exact and says when 32 bits are too few', () => {
    const wide = new BigInt64Array([-(2n ** 63n), 2n ** 40n + 1n, -1n]);
    const bytes = new Uint8Array(wide.buffer);
    expect([...integersFromBig('I64', bytes)]).toEqual([...wide]);
    expect([...integersFrom('I64', bytes.subarray(16))]).toEqual([-1]);
    expect(() => integersFrom('I64', bytes)).toThrow('-9223372036854775808, which does not fit 32 bits');
    expect([...integersFrom('I8', new Uint8Array([255, 127]))]).toEqual([-1, 127]);
    expect([...integersFrom('I16', new Uint8Array([0, 128]))]).toEqual([-32768]);
    expect([...integersFromBig('BOOL', new Uint8Array([0, 1, 2]))]).toEqual([0n, 1n, 1n]);
  });

  it('refuses to mix integers and floating point', () => {
    expect(() => widenToFloat32('I64', new Uint8Array(8))).toThrow('not floating point');
    expect(() => integersFrom('F32', new Uint8Array(8))).toThrow('not integers');
  });
});
