// CLIPScore: 2.5 * max(cos(picture, prompt), 0), after Hessel et al., "CLIPScore: a reference-free evaluation metric for
// image captioning" (EMNLP 2021), section 3. The prompt goes in as it is, without their "A photo depicts".

import { RuntimeError, UsageError } from '../core/errors.js';
import type { Ledger } from '../core/ledger.js';
import { type ClipEncoder, openClip } from '../models/clip/clip.js';
import { cosines } from '../models/clip/similarity.js';
import type { Runtime } from '../runtime/index.js';
import { cutOf, type Judge, type Verifier } from './contract.js';

/** The paper's factor, which spreads usual cosines over 0..1. */
const WEIGHT = 2.5;

/** Options of CLIPScore. */
export interface ClipScoreOptions {
  /** A CLIP folder: weights, config.json, tokenizer.json. */
  readonly folder: string;
  /** The weights' file in the folder, where there are several. @default the usual name */
  readonly weights?: string;
}

/** Opens CLIPScore; the caller closes it. The runtime stays the caller's. Throws CheckpointError. */
export async function openClipScore(runtime: Runtime, options: ClipScoreOptions): Promise<Verifier> {
  const { folder, weights } = options;
  return clipScore(await openClip(runtime, folder, weights === undefined ? {} : { weights }));
}

/** CLIPScore with a loaded CLIP, which it closes when it is closed. */
export function clipScore(clip: ClipEncoder): Verifier {
  return {
    name: 'clip-score',
    flops: clip.pictureFlops,
    hashes: () => clip.hashes(),
    prepare: (prompt, ledger) => prepare(clip, prompt, ledger),
    close: () => {
      clip.close();
      return Promise.resolve();
    },
  };
}

function scoreOf(cosine: number): number {
  if (Number.isNaN(cosine)) {
    throw new RuntimeError('CLIPScore came out as no number: the weights must be damaged');
  }
  return WEIGHT * Math.max(cosine, 0);
}

async function prepare(clip: ClipEncoder, prompt: string, ledger: Ledger): Promise<Judge> {
  if (prompt.trim() === '') {
    throw new UsageError('CLIPScore needs a prompt, and it is empty: say what the picture should show');
  }
  const text = await ledger.time('verifier', () => clip.embedText([prompt]));
  return {
    async score(images, options = {}) {
      options.signal?.throwIfAborted();
      const pictures = await ledger.time('verifier', () => clip.embedImages(images, options));
      ledger.add({ imagesVerified: images.length, verifierFlops: images.length * clip.pictureFlops });
      return Array.from(cosines(pictures, text, clip.width), scoreOf);
    },
    ...cutOf(clip.unseen(prompt)),
    close: () => undefined,
  };
}
