import { describe, expect, it } from 'vitest';

import { interpolate } from './interpolate.js';

// x = torch.arange(12.).reshape(1, 1, 3, 4) ** 2 / 10
const plane = Float32Array.from({ length: 12 }, (_, i) => (i * i) / 10);
const size = { height: 3, width: 4 };
// prettier-ignore
const EXPECTED_GROWN = [0.000000, 0.050000, 0.150000, 0.350000, 0.650000, 0.900000, 0.640000, 0.850000, 1.163333, 1.576667, 2.090000, 2.500000, 1.600000, 2.050000, 2.683334, 3.416667, 4.250000, 4.900001, 4.480000, 5.170001, 6.123334, 7.176668, 8.330001, 9.220001, 6.400000, 7.250000, 8.416667, 9.683333, 11.050000, 12.100000];
const EXPECTED_SHRUNK = [0.45, 0.95, 1.783333, 5.45, 7.55, 9.983334];
const EXPECTED_AREA = [1.05, 1.65, 2.45, 4.65, 6.05, 7.65];

describe('interpolate', () => {
  it('shrinks linearly as F.interpolate(x[:, :, None], size=(1, 2, 3), mode="trilinear") does', () => {
    const found = interpolate(plane, 1, size, { height: 2, width: 3 }, 'linear');
    EXPECTED_SHRUNK.forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 5);
    });
  });

  it('grows linearly as F.interpolate(x[:, :, None], size=(1, 5, 6), mode="trilinear") does', () => {
    const found = interpolate(plane, 1, size, { height: 5, width: 6 }, 'linear');
    expect(found).toHaveLength(EXPECTED_GROWN.length);
    EXPECTED_GROWN.forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 5);
    });
  });

  it('averages areas as F.interpolate(x, size=(2, 3), mode="area") does', () => {
    const found = interpolate(plane, 1, size, { height: 2, width: 3 }, 'area');
    EXPECTED_AREA.forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 5);
    });
  });

  it('treats planes apart, and copies when nothing is to be done', () => {
    const two = Float32Array.of(...plane, ...plane.map((x) => -x));
    const found = interpolate(two, 2, size, { height: 2, width: 3 }, 'linear');
    expect([...found.slice(6)]).toEqual([...found.slice(0, 6)].map((x) => -x));
    const same = interpolate(plane, 1, size, size, 'linear');
    expect(same).toEqual(plane);
    expect(same).not.toBe(plane);
  });

  it('refuses values that are no such planes', () => {
    expect(() => interpolate(plane, 2, size, size, 'area')).toThrow('12 values are no 2 planes of 3 x 4');
  });
});
