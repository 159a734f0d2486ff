// The official Infinities as data: which files of FoundationVision/Infinity each is, how large it is, and how it is run. File
// names and sizes are those of the repository (2026-11-26, from public mirrors of its listing and scripts; the repository
// itself could not be asked), the pairs of transformer and VAE those of the official and public scripts (vae_type 16 with
// model_type infinity_layer12, 32 with infinity_2b, 14 with infinity_8b).

import type { HubPart } from '../../hub/index.js';
import type { VaeSizes } from '../vae/cost.js';
import type { TransformerSizes } from './config.js';
import type { PictureSize } from './schedule.js';

/** An official Infinity. */
export interface OfficialInfinity {
  readonly name: string;
  readonly description: string;
  readonly transformer: HubPart;
  readonly vae: HubPart;
  /** Of model_type in tools/run_infinity.py; the bits of a token are d of the VAE, 4 d with patches of 2 x 2. */
  readonly sizes: TransformerSizes;
  /** Of the VAE's decoder: vae_model of infinity/models/bsq_vae/vae.py with the multipliers of tools/run_infinity.py's load_visual_tokenizer. */
  readonly decoder: VaeSizes;
  /** The largest picture that it was trained on, which it draws where nothing is said. */
  readonly size: PictureSize;
}

function part(file: string | readonly string[], bytes?: number): HubPart {
  return {
    repo: 'FoundationVision/Infinity',
    files: [file],
    licence: { name: 'MIT' },
    ...(bytes === undefined ? {} : { bytes }),
  };
}

/** The index of shards in a folder. */
function shards(folder: string): readonly string[] {
  return ['model.safetensors', 'pytorch_model.bin'].map((name) => `${folder}/${name}.index.json`);
}

/** With patches of 2 x 2 tokens the VAE has a level less, and every place 14 bits. */
function decoderOf(channels: number, levels: 4 | 5): VaeSizes {
  const multipliers = [1, 2, 4, 4, 4].slice(0, levels);
  return { channels, base: 128, multipliers, blocks: 2, attention: false };
}

const VAE_8B = part('infinity_vae_d56_f8_14_patchify.pth');
const SIZES_8B = { depth: 40, width: 3584, heads: 28, hidden: 4 * 3584, bits: 4 * 14 };

/** All that the catalogue knows. */
export const OFFICIAL_INFINITIES: readonly OfficialInfinity[] = [
  {
    name: 'infinity-125m',
    description: 'Infinity-125M, 256 x 256 pixels',
    transformer: part('infinity_125M_256x256.pth', 501e6),
    vae: part('infinity_vae_d16.pth'),
    sizes: { depth: 12, width: 768, heads: 8, hidden: 4 * 768, bits: 16 },
    decoder: decoderOf(16, 5),
    size: '0.06M',
  },
  {
    name: 'infinity-2b',
    description: 'Infinity-2B, up to 1024 x 1024 pixels',
    transformer: part('infinity_2b_reg.pth', 8.82e9),
    vae: part('infinity_vae_d32reg.pth'),
    sizes: { depth: 32, width: 2048, heads: 16, hidden: 4 * 2048, bits: 32 },
    decoder: decoderOf(32, 5),
    size: '1M',
  },
  {
    name: 'infinity-8b',
    description: 'Infinity-8B, up to 1024 x 1024 pixels',
    transformer: part(shards('infinity_8b_weights'), 33e9),
    vae: VAE_8B,
    sizes: SIZES_8B,
    decoder: decoderOf(14, 4),
    size: '1M',
  },
  {
    name: 'infinity-8b-512',
    description: 'Infinity-8B, up to 512 x 512 pixels',
    transformer: part(shards('infinity_8b_512x512_weights'), 33e9),
    vae: VAE_8B,
    sizes: SIZES_8B,
    decoder: decoderOf(14, 4),
    size: '0.25M',
  },
];
