import { describe, expect, it } from 'vitest';

import { addCodes, bitsFromGrid, codesOf, emptyLatent, scaleInput } from './codes.js';

const scale = { height: 1, width: 2 };
const layout = { channels: 3, patch: 2 };

describe('codes', () => {
  it('keep patchified tokens in the order of torch.nn.functional.pixel_unshuffle', () => {
    // x = torch.arange(24).reshape(1, 3, 2, 4): pixel_unshuffle(x, 2)[0, :, 0, 0] is
    // [0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21], and [0, :, 0, 1] the same plus 2.
    const planes = { height: 2, width: 4, data: Float32Array.from({ length: 24 }, (_, i) => i) };
    const first = [0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21];
    expect([...scaleInput(planes, scale, layout)]).toEqual([...first, ...first.map((x) => x + 2)]);
  });

  it('are plus or minus 1 / sqrt(d), and come back from the grid as the same bits', () => {
    const bits = Uint8Array.from({ length: 24 }, (_, i) => ((i * 7) % 3) & 1);
    const { data } = codesOf(bits, scale, layout);
    expect(new Set(data.map((x) => Math.abs(x)))).toEqual(new Set([Math.fround(1 / Math.sqrt(3))]));
    const grid = new Uint8Array(24); // [height, width, d]
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < 8; i++) grid[i * 3 + c] = (data[c * 8 + i] ?? 0) > 0 ? 1 : 0;
    }
    expect(bitsFromGrid(grid, scale, layout)).toEqual(bits);
  });

  it('add up without interpolation at the last scale', () => {
    const bits = new Uint8Array(24).fill(1);
    const once = addCodes(emptyLatent(scale, layout), bits, scale, layout);
    const twice = addCodes(once, bits, scale, layout);
    expect(twice.data.every((x) => Math.abs(x - 2 / Math.sqrt(3)) < 1e-6)).toBe(true);
  });
});
