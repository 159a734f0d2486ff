// One step of Infinity: the logits of scale k for a batch of prefixes, given the keys and values of the scales before
// (CrossAttnBlock, SelfAttention and AdaLNBeforeHead in infinity/models/basic.py).
// S branches (prompt, unconditional), n prefixes, R = S n rows, L tokens of the scale, N = n L, P tokens before it,
// T text tokens, C width, D bits. All rows belong to one prompt, so that the text side needs no copies: everything but
// self-attention sees [S, N, C].

import { UsageError } from '../../core/errors.js';
import {
  add,
  concat,
  dequantizeBlocks,
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
  quantizeBlocks,
  reshape,
  reshapeTo,
  rmsNorm,
  rowsOf,
  type Shape,
  sharedRead,
  slice,
  sliceBetween,
  split,
  type Value,
} from '../../runtime/graph/index.js';
import type { TensorSource } from '../../runtime/weights/index.js';
import type { InfinityConfig } from './config.js';
import { pageParts } from './cost.js';
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

/** The transformer of a step. */
export interface StepModel {
  readonly config: InfinityConfig;
  readonly weights: TensorSource;
  readonly plan: GuidancePlan;
  /**
   * Of the blocks' linear layers, and of keys and values as they are kept; what comes before and after the blocks, a hundredth of the
   * work, is float32.
   */
  readonly precision: Precision;
}

/** Keys and values of a block. */
export interface KeysAndValues {
  readonly key: Value;
  readonly value: Value;
}

/** Keys and values of a block as they are kept: the parts of cost.ts, each [R, tokens, width]. */
export type Kept = readonly Value[];

/** What a step reads. */
interface StepInputs {
  /** [N, D]: the summed codes brought to this scale. */
  readonly codes: Value;
  /** [S or 1, 1, C]: level embedding, with the word embedding's bias, or the start token at the first scale. */
  readonly offset: Value;
  /** int64 [3]: [S, N, C]. */
  readonly branchShape: Value;
  /** int64 [3]: [S n, L, C]. */
  readonly rowShape: Value;
  /** [L, C / heads / 2] */
  readonly cos: Value;
  readonly sin: Value;
  /** [S, S] (row s: how branch s is mixed by guidance: [cfg, 1 - cfg], or the identity). */
  readonly mix: Value;
  /** [S, 6 depth + 2, C] */
  readonly modulation: Value;
  /** Of the prompt, by block: [S, T, C]. */
  readonly text: readonly KeysAndValues[];
  /** Of the scales before, by block, in pieces of Pk tokens one after the other; nothing where there are none. */
  readonly past: readonly (readonly Kept[])[];
}

/** What a step gives. */
interface StepOutputs {
  /** [N, 2 D] of the guided branch. */
  readonly logits: Value;
  /** By block, of all scales so far and of this one: of P + L tokens and of L. */
  readonly joined: readonly Kept[];
  readonly own: readonly Kept[];
}

/** Keys and values of so many blocks, as inputs of the graph. */
export function pageInputs(
  g: GraphBuilder,
  name: string,
  { depth, shape }: { readonly depth: number; readonly shape: Shape },
): KeysAndValues[] {
  return Array.from({ length: depth }, (_, block) => ({
    key: g.input(`${name}_key.${block}`, 'float32', shape),
    value: g.input(`${name}_value.${block}`, 'float32', shape),
  }));
}

/** Inputs for what the scales before have left, by block and piece. */
function pastInputs(g: GraphBuilder, { config, precision }: StepModel, pieces: number): Kept[][] {
  return config.blocks.map((_, block) =>
    Array.from({ length: pieces }, (__, piece) =>
      pageParts(config, precision).map(({ name, type, width }) =>
        g.input(`past_${name}.${block}.${piece}`, type, ['R', `P${piece}`, width]),
      ),
    ),
  );
}

/**
 * Builds the step graph. Keys and values of the scales before come in so many `pieces`: one of all, or one of each scale but the last.
 *
 * Inputs: `codes` [N, D] (the summed codes brought to this scale); `offset` [S, 1, C] (level embedding, with the word
 * embedding's bias, or the start token at the first scale); `branch_shape` int64 [S, N, C], `row_shape` int64
 * [S n, L, C]; `cos`, `sin` [L, C / heads / 2]; `mix` [S, S] (row s: how branch s is mixed by guidance: [cfg, 1 - cfg],
 * or the identity); `modulation` [S, 6 depth + 2, C]; `text_key.i`, `text_value.i` [S, T, C];
 * `past_key.i.k`, `past_value.i.k` [R, Pk, C], piece k of those from before: of all scales, or of scale k, empty where that has not
 * been; `kept` int64 [1]. In int8 these are int8, and `past_key_scale.i.k`, `past_value_scale.i.k` [R, Pk, heads] are their scales.
 * Outputs: `logits` [N, 2 D] of the guided branch; `key.i`, `value.i` [R, kept, C] (and `key_scale.i`, `value_scale.i`), to be kept
 * for the scales after: the first `kept` of L tokens, all or none. What is an output lives until the end of a run, whether it is
 * asked for or not.
 */
