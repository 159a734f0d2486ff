// The BSQ-VAE's encoder and decoder as graphs (infinity/models/bsq_vae/flux_vqgan.py, pictures only). Levels, blocks and
// widths are read off the checkpoint's keys, whose convolutions are spelt `x.weight` or `x.conv.weight`.

import { CheckpointError } from '../../core/errors.js';
import {
  add,
  conv2d,
  type ConvOptions,
  GraphBuilder,
  type GraphModel,
  groupNorm,
  silu,
  upsampleNearest2x,
  type Value,
} from '../../runtime/graph/index.js';
import type { TensorSource } from '../../runtime/weights/index.js';

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
  /** Floats of the largest feature maps that live at once, per latent place. */
  readonly floatsPerPlace: number;
}

/** Looks up layers by name, whatever their spelling, and counts what they cost. */
class Layers {
  readonly weights: TensorSource;
  /** Operations and largest map, in units of the places of the finest and the coarsest level. */
  operations: { readonly scale: number; readonly flops: number; readonly floats: number }[] = [];
  scale = 1;

  constructor(weights: TensorSource) {
    this.weights = weights;
  }

  has(name: string): boolean {
    return this.weights.names.some((key) => key.startsWith(`${name}.`));
  }

  /** How many numbered children `name` has: `name.0`, `name.1`, ... */
  count(name: string): number {
    let count = 0;
    while (this.has(`${name}.${count}`)) count++;
    return count;
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
    return groupNorm(x, { groups, eps: EPS, weight, bias });
  }

  /** norm, SiLU, convolution, twice; the input is added at the end. */
  resBlock(x: Value, name: string): Value {
    let h = this.conv(silu(this.norm(x, `${name}.norm1`)), `${name}.conv1`, { padding: 1 });
    h = this.conv(silu(this.norm(h, `${name}.norm2`)), `${name}.conv2`, { padding: 1 });
    return add(this.has(`${name}.nin_shortcut`) ? this.conv(x, `${name}.nin_shortcut`) : x, h);
  }

  middle(x: Value, name: string): Value {
    if (this.has(`${name}.attn_1`)) {
      throw new CheckpointError(
        this.weights.label,
        `'${name}.attn_1': VAEs with attention are not supported`,
      );
    }
    return this.resBlock(this.resBlock(x, `${name}.block_1`), `${name}.block_2`);
  }

  #key(name: string, inner: string): string {
    for (const key of [`${name}.${inner}`, name]) if (this.weights.has(`${key}.weight`)) return key;
    throw new CheckpointError(
      this.weights.label,
      `is not a BSQ-VAE of this kind: no tensor '${name}.weight'`,
    );
  }
}

/** Input `latent` [B, d, h, w]; output `picture` [B, 3, h * patch, w * patch], around -1..1 and not clamped. */
export function buildDecoder(weights: TensorSource): VaeGraph {
  const layers = new Layers(weights);
  const channels = latentChannels(weights, 'decoder.conv_in', 1);
  const g = new GraphBuilder('vae-decoder');
  let h = layers.conv(g.input('latent', 'float32', ['B', channels, 'h', 'w']), 'decoder.conv_in', {
    padding: 1,
  });
  h = layers.middle(h, 'decoder.mid');
  for (let level = layers.count('decoder.up') - 1; level >= 0; level--) {
    const name = `decoder.up.${level}`;
    for (let block = 0; block < layers.count(`${name}.block`); block++) {
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
export function buildEncoder(weights: TensorSource): VaeGraph {
  const layers = new Layers(weights);
  const channels = latentChannels(weights, 'encoder.conv_out', 0);
  const g = new GraphBuilder('vae-encoder');
  let h = layers.conv(g.input('picture', 'float32', ['B', 3, 'H', 'W']), 'encoder.conv_in', { padding: 1 });
  for (let level = 0; level < layers.count('encoder.down'); level++) {
    const name = `encoder.down.${level}`;
    for (let block = 0; block < layers.count(`${name}.block`); block++) {
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
    floatsPerPlace: Math.max(...layers.operations.map(({ floats }) => floats)) * 2 * perPlace,
  };
}

function latentChannels(weights: TensorSource, layer: string, axis: number): number {
  const key = [`${layer}.conv.weight`, `${layer}.weight`].find((name) => weights.has(name));
  if (key === undefined) {
    throw new CheckpointError(weights.label, `has no '${layer}': it holds no ${layer.split('.')[0] ?? ''}`);
  }
  return weights.info(key).shape[axis] ?? 0;
}
