// Checkpoints of full size made of random numbers, in the names and shapes of the official files (infinity/models/infinity.py,
// bsq_vae/flux_vqgan.py; T5EncoderModel of transformers): they cost what the real ones cost, and draw noise.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type RandomTensor, writeTorchFile } from './torch-writer.js';

/** Sizes of a transformer, as model_type in tools/run_infinity.py has them. */
export interface RealSizes {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  /** Blocks that the official code keeps together. */
  readonly chunk: number;
}

/** The models that can be made. */
export const REAL_SIZES: Readonly<Record<string, RealSizes>> = {
  '125m': { depth: 12, width: 768, heads: 8, chunk: 3 },
  /** Four blocks of it, for machines with little room. */
  '2b-4': { depth: 4, width: 2048, heads: 16, chunk: 4 },
  '2b': { depth: 32, width: 2048, heads: 16, chunk: 4 },
};

/** flan-t5-xl. */
const T5 = { width: 2048, heads: 32, headWidth: 64, hidden: 5120, layers: 24, vocabulary: 32_128 };
const TEXT_HEAD_WIDTH = 128;
/** d of infinity_vae_d32reg.pth. */
const CHANNELS = 32;

/** Numbers between -1 and 1 that tensors take theirs from, each from another place: no two are the same. */
const POOL = makePool(2 ** 22);
/** The pool in other widths, since copying is much faster than computing. */
const scaled = new Map<string, Float32Array>();

function makePool(count: number): Float32Array {
  const pool = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    pool[i] = state / 2 ** 31;
  }
  return pool;
}

function poolOf(spread: number, mean: number): Float32Array {
  const key = `${spread} ${mean}`;
  let pool = scaled.get(key);
  if (!pool) scaled.set(key, (pool = POOL.map((value) => mean + spread * value)));
  return pool;
}

class Tensors {
  readonly list: RandomTensor[] = [];

  /** Uniform around `mean`, up to `spread` away. */
  add(name: string, shape: readonly number[], spread: number, mean = 0): void {
    const index = this.list.length;
    const count = shape.reduce((product, size) => product * size, 1);
    const read = (): Float32Array => {
      const data = new Float32Array(count);
      const pool = poolOf(spread, mean);
      let from = (index * 40_503 * 1009) % pool.length;
      for (let at = 0; at < count;) {
        const length = Math.min(count - at, pool.length - from);
        data.set(pool.subarray(from, from + length), at);
        at += length;
        from = 0;
      }
      return data;
    };
    this.list.push({ name, shape, read });
  }

  linear(name: string, out: number, inner: number, bias = true): void {
    this.add(`${name}.weight`, [out, inner], 1.7 / Math.sqrt(inner));
    if (bias) this.add(`${name}.bias`, [out], 0.02);
  }

  norm(name: string, channels: number): void {
    this.add(`${name}.weight`, [channels], 0.1, 1);
    this.add(`${name}.bias`, [channels], 0.02);
  }

  conv(name: string, out: number, inner: number, kernel = 3): void {
    this.add(`${name}.conv.weight`, [out, inner, kernel, kernel], 1.7 / Math.sqrt(inner * kernel ** 2));
    this.add(`${name}.conv.bias`, [out], 0.02);
  }
}

function transformer({ depth, width, heads, chunk }: RealSizes): RandomTensor[] {
  const make = new Tensors();
  const poolHeads = T5.width / TEXT_HEAD_WIDTH;
  make.add('cfg_uncond', [512, T5.width], 1);
  make.add('pos_start', [1, 1, width], 0.5);
  make.add('text_norm.weight', [T5.width], 0.1, 1);
  make.add('text_proj_for_sos.ca.mat_q', [1, poolHeads, width / poolHeads], 1);
  make.add('text_proj_for_sos.ca.v_bias', [width], 0.02);
  make.linear('text_proj_for_sos.ca.mat_kv', 2 * width, T5.width, false);
  make.linear('text_proj_for_sos.ca.proj', width, width);
  make.linear('text_proj_for_ca.0', width, T5.width);
  make.linear('text_proj_for_ca.2', width, width);
  make.add('lvl_embed.weight', [15, width], 0.5);
  make.linear('word_embed', width, CHANNELS);
  make.linear('shared_ada_lin.1', 6 * width, width);
  make.linear('head_nm.ada_lin.1', 2 * width, width);
  make.linear('head', 2 * CHANNELS, width);
  for (let block = 0; block < depth; block++) {
    const prefix = `block_chunks.${Math.floor(block / chunk)}.module.${block % chunk}.`;
    make.add(`${prefix}ada_gss`, [1, 1, 6, width], 0.1);
    make.add(`${prefix}sa.scale_mul_1H11`, [1, heads, 1, 1], 0.5, 1.4);
    make.add(`${prefix}sa.q_bias`, [width], 0.02);
    make.add(`${prefix}sa.v_bias`, [width], 0.02);
    make.linear(`${prefix}sa.mat_qkv`, 3 * width, width, false);
    make.linear(`${prefix}sa.proj`, width, width);
    make.linear(`${prefix}ca.mat_q`, width, width);
    make.linear(`${prefix}ca.mat_kv`, 2 * width, width, false);
    make.add(`${prefix}ca.v_bias`, [width], 0.02);
    make.linear(`${prefix}ca.proj`, width, width);
    make.norm(`${prefix}ca_norm`, width);
    make.linear(`${prefix}ffn.fc1`, 4 * width, width);
    make.linear(`${prefix}ffn.fc2`, width, 4 * width);
  }
  return make.list;
}