export function buildStepGraph(model: StepModel, pieces = 1): GraphModel {
  const { width, heads, bits, blocks } = model.config;
  const g = new GraphBuilder('infinity-step');
  const half = width / heads / 2;
  const { logits, own } = transformerStep(model, {
    codes: g.input('codes', 'float32', ['N', bits]),
    offset: g.input('offset', 'float32', ['S', 1, width]),
    branchShape: g.input('branch_shape', 'int64', [3]),
    rowShape: g.input('row_shape', 'int64', [3]),
    cos: g.input('cos', 'float32', ['L', half]),
    sin: g.input('sin', 'float32', ['L', half]),
    mix: g.input('mix', 'float32', ['S', 'S']),
    modulation: modulationInput(g, model.config),
    text: pageInputs(g, 'text', { depth: blocks.length, shape: ['S', 'T', width] }),
    past: pastInputs(g, model, pieces),
  });
  const count = g.input('kept', 'int64', [1]);
  const kept = (all: Value): Value => sliceBetween(all, 1, g.constant([0]), count, 'kept');
  const parts = pageParts(model.config, model.precision);
  own.forEach((each, block) => {
    parts.forEach(({ name }, i) => {
      g.output(`${name}.${block}`, kept(each[i] as Value));
    });
  });
  g.output('logits', logits, ['N', 2 * bits]);
  return g.build({ tellSizes: true });
}

/** The vectors that modulate all blocks and the head, [S, 6 depth + 2, C]. */
export function modulationInput(g: GraphBuilder, { width, blocks }: InfinityConfig): Value {
  return g.input('modulation', 'float32', ['S', BLOCK_VECTORS * blocks.length + 2, width]);
}

