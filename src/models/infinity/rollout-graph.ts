// A rollout as one run: all scales of some pictures in one graph, so that keys and values never leave the device and only bits come
// back. The step (step-graph.ts) is in it once a scale, with the same weights; what lies between two steps, a comparison of two
// logits with a threshold for every bit and the interpolation of codes, is in it too, in float32 (sampling.ts and codes.ts are in
// double precision).
// n pictures, S branches, T text tokens, L tokens of a scale, D bits of a token, d channels of the latent.

import {
  add,
  concat,
  gather,
  GraphBuilder,
  type GraphModel,
  less,
  matMul,
  reduceMax,
  reduceMean,
  reshape,
  slice,
  sub,
  transpose,
  unsqueeze,
  type Value,
  where,
} from '../../runtime/graph/index.js';
import { linearWeights } from '../vae/interpolate.js';
import { type CodeLayout, latentGrid } from './codes.js';
import type { RotaryTable } from './rotary.js';
import type { Scale } from './schedule.js';
import { type Kept, modulationInput, pageInputs, type StepModel, transformerStep } from './step-graph.js';

/** What is drawn in one run. */
export interface Rollout {
  /** All scales of the picture, and the rotary tables of each. */
  readonly scales: readonly Scale[];
  readonly rotary: readonly RotaryTable[];
  /** How many of them are drawn: the others are those of a preview that is not completed. */
  readonly until: number;
  readonly layout: CodeLayout;
}

/**
 * Builds the graph of a rollout.
 *
 * Inputs: `modulation`, `text_key.i`, `text_value.i` as the step graph has them; `row_branch` int64 [S n], the branch of each row;
 * and of every scale, counted from 1: `offset.k` [S, 1, C], `mix.k` [S, S], `branch_shape.k` and `row_shape.k` int64 [3], as the step
 * graph has them, at the first scale for one picture, since all begin alike; `threshold.k` [n, L D], which the difference of a bit's
 * logits has to exceed.
 * Outputs, of every scale: `bits.k` float32 [n, L D], 0 or 1 (a GPU has no kernels for smaller types); `logits.k` [3], the mean,
 * the greatest and the least of all its logits, to see whether they are numbers.
 */
export function buildRolloutGraph(model: StepModel, { scales, rotary, until, layout }: Rollout): GraphModel {
  const { width, heads, bits, blocks } = model.config;
  const g = new GraphBuilder('infinity-rollout');
  const last = latentGrid(scales.at(-1) as Scale, layout);
  const modulation = modulationInput(g, model.config);
  const text = pageInputs(g, 'text', { depth: blocks.length, shape: ['S', 'T', width] });
  const rowBranch = g.input('row_branch', 'int64', ['R']);
  let past: readonly (readonly Kept[])[] = [];
  let sum: Value | null = null;
  scales.slice(0, until).forEach((scale, index) => {
    const named = (name: string): string => `${name}.${index + 1}`;
    const tokens = scale.height * scale.width;
    const grid = latentGrid(scale, layout);
    const table = rotary[index] as RotaryTable;
    const half = width / heads / 2;
    const codes: Value = sum
      ? tokensOf(resized(sum, last, grid), scale, layout)
      : g.constant(new Float32Array(tokens * bits), [tokens, bits]);
    const inputs = {
      codes,
      offset: g.input(named('offset'), 'float32', ['S', 1, width]),
      branchShape: g.input(named('branch_shape'), 'int64', [3]),
      rowShape: g.input(named('row_shape'), 'int64', [3]),
      // Within the model, as its other constants are: a ready graph is known by these, since no checkpoint has them.
      cos: g.constant(table.cos, [tokens, half]),
      sin: g.constant(table.sin, [tokens, half]),
      mix: g.input(named('mix'), 'float32', ['S', 'S']),
      modulation,
      text,
      past,
    };
    const { logits, joined } = g.scoped(`${named('scale')}/`, () => transformerStep(model, inputs));
    past = joined.map((page) => [index === 0 ? spread(page, rowBranch) : page]);
    const pairs = reshape(logits, [-1, bits, 2]);
    const difference = reshape(sub(slice(pairs, 2, 1, 2), slice(pairs, 2, 0, 1)), [-1, tokens * bits]);
    const threshold = g.input(named('threshold'), 'float32', ['n', tokens * bits]);
    const drawn = less(threshold, difference); // [n, L D]
    g.output(named('bits'), where(drawn, g.constant(1), g.constant(0)), ['n', tokens * bits]);
    g.output(named('logits'), rangeOf(logits));
    if (index === until - 1) return;
    const code = 1 / Math.sqrt(layout.channels);
    const planes = planesOf(where(drawn, g.constant(code), g.constant(-code)), scale, layout);
    const grown = resized(planes, grid, last);
    sum = sum ? add(sum, grown) : grown;
  });
  return g.build();
}

/** Keys and values of a scale that was computed once, for all pictures: S rows to S n. */
function spread(kept: Kept, rowBranch: Value): Kept {
  return kept.map((part) => gather(part, rowBranch));
}

/** Mean, greatest and least, [3]. */
function rangeOf(logits: Value): Value {
  const negative = sub(0, logits);
  const each = [reduceMean(logits, [0, 1]), reduceMax(logits, [0, 1]), sub(0, reduceMax(negative, [0, 1]))];
  return concat(
    each.map((x) => unsqueeze(x, [0])),
    0,
  );
}

/** Planes [n, d, h, w] to tokens [N, D]; codes.ts says in which order. */
function tokensOf(planes: Value, { height, width }: Scale, { channels, patch }: CodeLayout): Value {
  const parts = reshape(planes, [-1, channels, height, patch, width, patch]);
  return reshape(transpose(parts, [0, 2, 4, 1, 3, 5]), [-1, channels * patch * patch]);
}

/** Tokens [n, L D] to planes [n, d, h, w]. */
function planesOf(tokens: Value, { height, width }: Scale, { channels, patch }: CodeLayout): Value {
  const parts = reshape(tokens, [-1, height, width, channels, patch, patch]);
  return reshape(transpose(parts, [0, 3, 1, 4, 2, 5]), [-1, channels, height * patch, width * patch]);
}

/** Planes [n, d, h, w] brought to another grid: columns first, then rows. */
function resized(planes: Value, from: Scale, to: Scale): Value {
  if (from.height === to.height && from.width === to.width) return planes;
  const g = planes.graph;
  const columns = g.once(`columns:${from.width}:${to.width}`, () =>
    g.constant(linearWeights(from.width, to.width), [from.width, to.width]),
  );
  const rows = g.once(`rows:${from.height}:${to.height}`, () =>
    g.constant(turned(linearWeights(from.height, to.height), to.height), [to.height, from.height]),
  );
  return matMul(rows, matMul(planes, columns));
}

/** A matrix of so many columns, turned round. */
function turned(matrix: Float32Array, columns: number): Float32Array {
  const rows = matrix.length / columns;
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)] ?? 0);
}