/** Widths of the levels, finest first: ch 128, ch_mult 1, 2, 4, 4, 4. */
const LEVELS = [128, 256, 512, 512, 512] as const;
const BLOCKS = 3;

/** The decoder of the VAE with 32 channels; a latent place is 16 x 16 pixels. */
function vae(): RandomTensor[] {
  const make = new Tensors();
  const block = (name: string, inner: number, out: number): void => {
    make.norm(`${name}.norm1.norm`, inner);
    make.conv(`${name}.conv1`, out, inner);
    make.norm(`${name}.norm2.norm`, out);
    make.conv(`${name}.conv2`, out, out);
    if (inner !== out) make.conv(`${name}.nin_shortcut`, out, inner, 1);
  };
  let width: number = LEVELS[4];
  make.conv('decoder.conv_in', width, CHANNELS);
  block('decoder.mid.block_1', width, width);
  block('decoder.mid.block_2', width, width);
  for (let level = LEVELS.length - 1; level >= 0; level--) {
    const out = LEVELS[level] ?? 0;
    for (let i = 0; i < BLOCKS; i++) {
      block(`decoder.up.${level}.block.${i}`, width, out);
      width = out;
    }
    if (level > 0) make.conv(`decoder.up.${level}.upsample.conv`, width, width);
  }
  make.norm('decoder.norm_out.norm', width);
  make.conv('decoder.conv_out', 3, width);
  return make.list;
}

function textEncoder(): RandomTensor[] {
  const { width, heads, headWidth, hidden, layers, vocabulary } = T5;
  const make = new Tensors();
  const inner = heads * headWidth;
  make.add('shared.weight', [vocabulary, width], 1);
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `encoder.block.${layer}.layer.`;
    for (const part of ['q', 'k', 'v']) make.linear(`${prefix}0.SelfAttention.${part}`, inner, width, false);
    make.linear(`${prefix}0.SelfAttention.o`, width, inner, false);
    if (layer === 0) make.add(`${prefix}0.SelfAttention.relative_attention_bias.weight`, [32, heads], 0.5);
    make.add(`${prefix}0.layer_norm.weight`, [width], 0.1, 1);
    for (const part of ['wi_0', 'wi_1']) {
      make.linear(`${prefix}1.DenseReluDense.${part}`, hidden, width, false);
    }
    make.linear(`${prefix}1.DenseReluDense.wo`, width, hidden, false);
    make.add(`${prefix}1.layer_norm.weight`, [width], 0.1, 1);
  }
  make.add('encoder.final_layer_norm.weight', [width], 0.1, 1);
  return make.list;
}

/** Paths of a model of full size. */
export interface RealFiles {
  readonly transformer: string;
  readonly vae: string;
  /** A folder with config.json and a checkpoint, without a tokenizer. */
  readonly textEncoder: string;
}

/** Makes what is not there yet in a folder: half a gigabyte for 125m, 9 GB for 2b; 4.9 GB for the text encoder of both. */
export function makeReal(folder: string, name: string, withText: boolean): RealFiles {
  const sizes = REAL_SIZES[name];
  if (!sizes) {
    throw new RangeError(`there is no '${name}': choose one of ${Object.keys(REAL_SIZES).join(', ')}`);
  }
  const files = {
    transformer: join(folder, `random_${name}.pth`),
    vae: join(folder, 'random_vae_d32.pth'),
    textEncoder: join(folder, 'random-t5-xl'),
  };
  mkdirSync(files.textEncoder, { recursive: true });
  if (!existsSync(files.transformer)) writeTorchFile(files.transformer, transformer(sizes));
  if (!existsSync(files.vae)) writeTorchFile(files.vae, vae());
  const text = join(files.textEncoder, 'pytorch_model.bin');
  if (withText && !existsSync(text)) writeTorchFile(text, textEncoder());
  writeFileSync(
    join(files.textEncoder, 'config.json'),
    JSON.stringify({
      vocab_size: T5.vocabulary,
      d_model: T5.width,
      d_kv: T5.headWidth,
      num_heads: T5.heads,
      d_ff: T5.hidden,
      num_layers: T5.layers,
      feed_forward_proj: 'gated-gelu',
    }),
  );
  return files;
}
