// The encoder and decoder of the BSQ-VAE (infinity/models/bsq_vae/flux_vqgan.py, pictures only) and of FLUX's autoencoder
// (flux/modules/autoencoder.py) as graphs: the latter has an attention in its middle. Levels, blocks and widths are read off
// the checkpoint's keys, whose convolutions are spelt `x.weight` or `x.conv.weight`.

import { inRange } from '../../core/config-fields.js';
import { type Range, RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import {
  add,
  conv2d,
  type ConvOptions,
  type Dim,
  GraphBuilder,
  type GraphModel,
  groupNorm,
  type GroupNormOptions,
  multiHeadAttention,
  type NamedWeights,
  reshapeTo,
  shapeOf,
  silu,
  transpose,
  upsampleNearest2x,
  type Value,
} from '../../runtime/graph/index.js';

const EPS = 1e-6;

/** A built half of the VAE. */
export interface VaeGraph {
  readonly model: GraphModel;
  /** d: channels of the latent. */
  readonly channels: number;
  /** Side of the square of pixels that one latent place stands for. */
  readonly patch: number;
  /** Floating-point operations of the convolutions per latent place. */
  readonly flopsPerPlace: number;
  /** Those of the attention in the middle per pair of latent places; 0 without one. */
  readonly flopsPerPair: number;
  /** Floats of the largest feature maps that live at once, per latent place. */
  readonly floatsPerPlace: number;
}

/** Looks up layers by name, whatever their spelling, and counts what they cost. */
class Layers {
  readonly weights: NamedWeights;
  /** Sorted, so that looking for a prefix does not go through all of them. */
  readonly #names: readonly string[];
  /** Operations and largest map, in units of the places of the finest and the coarsest level. */
  operations: { readonly scale: number; readonly flops: number; readonly floats: number }[] = [];
  scale = 1;
  flopsPerPair = 0;

  readonly moments: GroupNormOptions['moments'];

  constructor(weights: NamedWeights, moments: GroupNormOptions['moments'] = 'summed') {
    this.weights = weights;
    this.#names = [...weights.names].sort();
    this.moments = moments;
  }

  has(name: string): boolean {
    const prefix = `${name}.`;
    return this.#names[firstFrom(this.#names, prefix)]?.startsWith(prefix) ?? false;
  }

  /** How many numbered children `name` has: `name.0`, `name.1`, ... */
  count(name: string, range: Range): number {
    let count = 0;
    while (count <= range.most && this.has(`${name}.${count}`)) count++;
    return inRange(this.weights.label, `'${name}'`, count, range);
  }

  conv(x: Value, name: string, options: ConvOptions = {}): Value {
    const key = this.#key(name, 'conv');
    const { shape } = this.weights.info(`${key}.weight`);
    const [out = 0, inner = 0, kernelHeight = 0, kernelWidth = 0] = shape;
    if (shape.length !== 4) {
      throw new CheckpointError(
        this.weights.label,
        `'${key}.weight' has ${shape.length} dimensions: only picture VAEs are supported`,
      );
    }
    const weight = x.graph.weightFrom(this.weights, `${key}.weight`);
    const bias = x.graph.weightFrom(this.weights, `${key}.bias`, { expected: [out] });
    if (options.stride === 2) this.scale /= 4;
    const flops = 2 * out * inner * kernelHeight * kernelWidth * this.scale;
    this.operations.push({ scale: this.scale, flops, floats: (out + inner) * this.scale });
    return conv2d(x, weight, bias, options);
  }

  norm(x: Value, name: string): Value {
    const key = this.#key(name, 'norm');
    const [channels = 0] = this.weights.info(`${key}.weight`).shape;
    const groups = [32, 24].find((n) => channels % n === 0);
    if (groups === undefined) {
      throw new CheckpointError(
        this.weights.label,
        `'${key}' has ${channels} channels, no multiple of 32 or 24`,
      );
    }
    const weight = x.graph.weightFrom(this.weights, `${key}.weight`);
    const bias = x.graph.weightFrom(this.weights, `${key}.bias`);
    return groupNorm(x, { groups, eps: EPS, weight, bias, moments: this.moments });
  }

  /** norm, SiLU, convolution, twice; the input is added at the end. */
  resBlock(x: Value, name: string): Value {
    let h = this.conv(silu(this.norm(x, `${name}.norm1`)), `${name}.conv1`, { padding: 1 });
    h = this.conv(silu(this.norm(h, `${name}.norm2`)), `${name}.conv2`, { padding: 1 });
    return add(this.has(`${name}.nin_shortcut`) ? this.conv(x, `${name}.nin_shortcut`) : x, h);
  }

  middle(x: Value, name: string): Value {
    const h = this.resBlock(x, `${name}.block_1`);
    const attended = this.has(`${name}.attn_1`) ? this.attention(h, `${name}.attn_1`) : h;
    return this.resBlock(attended, `${name}.block_2`);
  }

  /** One head over all places, divided by the root of the channels; the input is added at the end. */
  attention(x: Value, name: string): Value {
    const g = x.graph;
    const [batch, channels] = x.shape as [Dim, number, Dim, Dim];
    const normed = this.norm(x, `${name}.norm`);
    const rows = (part: string): Value => {
      const map = this.conv(normed, `${name}.${part}`);
      const flat = reshapeTo(map, g.constant([0, 0, -1]), [batch, channels, '?']);
      return transpose(flat, [0, 2, 1]); // [B, places, C]
    };
    const { output } = multiHeadAttention({ heads: 1, query: rows('q'), key: rows('k'), value: rows('v') });
    this.flopsPerPair += 4 * channels;
    const map = reshapeTo(transpose(output, [0, 2, 1]), shapeOf(x), x.shape);
    return add(x, this.conv(map, `${name}.proj_out`));
  }

  #key(name: string, inner: string): string {
    for (const key of [`${name}.${inner}`, name]) if (this.weights.has(`${key}.weight`)) return key;
    throw new CheckpointError(
      this.weights.label,
      `is no picture autoencoder of this kind: no tensor '${name}.weight'`,
    );
  }
}

