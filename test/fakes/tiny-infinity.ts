// A random Infinity of a few thousand weights in the official layout, written to a folder: small enough to build in a
// test, with everything that the real ones have (chunks, guidance rows, encoder and decoder).

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { RandomKey } from '../../src/core/random.js';
import { writeSafetensors } from '../../src/runtime/weights/index.js';

/** Sizes of the tiny model. */
export interface TinyOptions {
  readonly width?: number;
  readonly heads?: number;
  readonly depth?: number;
  /** Bits of a latent place; with `patch` 2 a token has four times as many. */
  readonly channels?: number;
  readonly patch?: 1 | 2;
}

/** Widths that the attentive pool fixes: 128 channels a head. */
export const TEXT_CHANNELS = 128;

/** Writes transformer.safetensors and vae.safetensors; gives their paths. */
export function writeTinyInfinity(
  folder: string,
  options: TinyOptions = {},
): { transformer: string; vae: string } {
  mkdirSync(folder, { recursive: true });
  const transformer = join(folder, 'transformer.safetensors');
  const vae = join(folder, 'vae.safetensors');
  writeSafetensors(transformer, transformerTensors(options));
  writeSafetensors(vae, vaeTensors(options));
  return { transformer, vae };
}

type Tensors = Map<string, { dtype: 'F32'; shape: number[]; data: Float32Array }>;

/** Draws tensors from a key per name, so that a tensor does not depend on those before it. */
class Maker {
  readonly tensors: Tensors = new Map();
  #index = 0;

  add(name: string, shape: number[], spread: number, mean = 0): void {
    const count = shape.reduce((product, size) => product * size, 1);
    const draws = RandomKey.fromSeed(11).fold(this.#index++).uniform(count);
    this.tensors.set(name, {
      dtype: 'F32',
      shape,
      data: Float32Array.from(draws, (u) => mean + (2 * u - 1) * spread),
    });
  }

  linear(name: string, out: number, inner: number, bias = true): void {
    this.add(`${name}.weight`, [out, inner], 1.7 / Math.sqrt(inner));
    if (bias) this.add(`${name}.bias`, [out], 0.1);
  }

  conv(name: string, out: number, inner: number, kernel = 3): void {
    this.add(`${name}.conv.weight`, [out, inner, kernel, kernel], 1.7 / Math.sqrt(inner * kernel * kernel));
    this.add(`${name}.conv.bias`, [out], 0.1);
  }

  norm(name: string, channels: number): void {
    this.add(`${name}.weight`, [channels], 0.2, 1);
    this.add(`${name}.bias`, [channels], 0.1);
  }
}

function transformerTensors({
  width = 32,
  heads = 2,
  depth = 2,
  channels = 4,
  patch = 1,
}: TinyOptions): Tensors {
  const make = new Maker();
  const bits = channels * patch * patch;
  make.add('cfg_uncond', [16, TEXT_CHANNELS], 1);
  make.add('pos_start', [1, 1, width], 0.5);
  make.add('text_norm.weight', [TEXT_CHANNELS], 0.2, 1);
  make.add('text_proj_for_sos.ca.mat_q', [1, 1, width], 1);
  make.add('text_proj_for_sos.ca.v_bias', [width], 0.1);
  make.linear('text_proj_for_sos.ca.mat_kv', 2 * width, TEXT_CHANNELS, false);
  make.linear('text_proj_for_sos.ca.proj', width, width);
  make.linear('text_proj_for_ca.0', width, TEXT_CHANNELS);
  make.linear('text_proj_for_ca.2', width, width);
  make.add('lvl_embed.weight', [15, width], 0.5);
  make.linear('word_embed', width, bits);
  make.linear('shared_ada_lin.1', 6 * width, width);
  make.linear('head_nm.ada_lin.1', 2 * width, width);
  make.linear('head', 2 * bits, width);
  for (let block = 0; block < depth; block++) {
    const prefix = `block_chunks.${block}.module.0.`;
    make.add(`${prefix}ada_gss`, [1, 1, 6, width], 0.5);
    make.add(`${prefix}sa.scale_mul_1H11`, [1, heads, 1, 1], 1, 1.4);
    make.add(`${prefix}sa.q_bias`, [width], 0.1);
    make.add(`${prefix}sa.v_bias`, [width], 0.1);
    make.linear(`${prefix}sa.mat_qkv`, 3 * width, width, false);
    make.linear(`${prefix}sa.proj`, width, width);
    make.linear(`${prefix}ca.mat_q`, width, width);
    make.linear(`${prefix}ca.mat_kv`, 2 * width, width, false);
    make.add(`${prefix}ca.v_bias`, [width], 0.1);
    make.linear(`${prefix}ca.proj`, width, width);
    make.norm(`${prefix}ca_norm`, width);
    make.linear(`${prefix}ffn.fc1`, 4 * width, width);
    make.linear(`${prefix}ffn.fc2`, width, 4 * width);
  }
  return make.tensors;
}

/** Two levels of 32 channels: a latent place is 2 x 2 pixels. */
function vaeTensors({ channels = 4 }: TinyOptions): Tensors {
  const make = new Maker();
  const block = (name: string): void => {
    for (const half of ['1', '2']) {
      make.norm(`${name}.norm${half}.norm`, 32);
      make.conv(`${name}.conv${half}`, 32, 32);
    }
  };
  make.conv('decoder.conv_in', 32, channels);
  for (const name of ['mid.block_1', 'mid.block_2', 'up.1.block.0', 'up.0.block.0']) block(`decoder.${name}`);
  make.conv('decoder.up.1.upsample.conv', 32, 32);
  make.norm('decoder.norm_out.norm', 32);
  make.conv('decoder.conv_out', 3, 32);
  return make.tensors;
}

/** Random states of a prompt of `tokens` tokens. */
export function tinyStates(tokens: number, seed = 1): { states: Float32Array; tokens: number } {
  const draws = RandomKey.fromSeed(seed).uniform(tokens * TEXT_CHANNELS);
  return { states: Float32Array.from(draws, (u) => 2 * u - 1), tokens };
}
