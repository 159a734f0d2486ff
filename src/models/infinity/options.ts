// The options of an Infinity: one line each, and how they are filled in for a model without its weights.

import { RANGES } from '../../core/config-ranges.js';
import { UsageError } from '../../core/errors.js';
import { checkOptions, number, numbers, type OptionValues, pick, text, whole } from '../../core/options.js';
import type { Precision } from '../../runtime/graph/index.js';
import { PRECISION, precisionOf } from '../precision.js';
import { officialSchedule, type PictureSize, type ScaleSchedule } from './schedule.js';

const offOr = (value: number): string => (value === 0 ? 'off' : String(value));

/** What an Infinity may be told besides the prompt. */
export const INFINITY_OPTIONS = {
  cfg: numbers(
    'guidance, one number or one per scale: 4 or 4,3,3',
    (value) => value >= RANGES.guidance.least && value <= RANGES.guidance.most,
    `a number from ${RANGES.guidance.least} to ${RANGES.guidance.most}`,
    { usual: "the model's" },
  ),
  temperature: numbers(
    'sampling temperature, one number or one per scale',
    (value) => value > 0 && value <= RANGES.temperature.most,
    `a number above 0, at most ${RANGES.temperature.most}`,
    { usual: "the model's" },
  ),
  topK: whole("keep the k likelier of a bit's two values: 0 both, 1 greedy", 0, { usual: '0', show: offOr }),
  topP: number(
    "nucleus sampling over a bit's two values, 0 to 1",
    (value) => value >= 0 && value <= 1,
    'a number from 0 to 1',
    { usual: "the model's", show: offOr },
  ),
  size: text('picture size of an official model: 0.06M, 0.25M, 0.60M or 1M', 'the name of a size', {
    usual: "the model's",
    placeholder: 'name',
  }),
  precision: PRECISION,
  aspectRatio: number(
    'height over width of an official model',
    (value) => value >= RANGES.aspect.least && value <= RANGES.aspect.most,
    `a number from ${RANGES.aspect.least} to ${RANGES.aspect.most} (height over width)`,
    { usual: '1' },
  ),
};

/** Guidance and sampling where a prompt does not say otherwise. */
export interface InfinityDefaults {
  readonly cfg: number | readonly number[];
  readonly temperature: number | readonly number[];
  /** @default 0, off */
  readonly topP?: number;
}

/** How a model is run, as far as its options need to know. */
export interface InfinityRun {
  readonly name: string;
  /** The one schedule that the model was trained on, or the official table of sizes and ratios. */
  readonly schedule: ScaleSchedule | 'official';
  /** Of the official table, the size of a picture where none is asked for. @default '1M' */
  readonly pictureSize?: PictureSize;
  readonly defaults: InfinityDefaults;
  /** In which it was loaded; a model that is not loaded may be asked for any. */
  readonly precision?: Precision;
}

/** Options with every default filled in, as plain data. */
export interface InfinityValues extends InfinityDefaults, OptionValues {
  readonly topK: number;
  readonly topP: number;
  /** Only where it is not float32. */
  readonly precision?: Precision;
  /** Only where it was given. */
  readonly size?: string;
  readonly aspectRatio?: number;
}

/** Fills in the model's defaults; throws a UsageError for what this model cannot be told. */
export function resolveInfinity(options: OptionValues, run: InfinityRun): InfinityValues {
  checkOptions(options, INFINITY_OPTIONS, { whose: run.name });
  const { size, aspectRatio, precision: asked, ...given } = pick(options, INFINITY_OPTIONS);
  const picture = {
    ...precisionOf(run.name, asked, run.precision),
    ...(size === undefined ? {} : { size }),
    ...(aspectRatio === undefined ? {} : { aspectRatio }),
  };
  const values = { topK: 0, topP: 0, ...run.defaults, ...given, ...picture } as InfinityValues;
  const { scales } = chooseSchedule(values, run);
  perScale(values.cfg, scales.length, 'cfg');
  perScale(values.temperature, scales.length, 'temperature');
  return values;
}

/** The size where an official model is not told one. */
const DEFAULT_SIZE: PictureSize = '1M';

/** The schedule of a picture of the size and ratio that are asked for. */
export function chooseSchedule(
  { size, aspectRatio }: Pick<InfinityValues, 'size' | 'aspectRatio'>,
  { name, schedule, pictureSize = DEFAULT_SIZE }: InfinityRun,
): ScaleSchedule {
  // officialSchedule refuses names that are no sizes.
  if (schedule === 'official') return officialSchedule((size ?? pictureSize) as PictureSize, aspectRatio);
  if (size === undefined && aspectRatio === undefined) return schedule;
  throw new UsageError(`${name} draws pictures of one size and ratio: leave size and aspect ratio away`);
}

/** One value per scale: a number stands for all of them. */
export function perScale(value: number | readonly number[], count: number, name: string): readonly number[] {
  if (typeof value === 'number') return Array.from({ length: count }, () => value);
  if (value.length !== count) throw new UsageError(`${name} has ${value.length} values for ${count} scales`);
  return value;
}

/** Sequences per prefix: without guidance the unconditional branch is not run. */
export function branchesOf(cfg: number | readonly number[]): 1 | 2 {
  return [cfg].flat().every((strength) => strength === 1) ? 1 : 2;
}
