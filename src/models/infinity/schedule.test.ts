import { describe, expect, it } from 'vitest';

import {
  ASPECT_RATIOS,
  officialSchedule,
  PICTURE_SIZES,
  type PictureSize,
  tokensBefore,
} from './schedule.js';

const sizes = Object.keys(PICTURE_SIZES) as PictureSize[];
const tokens = (size: PictureSize, ratio = 1): number => {
  const { scales } = officialSchedule(size, ratio);
  return tokensBefore(scales, scales.length);
};

describe('official schedules', () => {
  it('have the token counts that the paper and PAPER.md state', () => {
    expect(tokens('1M')).toBe(10521);
    expect(tokens('0.06M')).toBe(521);
  });

  it('know 15 ratios, each with 7, 10, 12 or 13 scales that begin with one token', () => {
    expect(ASPECT_RATIOS).toHaveLength(15);
    for (const ratio of ASPECT_RATIOS) {
      for (const size of sizes) {
        const { scales, rotary } = officialSchedule(size, ratio);
        expect(scales).toHaveLength(PICTURE_SIZES[size]);
        expect(scales[0]).toEqual({ height: 1, width: 1 });
        expect(rotary.slice(0, scales.length)).toEqual(scales);
        const last = scales.at(-1);
        expect(Math.abs((last?.height ?? 0) / (last?.width ?? 1) - ratio)).toBeLessThan(0.01);
      }
    }
  });

  it('take the nearest official ratio', () => {
    expect(officialSchedule('1M', 0.74).scales.at(-1)).toEqual({ height: 54, width: 72 });
    expect(officialSchedule('1M', 1.1).scales.at(-1)).toEqual({ height: 64, width: 64 });
  });

  it('refuse sizes and ratios that do not exist', () => {
    expect(() => officialSchedule('2M' as PictureSize)).toThrow(
      "unknown picture size '2M': choose one of 0.06M",
    );
    expect(() => officialSchedule('1M', 0)).toThrow('aspect ratio must be a positive number');
  });
});
