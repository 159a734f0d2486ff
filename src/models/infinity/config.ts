// What an Infinity checkpoint says of itself: every size is read off the weights, so that 2B, 8B and toybox need no
// separate configuration. Key names are those of the official transformer.pth (infinity/models/infinity.py).

import { inRange } from '../../core/config-fields.js';
import { type Range, RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import { type TensorSource, unwrapped } from '../../runtime/weights/index.js';

/** The sizes of a transformer that decide what a step costs. */
export interface TransformerSizes {
  /** Blocks of the transformer. */
  readonly depth: number;
  /** Width C of the transformer. */
  readonly width: number;
  readonly heads: number;
  /** Hidden width of the feed-forward layers. */
  readonly hidden: number;
  /** Bits D of a token: the codebook's d, or 4 d with spatial patchify. */
  readonly bits: number;
}

/** The sizes of an Infinity transformer. */
export interface InfinityConfig extends TransformerSizes {
  /** Width of the text encoder's states. */
  readonly textChannels: number;
  /** Heads of the attentive text pool: textChannels / 128. */
  readonly poolHeads: number;
  /** Key prefix of each block, in order. */
  readonly blocks: readonly string[];
  /** The most scales that the level embedding has rows for. */
  readonly maxScales: number;
  /** The longest prompt the unconditional branch has rows for. */
  readonly maxTextLength: number;
}

/** Blocks of a FLUX under the official names (ComfyUI puts a prefix before them) and under those of Diffusers. */
const FLUX_MARK =
  /^(model\.diffusion_model\.)?(double|single)_blocks\.\d+\.|^(single_)?transformer_blocks\.\d+\./;

/** tools/run_infinity.py takes the model out of its training's checkpoints by this key. */
export const INFINITY = { marks: ['word_embed.weight', 'cfg_uncond'], official: ['trainer.gpt_fsdp.'] };

/** Reads the sizes off the weights, under whatever plain prefix they are; throws a CheckpointError that names the key when they are not an Infinity's. */
export function infinityConfig(file: TensorSource): InfinityConfig {
  if (file.names.some((name) => FLUX_MARK.test(name))) {
    throw new CheckpointError(
      file.label,
      'is a FLUX, not an Infinity transformer: keep it as flux1-dev.safetensors or flux1-schnell.safetensors beside its ' +
        'ae.safetensors, or in the folder transformer/ of Diffusers',
    );
  }
  const weights = unwrapped(file, INFINITY);
  const shape = (key: string, rank: number): number[] => {
    if (!weights.has(key)) {
      throw new CheckpointError(weights.label, `is not an Infinity transformer: no tensor '${key}'`);
    }
    const found = [...weights.info(key).shape];
    if (found.length !== rank) {
      throw new CheckpointError(
        weights.label,
        `'${key}' has shape [${found.join(', ')}], expected ${rank} dimensions`,
      );
    }
    return found;
  };
  const blocks = blockPrefixes(weights);
  const first = blocks[0];
  if (first === undefined) {
    throw new CheckpointError(weights.label, 'is not an Infinity transformer: it has no blocks');
  }
  const [bits = 0] = shape('word_embed.weight', 2).slice(1);
  const [maxTextLength = 0, textChannels = 0] = shape('cfg_uncond', 2);
  const [, poolHeads = 0] = shape('text_proj_for_sos.ca.mat_q', 3);
  const [maxScales = 0, width = 0] = shape('lvl_embed.weight', 2);
  const [, heads = 0] = shape(`${first}sa.scale_mul_1H11`, 4);
  const [hidden = 0] = shape(`${first}ffn.fc1.weight`, 2);
  // The rotary positions take a head's channels in fours.
  if (width % heads !== 0 || (width / heads) % 4 !== 0) {
    throw new CheckpointError(
      weights.label,
      `width ${width} does not make ${heads} heads of a multiple of 4 channels`,
    );
  }
  const size = (what: string, value: number, range: Range): number =>
    inRange(weights.label, what, value, range);
  return {
    depth: size('blocks', blocks.length, RANGES.layers),
    width: size('states', width, RANGES.width),
    heads: size('heads', heads, RANGES.heads),
    hidden: size('hidden layers', hidden, RANGES.hidden),
    textChannels: size('text states', textChannels, RANGES.width),
    poolHeads: size('heads of the text pool', poolHeads, RANGES.heads),
    bits: size('tokens', bits, RANGES.bits),
    blocks,
    maxScales: size('level embeddings', maxScales, RANGES.levels),
    maxTextLength: size('unconditional texts', maxTextLength, RANGES.textLength),
  };
}

/** Prefixes such as 'block_chunks.1.module.3.' (chunked, as the official files are) or 'blocks.7.', by depth. */
function blockPrefixes(weights: TensorSource): string[] {
  const found = new Map<string, readonly [number, number]>();
  for (const name of weights.names) {
    const match = /^(?:block_chunks\.(\d+)\.module\.|blocks\.)(\d+)\./.exec(name);
    if (match) found.set(match[0], [Number(match[1] ?? 0), Number(match[2])]);
  }
  return [...found].sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1]).map(([prefix]) => prefix);
}
