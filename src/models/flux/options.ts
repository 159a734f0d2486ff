// The options of a FLUX: one line each, and how they are filled in for a model without its weights.

import { RANGES } from '../../core/config-ranges.js';
import { UsageError } from '../../core/errors.js';
import { checkOptions, choice, number, type OptionValues, pick, whole } from '../../core/options.js';
import type { FluxConfig } from './config.js';
import type { TokenGrid } from './packing.js';
import type { Shift } from './schedule.js';

/** How a latent is taken from one time to the next. */
export const SOLVERS = ['plain', 'stochastic'] as const;

/** One of the solvers. */
export type Solver = (typeof SOLVERS)[number];

/** What a FLUX may be told besides the prompt. */
export const FLUX_OPTIONS = {
  steps: whole('denoising steps', 1, { to: RANGES.steps.most, usual: "the model's" }),
  guidance: number(
    'strength of the distilled guidance (not of schnell)',
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
  solver: choice('plain draws the noise alone, stochastic draws at every step but the last', SOLVERS, {
    usual: 'plain',
  }),
  height: whole('height of the picture in pixels', 1, { to: RANGES.pixels.most, usual: "the model's" }),
  width: whole('width of the picture in pixels', 1, { to: RANGES.pixels.most, usual: "the model's" }),
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
  /** Length that T5's tokens are padded to. */
  readonly textLength: number;
  /** null: the times are not moved. */
  readonly shift: Shift | null;
  readonly defaults: FluxDefaults;
  /** Whether pictures of the default size are all that it draws. @default false */
  readonly oneSize?: boolean | undefined;
}

/** Options with every default filled in, as plain data. */
export interface FluxValues extends OptionValues {
  readonly steps: number;
  /** Only of models that take it. */
  readonly guidance?: number;
  readonly cfg: number;
  readonly solver: Solver;
  readonly height: number;
  readonly width: number;
}

/** Fills in the model's defaults; throws a UsageError for what this model cannot be told. */
export function resolveFlux(options: OptionValues, facts: FluxFacts): FluxValues {
  const { name, config, defaults } = facts;
  checkOptions(options, FLUX_OPTIONS, { whose: name });
  const { guidance, cfg, steps, solver, height, width } = pick(options, FLUX_OPTIONS);
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
    solver: solver ?? 'plain',
    height: height ?? defaults.height,
    width: width ?? defaults.width,
  };
  gridOf(values, facts);
  return values;
}

/** The tokens of a picture; throws a UsageError for a size that the model does not draw. */
export function gridOf(
  { height, width }: Pick<FluxValues, 'height' | 'width'>,
  { name, tokenPixels, oneSize, defaults }: FluxFacts,
): TokenGrid {
  if (oneSize && (height !== defaults.height || width !== defaults.width)) {
    throw new UsageError(
      `${name} draws pictures of ${defaults.width} x ${defaults.height} pixels only: leave height and width away`,
    );
  }
  if (height % tokenPixels !== 0 || width % tokenPixels !== 0) {
    throw new UsageError(
      `${name} draws pictures whose sides are multiples of ${tokenPixels} pixels, not ${width} x ${height}`,
    );
  }
  return { height: height / tokenPixels, width: width / tokenPixels };
}

/** Sequences per prefix: 2 with real guidance, else 1. */
export function branchesOf({ cfg }: Pick<FluxValues, 'cfg'>): 1 | 2 {
  return cfg === 1 ? 1 : 2;
}
