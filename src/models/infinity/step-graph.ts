// One step of Infinity: the logits of scale k for a batch of prefixes, given the keys and values of the scales before
// (CrossAttnBlock, SelfAttention and AdaLNBeforeHead in infinity/models/basic.py).
// S branches (prompt, unconditional), n prefixes, R = S n rows, L tokens of the scale, N = n L, P tokens before it,
// T text tokens, C width, D bits. All rows belong to one prompt, so that the text side needs no copies: everything but
// self-attention sees [S, N, C].

import { UsageError } from '../../core/errors.js';
import {
  add,
  concat,
  geluTanh,
  gemm,
  gemmFrom,
  GraphBuilder,
  type GraphModel,
  layerNorm,
  LINEAR,
  matMul,
  type MatrixSource,
  mul,
  multiHeadAttention,
  type Precision,
  reshape,
  reshapeTo,
  rmsNorm,
  rowsOf,
  sharedRead,
  slice,
  sliceBetween,
  split,
  type Value,
} from '../../runtime/graph/index.js';
import type { TensorSource } from '../../runtime/weights/index.js';
import type { InfinityConfig } from './config.js';
import { BLOCK_VECTORS } from './text-graph.js';

const EPS = 1e-6;
const MAX_LOG_SCALE = Math.log(100);

/** Where guidance is applied: after these blocks (0-based), and on the logits unless told otherwise. */
interface GuidancePlan {
  readonly afterBlocks: readonly number[];
  readonly onLogits: boolean;
}

/** The official `cfg_insertion_layer`: 0 is the logits, -i the output of the i-th block from the end. */
export function guidancePlan(insertion: readonly number[], depth: number): GuidancePlan {
  for (const item of insertion) {
    if (!Number.isInteger(item) || item > 0 || depth + item <= 0) {
      throw new UsageError(
        `cfg_insertion_layer ${item} is not valid: use 0 (logits), or -1 to ${1 - depth} (a block counted from the end)`,
      );
    }
  }
  return {
    afterBlocks: insertion.filter((i) => i < 0).map((i) => depth + i),
    onLogits: insertion.includes(0),
  };
}

/** Values that every block reads. */
interface StepInputs {
  readonly config: InfinityConfig;
  readonly weights: TensorSource;
  readonly precision: Precision;
  /** int64 [3]: [S, N, C]. */
  readonly branchShape: Value;
  /** int64 [3]: [S n, L, C]. */
  readonly rowShape: Value;
  readonly cos: Value;
  readonly sin: Value;
  readonly mix: Value;
  readonly kept: Value;
  readonly pieces: number;
}

/** How a step graph is built. */
export interface StepGraphOptions {
  /** @default float32 */
  readonly precision?: Precision | undefined;
  /** Inputs for a block's keys from before: one of all scales, or one of each but the last. @default 1 */
  readonly pieces?: number;
}

/**
 * Builds the step graph.
 *
 * Inputs: `codes` [N, D] (the summed codes brought to this scale); `offset` [S, 1, C] (level embedding, with the word
 * embedding's bias, or the start token at the first scale); `branch_shape` int64 [S, N, C], `row_shape` int64
 * [S n, L, C]; `cos`, `sin` [L, C / heads / 2]; `mix` [S, S] (row s: how branch s is mixed by guidance: [cfg, 1 - cfg],
 * or the identity); `modulation` [S, 6 depth + 2, C]; `text_key.i`, `text_value.i` [S, T, C];
 * `past_key.i.k`, `past_value.i.k` [R, Pk, C], piece k of those from before: of all scales, or of scale k, empty where that has not
 * been; `kept` int64 [1].
 * Outputs: `logits` [N, 2 D] of the guided branch; `key.i`, `value.i` [R, kept, C], to be kept for the scales after: the
 * first `kept` of L tokens, all or none. What is an output lives until the end of a run, whether it is asked for or not.
 * The precision is that of the blocks' linear layers; what comes before and after them, a hundredth of the work, is float32.
 */