/** One step within a graph; of several in one graph, all use the same weights. */
export function transformerStep(model: StepModel, inputs: StepInputs): StepOutputs {
  const { config, weights, plan } = model;
  const { width, bits, blocks } = config;
  const g = inputs.codes.graph;
  // Cut twice: a GPU's kernel has a dozen outputs at most.
  const vectors = (from: number, count: number): Value[] => {
    const ones = Array.from({ length: count }, () => 1);
    return split(slice(inputs.modulation, 1, from, from + count), ones, 1);
  };
  const own: Kept[] = [];
  const joined: Kept[] = [];
  const embedding = g.weightFrom(weights, 'word_embed.weight', { expected: [width, bits], transpose: true });
  let x = add(reshape(matMul(inputs.codes, embedding), [1, -1, width]), inputs.offset); // [S, N, C]
  blocks.forEach((prefix, i) => {
    const block: Block = {
      ...model,
      inputs,
      prefix,
      text: inputs.text[i] as KeysAndValues,
      past: inputs.past[i] ?? [],
    };
    const { output, ...made } = g.scoped(`block${i}`, () =>
      buildBlock(x, vectors(i * BLOCK_VECTORS, BLOCK_VECTORS), block),
    );
    x = plan.afterBlocks.includes(i) ? mixBranches(output, inputs.mix, inputs.branchShape) : output;
    own.push(made.own);
    joined.push(made.joined);
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
  return { logits: reshape(guided, [-1, 2 * bits]), own, joined };
}

/** A block's place in a step. */
interface Block extends StepModel {
  readonly inputs: StepInputs;
  /** Of its weights' names. */
  readonly prefix: string;
  readonly text: KeysAndValues;
  readonly past: readonly Kept[];
}

/** What a block gives, [S, N, C], and keys and values as a step does. */
interface BlockOutputs {
  readonly output: Value;
  readonly own: Kept;
  readonly joined: Kept;
}

/** Guidance between two blocks: every branch becomes its row of the mixing matrix applied to all branches. */
function mixBranches(x: Value, mix: Value, branchShape: Value): Value {
  const flat = reshapeTo(x, concat([slice(branchShape, 0, 0, 1), x.graph.constant([-1])], 0), ['S', '?']);
  return reshapeTo(matMul(mix, flat), branchShape, x.shape);
}

/** One block: self-attention and feed-forward under AdaLN, cross-attention between them. x is [S, N, C]. */
function buildBlock(x: Value, vectors: readonly Value[], block: Block): BlockOutputs {
  const { weights, config, precision, prefix, text, inputs } = block;
  const { branchShape } = inputs;
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

  const modulated = add(mul(layerNorm(x, { eps: EPS }), scale1), shift1);
  const { output: attended, ...pages } = selfAttention(modulated, block);
  let h = add(x, mul(toBranches(attended), gamma1));

  const normed = layerNorm(h, {
    eps: EPS,
    weight: g.weightFrom(weights, `${prefix}ca_norm.weight`, { expected: [width] }),
    bias: g.weightFrom(weights, `${prefix}ca_norm.bias`, { expected: [width] }),
  });
  const { output: read } = multiHeadAttention({
    heads: config.heads,
    query: toBranches(dense(normed, 'ca.mat_q', width)),
    ...text,
  });
  let crossed = toBranches(dense(read, 'ca.proj', width));
  if (weights.has(`${prefix}ca_gamma`)) {
    crossed = mul(crossed, g.weightFrom(weights, `${prefix}ca_gamma`, { expected: [width] }));
  }
  h = add(h, crossed);

  const input = add(mul(layerNorm(h, { eps: EPS }), scale2), shift2);
  const hidden = geluTanh(dense(input, 'ffn.fc1', config.hidden));
  return { output: add(h, mul(toBranches(dense(hidden, 'ffn.fc2', width)), gamma2)), ...pages };
}

/** Cosine attention with 2D rotary positions over all scales so far; its output is [S N, C]. */
function selfAttention(x: Value, { weights, config, precision, prefix, inputs, past }: Block): BlockOutputs {
  const g = x.graph;
  const { width, heads } = config;
  const qkv = `${prefix}sa.mat_qkv.weight`;
  const read = sharedRead(3, () => weights.read(qkv));
  const project = (part: 0 | 1 | 2, bias: string | undefined): Value => {
    const matrix: MatrixSource = {
      name: `${qkv}:${'qkv'.charAt(part)}`,
      shape: [width, width],
      read: async () => (await read()).subarray(part * width * width, (part + 1) * width * width),
    };
    const summand =
      bias === undefined ? undefined : g.weightFrom(weights, `${prefix}sa.${bias}`, { expected: [width] });
    return precision === 'float32'
      ? gemm(
          rowsOf(x),
          g.once(matrix.name, () => g.lazyWeight(matrix.name, matrix)),
          summand,
        )
      : LINEAR[precision](rowsOf(x), matrix, summand);
  };
  const scaleName = `${prefix}sa.scale_mul`;
  const queryScale = g.once(scaleName, () =>
    g.lazyWeight(scaleName, {
      shape: [heads, 1],
      read: () => weights.read(`${scaleName}_1H11`).map((s) => Math.exp(Math.min(s, MAX_LOG_SCALE))),
    }),
  );
  const query = rotate(mul(unitHeads(project(0, 'q_bias'), config), queryScale), config, inputs);
  const key = rotate(unitHeads(project(1, undefined), config), config, inputs);
  const value = reshapeTo(project(2, 'v_bias'), inputs.rowShape, ['R', 'L', width]);
  const own = toKeep({ key, value }, width / heads, precision);
  const joined = own.map((part, i) =>
    past.length === 0 ? part : concat([...past.map((piece) => piece[i] as Value), part], 1),
  );
  const { output } = multiHeadAttention({ heads, query, ...fromKept(joined), scale: 1 });
  const projected = gemmFrom(output, weights, `${prefix}sa.proj`, { out: width, precision });
  return { output: projected, own, joined };
}

/** Keys and values as they are kept: in int8 by a scale of every token and head. */
function toKeep({ key, value }: KeysAndValues, headWidth: number, precision: Precision): Kept {
  if (precision !== 'int8') return [key, value];
  const [keys, values] = [quantizeBlocks(key, headWidth), quantizeBlocks(value, headWidth)];
  return [keys.values, values.values, keys.scales, values.scales];
}

/** Keys and values of what was kept: a scale's own are read as those after it will read them. */
function fromKept([key, value, keyScales, valueScales]: Kept): KeysAndValues {
  if (!key || !value) throw new RangeError('nothing was kept');
  if (!keyScales || !valueScales) return { key, value };
  return {
    key: dequantizeBlocks({ values: key, scales: keyScales }),
    value: dequantizeBlocks({ values: value, scales: valueScales }),
  };
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
function rotate(x: Value, { width, heads }: InfinityConfig, { rowShape, cos, sin }: StepInputs): Value {
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
