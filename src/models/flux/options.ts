// The options of a FLUX: one line each, and how they are filled in for a model without its weights.

import { RANGES } from '../../core/config-ranges.js';
import { UsageError } from '../../core/errors.js';
import {
  checkOptions,
  choice,
  number,
  type OptionValues,
  pick,
  text,
  whole,
  wrongOption,
} from '../../core/options.js';
import type { Precision } from '../../runtime/graph/index.js';
import { PRECISION, precisionOf } from '../precision.js';
import type { VaeSizes } from '../vae/cost.js';
import type { FluxConfig } from './config.js';
import type { TokenGrid } from './packing.js';
import type { Shift } from './schedule.js';

/** How a latent is taken from one time to the next. */
export const SOLVERS = ['plain', 'stochastic'] as const;

/** One of the solvers. */
export type Solver = (typeof SOLVERS)[number];

/** Beyond this, and below its inverse, float32 can no longer tell the times of many steps apart. */
const MOST_SHIFT = 1000;

/** The options with which every denoising step but the last draws. */
export const FLUX_DRAWING: OptionValues = { solver: 'stochastic' };

/** What a FLUX may be told besides the prompt. */
export const FLUX_OPTIONS = {
  steps: whole('denoising steps of a FLUX', 1, {
    to: RANGES.steps.most,
    usual: "the model's",
    aliases: [{ name: 'num-inference-steps' }, { name: 'num-steps' }],
  }),
  guidance: number(
    'strength of the guidance that was distilled into a FLUX (not into schnell)',
    (value) => value >= 0 && value <= RANGES.guidance.most,
    `a number from 0 to ${RANGES.guidance.most}`,
    { usual: "the model's" },
  ),
  cfg: number(
    'real guidance against the empty prompt, two sequences a step (Diffusers: true_cfg_scale); 1 is off',
    (value) => value >= 1 && value <= RANGES.guidance.most,
    `a number from 1 to ${RANGES.guidance.most}`,
    { usual: "the model's", show: (value) => (value === 1 ? 'off' : String(value)) },
  ),
  shift: number(
    'how far the times of a FLUX are moved towards the noise, s t / (1 + (s - 1) t); 1 is not at all',
    (value) => value >= 1 / MOST_SHIFT && value <= MOST_SHIFT,
    `a number from ${1 / MOST_SHIFT} to ${MOST_SHIFT}`,
    { usual: "the model's, by the size of the picture", placeholder: 's' },
  ),
  solver: choice('plain draws the noise alone, stochastic draws at every step but the last', SOLVERS, {
    usual: 'plain',
  }),
  size: text('picture size in pixels, width x height: 1024x768', 'a width and a height such as 1024x768', {
    usual: "the model's",
    placeholder: 'size',
  }),
  precision: PRECISION,
};

/** How a FLUX is run where nobody says otherwise. */
export interface FluxDefaults {
  readonly steps: number;
  /** null for models without guidance. */
  readonly guidance: number | null;
  /** Real guidance; 1 is none. */
  readonly cfg: number;
  readonly height: number;
  readonly width: number;
}

/** What is known of a FLUX without its weights, as far as options and schedules need it. */
export interface FluxFacts {
  readonly name: string;
  readonly config: FluxConfig;
  /** Side in pixels of the square that one token covers. */
  readonly tokenPixels: number;
  /** Of the autoencoder's decoder, where a configuration tells. */
  readonly decoder?: VaeSizes | undefined;
  /** Length that T5's tokens are padded to. */
  readonly textLength: number;
  /** By the size of the picture, by one factor, or null: the times are not moved. */
  readonly shift: Shift | number | null;
  readonly defaults: FluxDefaults;
  /** Whether pictures of the default size are all that it draws. @default false */
  readonly oneSize?: boolean | undefined;
  /** In which it was loaded; a model that is not loaded may be asked for any. */
  readonly precision?: Precision | undefined;
}

/** Options with every default filled in, as plain data. */
export interface FluxValues extends OptionValues {
  readonly steps: number;
  /** Only of models that take it. */
  readonly guidance?: number;
  readonly cfg: number;
  /** Only where it was given. */
  readonly shift?: number;
  readonly solver: Solver;
  /** Only where it is not float32. */
  readonly precision?: Precision;
  /** In pixels, width x height, such as '1024x768'. */
  readonly size: string;
}

/** Fills in the model's defaults; throws a UsageError for what this model cannot be told. */
export function resolveFlux(options: OptionValues, facts: FluxFacts): FluxValues {
  const { name, config, defaults } = facts;
  checkOptions(options, FLUX_OPTIONS, { whose: name });
  const { guidance, cfg, steps, shift, solver, size, precision } = pick(options, FLUX_OPTIONS);
  if (guidance !== undefined && !config.guidance) {
    throw new UsageError(`${name} takes no guidance (it is a FLUX.1-schnell): leave guidance away`);
  }
  const strength = guidance ?? defaults.guidance;
  if (config.guidance && strength === null) {
    throw new UsageError(
      `${name} takes guidance as an input (it is a FLUX.1-dev): say how strong, such as 3.5`,
    );
  }
  const values: FluxValues = {
    steps: steps ?? defaults.steps,
    ...(config.guidance && strength !== null ? { guidance: strength } : {}),
    cfg: cfg ?? defaults.cfg,
    ...(shift === undefined ? {} : { shift }),
    solver: solver ?? 'plain',
    ...precisionOf(name, precision, facts.precision),
    size: size ?? sizeText(defaults),
  };
  gridOf(values, facts);
  return values;
}

const sizeText = ({ width, height }: Pick<FluxDefaults, 'width' | 'height'>): string => `${width}x${height}`;

/** The tokens of a picture; throws a UsageError for a size that the model does not draw. */
export function gridOf(
  { size }: Pick<FluxValues, 'size'>,
  { name, tokenPixels, oneSize, defaults }: FluxFacts,
): TokenGrid {
  const [, width = 0, height = 0] = (/^([1-9]\d{0,5})x([1-9]\d{0,5})$/.exec(size) ?? []).map(Number);
  if (width === 0) throw wrongOption('size', FLUX_OPTIONS.size.expected, size);
  if (oneSize && size !== sizeText(defaults)) {
    throw new UsageError(`${name} draws pictures of ${sizeText(defaults)} pixels only: leave size away`);
  }
  if (height % tokenPixels !== 0 || width % tokenPixels !== 0) {
    throw new UsageError(
      `${name} draws pictures whose sides are multiples of ${tokenPixels} pixels, not ${size}`,
    );
  }
  return { height: height / tokenPixels, width: width / tokenPixels };
}

/** How the times of a run are moved: as was asked for, or as the model does. */
export function shiftOf({ shift }: Pick<FluxValues, 'shift'>, facts: FluxFacts): Shift | number | null {
  return shift ?? facts.shift;
}

/** Sequences per prefix: 2 with real guidance, else 1. */
export function branchesOf({ cfg }: Pick<FluxValues, 'cfg'>): 1 | 2 {
  return cfg === 1 ? 1 : 2;
}
