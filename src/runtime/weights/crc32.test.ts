import { describe, expect, it } from 'vitest';

import { crc32, crc32Portable } from './crc32.js';

describe('crc32', () => {
  it("gives the standard's check value", () => {
    const digits = new TextEncoder().encode('123456789');
    expect(crc32(digits)).toBe(0xcbf43926);
    expect(crc32Portable(digits)).toBe(0xcbf43926);
    expect(crc32Portable(new Uint8Array(0))).toBe(0);
  });

  it('continues over parts, in the portable version too', () => {
    const bytes = Uint8Array.from({ length: 1001 }, (_, i) => (i * 167) & 255);
    const whole = crc32(bytes);
    for (const cut of [0, 1, 8, 500, 1001]) {
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(whole);
      expect(crc32Portable(bytes.subarray(cut), crc32Portable(bytes.subarray(0, cut)))).toBe(whole);
    }
  });
});