export function buildStepGraph(
  config: InfinityConfig,
  weights: TensorSource,
  plan: GuidancePlan,
  { precision = 'float32', pieces = 1 }: StepGraphOptions = {},
): GraphModel {
  const { width, heads, bits, blocks } = config;
  const g = new GraphBuilder('infinity-step');
  const codes = g.input('codes', 'float32', ['N', bits]);
  const offset = g.input('offset', 'float32', ['S', 1, width]);
  const half = width / heads / 2;
  const inputs: StepInputs = {
    config,
    weights,
    precision,
    branchShape: g.input('branch_shape', 'int64', [3]),
    rowShape: g.input('row_shape', 'int64', [3]),
    cos: g.input('cos', 'float32', ['L', half]),
    sin: g.input('sin', 'float32', ['L', half]),
    mix: g.input('mix', 'float32', ['S', 'S']),
    kept: g.input('kept', 'int64', [1]),
    pieces,
  };
  // Cut twice: a GPU's kernel has a dozen outputs at most.
  const modulation = g.input('modulation', 'float32', ['S', BLOCK_VECTORS * blocks.length + 2, width]);
  const vectors = (from: number, count: number): Value[] => {
    const ones = Array.from({ length: count }, () => 1);
    return split(slice(modulation, 1, from, from + count), ones, 1);
  };

  const embedding = g.weightFrom(weights, 'word_embed.weight', { expected: [width, bits], transpose: true });
  let x = add(reshape(matMul(codes, embedding), [1, -1, width]), offset); // [S, N, C]
  blocks.forEach((prefix, i) => {
    const block = vectors(i * BLOCK_VECTORS, BLOCK_VECTORS);
    x = g.scoped(`block${i}`, () => buildBlock(x, prefix, i, block, inputs));
    if (plan.afterBlocks.includes(i)) x = mixBranches(x, inputs.mix, inputs.branchShape);
  });

  const [scale, shift] = vectors(BLOCK_VECTORS * blocks.length, 2) as [Value, Value];
  const normed = add(mul(layerNorm(x, { eps: EPS }), scale), shift);
  const logits = gemmFrom(normed, weights, 'head', { out: 2 * bits }); // [S N, 2 D]
  // [S, N * 2 D]: row 0 is the prompt's branch.
  const branches = reshapeTo(logits, concat([slice(inputs.branchShape, 0, 0, 1), g.constant([-1])], 0), [
    'S',
    '?',
  ]);
  const guided = plan.onLogits ? matMul(slice(inputs.mix, 0, 0, 1), branches) : slice(branches, 0, 0, 1);
  g.output('logits', reshape(guided, [-1, 2 * bits]), ['N', 2 * bits]);
  return g.build();
}

/** Guidance between two blocks: every branch becomes its row of the mixing matrix applied to all branches. */
function mixBranches(x: Value, mix: Value, branchShape: Value): Value {
  const flat = reshapeTo(x, concat([slice(branchShape, 0, 0, 1), x.graph.constant([-1])], 0), ['S', '?']);
  return reshapeTo(matMul(mix, flat), branchShape, x.shape);
}

