// The encoder and decoder of the BSQ-VAE (infinity/models/bsq_vae/flux_vqgan.py, pictures only) and of FLUX's autoencoder
// (flux/modules/autoencoder.py) as graphs: the latter has an attention in its middle. Levels, blocks and widths are read off
// the checkpoint's keys, whose convolutions are spelt `x.weight` or `x.conv.weight`.

import { inRange } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import {
  GraphBuilder,
  type GraphModel,
  type GroupNormOptions,
  type NamedWeights,
} from '../../runtime/graph/index.js';
import { Layers } from './layers.js';
import { BandedLayers } from './layers-banded.js';
import { Int8Layers } from './layers-int8.js';

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

/** How a decoder computes. */
export interface DecoderOptions {
  /** How the norms' moments are summed. @default 'summed', as the official code of the BSQ-VAE does */
  readonly moments?: GroupNormOptions['moments'];
  /** int8: convolutions in 8 bits, for pictures that are only judged (layers-int8.ts). @default float32 */
  readonly precision?: 'float32' | 'int8';
  /** Large maps in bands of rows, in float32: the same numbers in less memory (layers-banded.ts). @default true */
  readonly banded?: boolean;
}

/** Input `latent` [B, d, h, w]; output `picture` [B, 3, h * patch, w * patch], around -1..1 and not clamped. */
export function buildDecoder(weights: NamedWeights, options: DecoderOptions = {}): VaeGraph {
  const { precision = 'float32' } = options;
  const layers = layersOf(weights, options);
  const channels = latentChannels(weights, 'decoder.conv_in', 1);
  const g = new GraphBuilder(precision === 'int8' ? 'vae-preview-decoder' : 'vae-decoder');
  const latent = g.input('latent', 'float32', ['B', channels, 'h', 'w']);
  let h = layers.enter(layers.conv(latent, 'decoder.conv_in', { padding: 1 }));
  h = layers.middle(h, 'decoder.mid');
  for (let level = layers.count('decoder.up', RANGES.levelsOfVae) - 1; level >= 0; level--) {
    const name = `decoder.up.${level}`;
    for (let block = 0; block < layers.count(`${name}.block`, RANGES.blocksOfLevel); block++) {
      h = layers.resBlock(h, `${name}.block.${block}`);
    }
    if (layers.has(`${name}.upsample`)) h = layers.upsampled(h, `${name}.upsample.conv`);
  }
  g.output('picture', layers.last(h, 'decoder.norm_out', 'decoder.conv_out'), ['B', 3, 'H', 'W']);
  return finish(g, layers, channels, layers.scale);
}

function layersOf(weights: NamedWeights, { moments, precision, banded = true }: DecoderOptions): Layers {
  if (precision === 'int8') return new Int8Layers(weights);
  return banded ? new BandedLayers(weights, moments) : new Layers(weights, moments);
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
  const latent = layers.last(h, 'encoder.norm_out', 'encoder.conv_out');
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
    floatsPerPlace: Math.max(...layers.operations.map(({ floats }) => floats)) * perPlace,
  };
}

function latentChannels(weights: NamedWeights, layer: string, axis: number): number {
  const key = [`${layer}.conv.weight`, `${layer}.weight`].find((name) => weights.has(name));
  if (key === undefined) {
    throw new CheckpointError(weights.label, `has no '${layer}': it holds no ${layer.split('.')[0] ?? ''}`);
  }
  return inRange(weights.label, `'${key}'`, weights.info(key).shape[axis] ?? 0, RANGES.width);
}
