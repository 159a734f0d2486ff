// The schedule of an Infinity as search knows it, from sizes alone: no weights are needed.

import type { OptionValues } from '../../core/options.js';
import type { Precision } from '../../runtime/graph/index.js';
import type { Schedule, Step } from '../contract.js';
import type { VaeSizes } from '../vae/cost.js';
import type { TransformerSizes } from './config.js';
import {
  bitBytes,
  gatheredBytes,
  logitBytes,
  pageBytes,
  PIECES_FROM,
  stepBytes,
  stepFlops,
  stepTokens,
} from './cost.js';
import { branchesOf, chooseSchedule, type InfinityRun, resolveInfinity } from './options.js';
import type { Scale } from './schedule.js';

/** What a schedule follows from. */
export interface StepFacts {
  readonly scales: readonly Scale[];
  readonly sizes: TransformerSizes;
  /** Side in pixels of the square that one token covers. */
  readonly tokenPixels: number;
  /** Sequences per prefix: 2 with guidance, else 1. */
  readonly branches: number;
  /** Tokens of the prompt. */
  readonly textTokens: number;
  /** @default float32 */
  readonly precision?: Precision | undefined;
}

/** The schedule of one prompt. */
export function scheduleOf({
  scales,
  sizes,
  tokenPixels,
  branches,
  textTokens,
  precision = 'float32',
}: StepFacts): Schedule {
  const { tokens: lastTokens, past } = stepTokens(scales, scales.length - 1);
  const gathersAlways = pageBytes(sizes, 1, past, precision) < PIECES_FROM;
  const steps = scales.map(({ height, width }, index): Step => {
    const counts = stepTokens(scales, index);
    const isLast = index === scales.length - 1;
    const tokens = isLast ? 0 : counts.tokens;
    const each = { branches, textTokens, precision };
    const page = pageBytes(sizes, branches, counts.tokens, precision);
    const gathered = gatheredBytes(sizes, { ...each, past: counts.past, tokens });
    return {
      label: `${height} \u00d7 ${width}`,
      draws: true,
      nfe: 1,
      tokens: counts.tokens,
      flops: stepFlops(sizes, { branches, textTokens, ...counts }),
      // Logits, and keys and values: nothing comes after the last scale, so that its own are not kept.
      heldBytes: logitBytes(sizes, counts.tokens) + (isLast ? 0 : page),
      prefixBytes: bitBytes(sizes, counts.tokens, lastTokens),
      runBytes:
        stepBytes(sizes, { ...each, ...counts }) +
        logitBytes(sizes, counts.tokens) -
        (isLast ? page : 0) +
        (gathersAlways ? gathered : 0),
      gatheredBytes: gathersAlways ? 0 : gathered,
      readout: { width: width * tokenPixels, height: height * tokenPixels, nfe: 0 },
    };
  });
  return { unit: 'scale', steps };
}

/** What is known of a model without its weights. */
export interface InfinityFacts extends InfinityRun {
  readonly sizes: TransformerSizes;
  readonly tokenPixels: number;
  /** Of the VAE's decoder, where a configuration tells. */
  readonly decoder?: VaeSizes | undefined;
}

/**
 * Tokens of a prompt that is not known yet: a sentence of a dozen words. They enter the operations of cross-attention
 * alone: a thousandth of a picture's for the official models, a hundredth for the embedded one.
 */
export const USUAL_TEXT_TOKENS = 16;

/** The schedule of a model that is not loaded, for a prompt of usual length. */
export function scheduleFromFacts(
  { sizes, tokenPixels, ...run }: InfinityFacts,
  options: OptionValues,
  textTokens = USUAL_TEXT_TOKENS,
): Schedule {
  const values = resolveInfinity(options, run);
  const { scales } = chooseSchedule(values, run);
  const { cfg, precision } = values;
  return scheduleOf({ scales, sizes, tokenPixels, branches: branchesOf(cfg), textTokens, precision });
}