/** One block: self-attention and feed-forward under AdaLN, cross-attention between them. x is [S, N, C]. */
function buildBlock(
  x: Value,
  prefix: string,
  index: number,
  vectors: readonly Value[],
  inputs: StepInputs,
): Value {
  const { weights, branchShape, config, precision } = inputs;
  const g = x.graph;
  const { width } = config;
  const dense = (input: Value, name: string, out: number): Value =>
    gemmFrom(input, weights, `${prefix}${name}`, { out, precision });
  const [gamma1, gamma2, scale1, scale2, shift1, shift2] = vectors as [
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  const toBranches = (value: Value): Value => reshapeTo(value, branchShape, ['S', 'N', width]);

  const attended = selfAttention(add(mul(layerNorm(x, { eps: EPS }), scale1), shift1), prefix, index, inputs);
  let h = add(x, mul(toBranches(attended), gamma1));

  const normed = layerNorm(h, {
    eps: EPS,
    weight: g.weightFrom(weights, `${prefix}ca_norm.weight`, { expected: [width] }),
    bias: g.weightFrom(weights, `${prefix}ca_norm.bias`, { expected: [width] }),
  });
  const { output: read } = multiHeadAttention({
    heads: config.heads,
    query: toBranches(dense(normed, 'ca.mat_q', width)),
    key: g.input(`text_key.${index}`, 'float32', ['S', 'T', width]),
    value: g.input(`text_value.${index}`, 'float32', ['S', 'T', width]),
  });
  let crossed = toBranches(dense(read, 'ca.proj', width));
  if (weights.has(`${prefix}ca_gamma`)) {
    crossed = mul(crossed, g.weightFrom(weights, `${prefix}ca_gamma`, { expected: [width] }));
  }
  h = add(h, crossed);

  const input = add(mul(layerNorm(h, { eps: EPS }), scale2), shift2);
  const hidden = geluTanh(dense(input, 'ffn.fc1', config.hidden));
  return add(h, mul(toBranches(dense(hidden, 'ffn.fc2', width)), gamma2));
}

/** Cosine attention with 2D rotary positions over all scales so far; gives [S N, C]. */
function selfAttention(x: Value, prefix: string, index: number, inputs: StepInputs): Value {
  const { weights, config, precision } = inputs;
  const g = x.graph;
  const { width, heads } = config;
  const key = `${prefix}sa.mat_qkv.weight`;
  const read = sharedRead(3, () => weights.read(key));
  const project = (part: 0 | 1 | 2, bias: string | undefined): Value => {
    const matrix: MatrixSource = {
      name: `${key}:${'qkv'.charAt(part)}`,
      shape: [width, width],
      read: async () => (await read()).subarray(part * width * width, (part + 1) * width * width),
    };
    const summand =
      bias === undefined ? undefined : g.weightFrom(weights, `${prefix}sa.${bias}`, { expected: [width] });
    return precision === 'float32'
      ? gemm(rowsOf(x), g.lazyWeight(matrix.name, matrix), summand)
      : LINEAR[precision](rowsOf(x), matrix, summand);
  };
  const queryScale = g.lazyWeight(`${prefix}sa.scale_mul`, {
    shape: [heads, 1],
    read: () => weights.read(`${prefix}sa.scale_mul_1H11`).map((s) => Math.exp(Math.min(s, MAX_LOG_SCALE))),
  });
  const query = rotate(mul(unitHeads(project(0, 'q_bias'), config), queryScale), inputs);
  const keys = rotate(unitHeads(project(1, undefined), config), inputs);
  const value = reshapeTo(project(2, 'v_bias'), inputs.rowShape, ['R', 'L', width]);
  const kept = (all: Value): Value => sliceBetween(all, 1, g.constant([0]), inputs.kept, 'kept');
  g.output(`key.${index}`, kept(keys));
  g.output(`value.${index}`, kept(value));
  const past = (name: string): Value[] =>
    Array.from({ length: inputs.pieces }, (_, piece) =>
      g.input(`past_${name}.${index}.${piece}`, 'float32', ['R', `P${piece}`, width]),
    );
  const { output } = multiHeadAttention({
    heads,
    query,
    key: concat([...past('key'), keys], 1), // [R, P + L, C], P of all scales before
    value: concat([...past('value'), value], 1),
    scale: 1,
  });
  return gemmFrom(output, weights, `${prefix}sa.proj`, { out: width, precision });
}

/** Every head's vector divided by its Euclidean norm: [rows, C] to [rows, H, C / H]. */
function unitHeads(x: Value, { width, heads }: InfinityConfig): Value {
  const g = x.graph;
  const headWidth = width / heads;
  // An RMS norm is the Euclidean one times the root of the width; as one operator it is faster than norm and division.
  const root = g.once(`unit:${headWidth}`, () =>
    g.weight('unit', new Float32Array(headWidth).fill(1 / Math.sqrt(headWidth)), [headWidth]),
  );
  return rmsNorm(reshape(x, [-1, heads, headWidth]), { eps: 1e-24, weight: root });
}

/** Turns neighbouring pairs by the scale's table: [rows, H, C / H] to [R, L, C]. */
function rotate(x: Value, { rowShape, cos, sin, config }: StepInputs): Value {
  const { width, heads } = config;
  return x.graph.op1('RotaryEmbedding', {
    inputs: [reshapeTo(x, rowShape, ['R', 'L', width]), x.graph.constant([0]), cos, sin],
    domain: 'com.microsoft',
    attributes: { interleaved: 1, num_heads: heads, rotary_embedding_dim: 0 },
    type: 'float32',
    shape: ['R', 'L', width],
  });
}

/** The mixing matrix of a scale, [S, S]: guidance of strength cfg on every branch, or none when cfg is 1. */
export function mixMatrix(branches: number, cfg: number): Float32Array {
  if (branches === 1) return Float32Array.of(1);
  return cfg === 1 ? Float32Array.of(1, 0, 0, 1) : Float32Array.of(cfg, 1 - cfg, cfg, 1 - cfg);
}