/** The place of the first of sorted names that does not stand before `wanted`. */
function firstFrom(names: readonly string[], wanted: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] as string) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Input `latent` [B, d, h, w]; output `picture` [B, 3, h * patch, w * patch], around -1..1 and not clamped. The norms' moments
 * are summed as the official code of the BSQ-VAE does unless told otherwise.
 */
export function buildDecoder(weights: NamedWeights, moments?: GroupNormOptions['moments']): VaeGraph {
  const layers = new Layers(weights, moments);
  const channels = latentChannels(weights, 'decoder.conv_in', 1);
  const g = new GraphBuilder('vae-decoder');
  let h = layers.conv(g.input('latent', 'float32', ['B', channels, 'h', 'w']), 'decoder.conv_in', {
    padding: 1,
  });
  h = layers.middle(h, 'decoder.mid');
  for (let level = layers.count('decoder.up', RANGES.levelsOfVae) - 1; level >= 0; level--) {
    const name = `decoder.up.${level}`;
    for (let block = 0; block < layers.count(`${name}.block`, RANGES.blocksOfLevel); block++) {
      h = layers.resBlock(h, `${name}.block.${block}`);
    }
    if (!layers.has(`${name}.upsample`)) continue;
    layers.scale *= 4;
    h = layers.conv(upsampleNearest2x(h), `${name}.upsample.conv`, { padding: 1 });
  }
  const picture = layers.conv(silu(layers.norm(h, 'decoder.norm_out')), 'decoder.conv_out', { padding: 1 });
  g.output('picture', picture, ['B', 3, 'H', 'W']);
  return finish(g, layers, channels, layers.scale);
}

/** Input `picture` [B, 3, H, W] in -1..1; output `latent` [B, d, H / patch, W / patch], not yet quantised. */
export function buildEncoder(weights: NamedWeights): VaeGraph {
  const layers = new Layers(weights);
  const channels = latentChannels(weights, 'encoder.conv_out', 0);
  const g = new GraphBuilder('vae-encoder');
  let h = layers.conv(g.input('picture', 'float32', ['B', 3, 'H', 'W']), 'encoder.conv_in', { padding: 1 });
  for (let level = 0; level < layers.count('encoder.down', RANGES.levelsOfVae); level++) {
    const name = `encoder.down.${level}`;
    for (let block = 0; block < layers.count(`${name}.block`, RANGES.blocksOfLevel); block++) {
      h = layers.resBlock(h, `${name}.block.${block}`);
    }
    // The official layer pads on the right and below only.
    if (layers.has(`${name}.downsample`)) {
      h = layers.conv(h, `${name}.downsample.conv`, { stride: 2, padding: [0, 0, 1, 1] });
    }
  }
  h = layers.middle(h, 'encoder.mid');
  const latent = layers.conv(silu(layers.norm(h, 'encoder.norm_out')), 'encoder.conv_out', { padding: 1 });
  g.output('latent', latent, ['B', channels, 'h', 'w']);
  return finish(g, layers, channels, 1 / layers.scale);
}

function finish(g: GraphBuilder, layers: Layers, channels: number, placesPerPixelRatio: number): VaeGraph {
  // The encoder starts at pixels (scale 1) and ends at places; the decoder the other way round.
  const perPlace = layers.scale < 1 ? placesPerPixelRatio : 1;
  return {
    model: g.build(),
    channels,
    patch: Math.sqrt(placesPerPixelRatio),
    flopsPerPlace: layers.operations.reduce((sum, { flops }) => sum + flops, 0) * perPlace,
    flopsPerPair: layers.flopsPerPair,
    floatsPerPlace: Math.max(...layers.operations.map(({ floats }) => floats)) * 2 * perPlace,
  };
}

function latentChannels(weights: NamedWeights, layer: string, axis: number): number {
  const key = [`${layer}.conv.weight`, `${layer}.weight`].find((name) => weights.has(name));
  if (key === undefined) {
    throw new CheckpointError(weights.label, `has no '${layer}': it holds no ${layer.split('.')[0] ?? ''}`);
  }
  return inRange(weights.label, `'${key}'`, weights.info(key).shape[axis] ?? 0, RANGES.width);
}
