// What a FLUX checkpoint says of itself: every size is read off the weights but for the shares of the rotary axes and the
// base of their frequencies, which stand in a config.json, or are those of the official models.

import { type ConfigFields, inRange } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import type { NamedWeights } from '../../runtime/graph/index.js';

/** The sizes of a FLUX transformer. */
export interface FluxConfig {
  /** Channels of a packed latent token. */
  readonly channels: number;
  /** Channels of the prediction. */
  readonly outChannels: number;
  /** Width of the pooled text vector. */
  readonly vectorWidth: number;
  /** Width of the text encoder's states. */
  readonly contextWidth: number;
  /** Width C of the transformer. */
  readonly width: number;
  readonly heads: number;
  /** Hidden width of the feed-forward layers. */
  readonly hidden: number;
  /** Double stream blocks. */
  readonly depth: number;
  /** Single stream blocks. */
  readonly singleDepth: number;
  /** Each id axis' share of a head; their sum is the head's width. */
  readonly axes: readonly number[];
  readonly theta: number;
  /** Whether the projections of the double blocks have biases. */
  readonly qkvBias: boolean;
  /** Whether guidance is an input (dev), or none is taken (schnell). */
  readonly guidance: boolean;
}

/** What does not stand in the weights. */
export interface FluxHints {
  readonly axes?: readonly number[] | undefined;
  readonly theta?: number | undefined;
}

/** Width of the sinusoidal embeddings of time and guidance. */
export const SINUSOID_WIDTH = 256;

const OFFICIAL_HEAD = 128;
const OFFICIAL_AXES = [16, 56, 56];
const OFFICIAL_THETA = 10000;

/** FLUX.1-dev; schnell is the same without guidance. */
export const FLUX_DEV: FluxConfig = {
  channels: 64,
  outChannels: 64,
  vectorWidth: 768,
  contextWidth: 4096,
  width: 3072,
  heads: 24,
  hidden: 12288,
  depth: 19,
  singleDepth: 38,
  axes: OFFICIAL_AXES,
  theta: OFFICIAL_THETA,
  qkvBias: true,
  guidance: true,
};

/** Reads the sizes off the weights (under the official names); throws a CheckpointError that names the key at fault. */
export function fluxConfig(weights: NamedWeights, hints: FluxHints = {}): FluxConfig {
  const { label } = weights;
  const shape = (key: string, rank: number): readonly number[] => {
    if (!weights.has(key)) {
      throw new CheckpointError(label, `is no whole FLUX transformer: no tensor '${key}'`);
    }
    const found = weights.info(key).shape;
    if (found.length === rank) return found;
    throw new CheckpointError(label, `'${key}' has shape [${found.join(', ')}], expected ${rank} dimensions`);
  };
  const count = (stem: string): number => {
    const pattern = new RegExp(`^${stem}\\.(\\d+)\\.`);
    const last = weights.names.reduce(
      (most, name) => Math.max(most, Number(pattern.exec(name)?.[1] ?? -1)),
      -1,
    );
    return inRange(label, stem, last + 1, { ...RANGES.layers, least: 0 });
  };
  const [depth, singleDepth] = [count('double_blocks'), count('single_blocks')];
  const [width = 0, channels = 0] = shape('img_in.weight', 2);
  const head = depth > 0 ? 'double_blocks.0.img_attn' : 'single_blocks.0';
  const [headWidth = 1] = shape(`${head}.norm.query_norm.scale`, 1);
  if (width % headWidth !== 0) {
    throw new CheckpointError(label, `width ${width} is not a multiple of its head width ${headWidth}`);
  }
  const hidden =
    depth > 0
      ? shape('double_blocks.0.img_mlp.0.weight', 2)[0]
      : (shape('single_blocks.0.linear1.weight', 2)[0] ?? 0) - 3 * width;
  return {
    channels,
    outChannels: shape('final_layer.linear.weight', 2)[0] ?? 0,
    vectorWidth: shape('vector_in.in_layer.weight', 2)[1] ?? 0,
    contextWidth: shape('txt_in.weight', 2)[1] ?? 0,
    width,
    heads: inRange(label, 'heads', width / headWidth, RANGES.heads),
    hidden: hidden ?? 0,
    depth,
    singleDepth,
    axes: axesOf(label, headWidth, hints.axes),
    theta: hints.theta ?? OFFICIAL_THETA,
    qkvBias: weights.has('double_blocks.0.img_attn.qkv.bias'),
    guidance: weights.has('guidance_in.in_layer.weight'),
  };
}

/** The sizes by the official entries of a configuration (FluxParams); throws a CheckpointError that names the entry at fault. */
export function configFromParams(params: ConfigFields): FluxConfig {
  const width = params.whole('hidden_size', RANGES.width);
  return {
    channels: params.whole('in_channels', RANGES.width),
    outChannels: params.whole('out_channels', RANGES.width),
    vectorWidth: params.whole('vec_in_dim', RANGES.width),
    contextWidth: params.whole('context_in_dim', RANGES.width),
    width,
    heads: params.whole('num_heads', RANGES.heads),
    hidden: Math.trunc(width * params.number('mlp_ratio', RANGES.ratio, 4)),
    depth: params.whole('depth', RANGES.layers),
    singleDepth: params.whole('depth_single_blocks', RANGES.layers),
    axes: params.list('axes_dim', RANGES.axis, { least: 3, most: 3 }) ?? OFFICIAL_AXES,
    theta: params.number('theta', RANGES.theta, OFFICIAL_THETA),
    qkvBias: params.flag('qkv_bias', true),
    guidance: params.flag('guidance_embed', false),
  };
}

function axesOf(label: string, headWidth: number, given: readonly number[] | undefined): readonly number[] {
  if (given === undefined && headWidth !== OFFICIAL_HEAD) {
    throw new CheckpointError(
      label,
      `has heads of ${headWidth} channels, the official models ${OFFICIAL_HEAD}: how the rotary axes share them has to be ` +
        "said in a config.json ('axes_dim', in Diffusers' layout 'axes_dims_rope')",
    );
  }
  const axes = given ?? OFFICIAL_AXES;
  const sum = axes.reduce((total, axis) => total + axis, 0);
  if (axes.length !== 3 || sum !== headWidth || axes.some((axis) => axis <= 0 || axis % 2 !== 0)) {
    throw new CheckpointError(
      label,
      `has heads of ${headWidth} channels, which the rotary axes [${axes.join(', ')}] do not fill: three even sizes have to`,
    );
  }
  return axes;
}
