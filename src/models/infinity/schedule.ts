// The official scale schedules (infinity/utils/dynamic_resolution.py): token sides by aspect ratio (height / width).
// A smaller picture's schedule is a prefix of the larger one's.

import { UsageError } from '../../core/errors.js';

/** One scale of a picture, in tokens. */
export interface Scale {
  readonly height: number;
  readonly width: number;
}

/** Picture sizes by their official name (million pixels), and how many scales each runs. */
export const PICTURE_SIZES = { '0.06M': 7, '0.25M': 10, '0.60M': 12, '1M': 13 } as const;

/** The official name of a picture size. */
export type PictureSize = keyof typeof PICTURE_SIZES;

type Sides = readonly (readonly [height: number, width: number])[];

// prettier-ignore
const TALL: readonly (readonly [ratio: number, sides: Sides])[] = [
  [1.0,   [[1, 1], [2, 2], [4, 4], [6, 6], [8, 8], [12, 12], [16, 16], [20, 20], [24, 24], [32, 32], [40, 40], [48, 48], [64, 64]]],
  [1.25,  [[1, 1], [2, 2], [3, 3], [5, 4], [10, 8], [15, 12], [20, 16], [25, 20], [30, 24], [35, 28], [45, 36], [55, 44], [70, 56]]],
  [1.333, [[1, 1], [2, 2], [4, 3], [8, 6], [12, 9], [16, 12], [20, 15], [24, 18], [28, 21], [36, 27], [48, 36], [60, 45], [72, 54]]],
  [1.5,   [[1, 1], [2, 2], [3, 2], [6, 4], [9, 6], [15, 10], [21, 14], [27, 18], [33, 22], [39, 26], [48, 32], [63, 42], [78, 52]]],
  [1.75,  [[1, 1], [2, 2], [3, 3], [7, 4], [11, 6], [14, 8], [21, 12], [28, 16], [35, 20], [42, 24], [56, 32], [70, 40], [84, 48]]],
  [2.0,   [[1, 1], [2, 2], [4, 2], [6, 3], [10, 5], [16, 8], [22, 11], [30, 15], [38, 19], [46, 23], [60, 30], [74, 37], [90, 45]]],
  [2.5,   [[1, 1], [2, 2], [5, 2], [10, 4], [15, 6], [20, 8], [25, 10], [30, 12], [40, 16], [50, 20], [65, 26], [80, 32], [100, 40]]],
  [3.0,   [[1, 1], [2, 2], [6, 2], [9, 3], [15, 5], [21, 7], [27, 9], [36, 12], [45, 15], [54, 18], [72, 24], [90, 30], [111, 37]]],
];

const toScales = (sides: Sides): Scale[] => sides.map(([height, width]) => ({ height, width }));
const transpose = (scales: readonly Scale[]): Scale[] =>
  scales.map(({ height, width }) => ({ height: width, width: height }));

/** The full (1M) schedule of every official ratio, wide ones after their tall mirror images. */
const FULL_SCHEDULES: ReadonlyMap<number, readonly Scale[]> = new Map(
  TALL.flatMap(([ratio, sides]): [number, readonly Scale[]][] => {
    const scales = toScales(sides);
    // The official key of the mirrored ratio is cut, not rounded, to three digits.
    return ratio === 1
      ? [[ratio, scales]]
      : [
          [ratio, scales],
          [Math.trunc((1 / ratio) * 1000) / 1000, transpose(scales)],
        ];
  }),
);

/** The official aspect ratios, height over width. */
export const ASPECT_RATIOS: readonly number[] = [...FULL_SCHEDULES.keys()];

/** A schedule to generate with, and the one whose last scale the rotary positions are stretched to. */
export interface ScaleSchedule {
  readonly scales: readonly Scale[];
  /** The ratio's 1M schedule for official models; the model's own schedule otherwise. */
  readonly rotary: readonly Scale[];
}

/** The official schedule of a picture size at the official ratio nearest to `ratio` (height over width). */
export function officialSchedule(size: PictureSize, ratio = 1): ScaleSchedule {
  if (!(ratio > 0)) throw new UsageError(`aspect ratio must be a positive number, got ${ratio}`);
  if (!Object.hasOwn(PICTURE_SIZES, size)) {
    throw new UsageError(
      `unknown picture size '${size}': choose one of ${Object.keys(PICTURE_SIZES).join(', ')}, or pixels such as 1024x1024`,
    );
  }
  const nearest = ASPECT_RATIOS.reduce((a, b) => (Math.abs(b - ratio) < Math.abs(a - ratio) ? b : a));
  const rotary = FULL_SCHEDULES.get(nearest) ?? [];
  return { scales: rotary.slice(0, PICTURE_SIZES[size]), rotary };
}

/** Pixels of a token's side: what the official autoencoders have. */
const TOKEN_PIXELS = 16;

/** The official schedule of a picture of so many pixels; a UsageError that names those near it where there is none. */
export function scheduleOfPixels(width: number, height: number): ScaleSchedule {
  const all = ASPECT_RATIOS.flatMap((ratio) =>
    (Object.keys(PICTURE_SIZES) as PictureSize[]).map((size) => {
      const schedule = officialSchedule(size, ratio);
      const { width: across = 0, height: down = 0 } = schedule.scales.at(-1) ?? {};
      return { schedule, width: across * TOKEN_PIXELS, height: down * TOKEN_PIXELS };
    }),
  );
  const found = all.find((each) => each.width === width && each.height === height);
  if (found) return found.schedule;
  const distance = (each: { readonly width: number; readonly height: number }): number =>
    Math.hypot(Math.log(each.width / width), Math.log(each.height / height));
  const near = all
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, 3)
    .map((each) => `${each.width}x${each.height}`);
  throw new UsageError(
    `the official models draw no picture of ${width}x${height}: near it are ${near.join(', ')}`,
  );
}

/** How many tokens stand before scale `index` (0-based). */
export function tokensBefore(scales: readonly Scale[], index: number): number {
  return scales.slice(0, index).reduce((sum, { height, width }) => sum + height * width, 0);
}
