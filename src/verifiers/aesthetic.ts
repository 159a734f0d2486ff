// Aesthetic Score: LAION's improved-aesthetic-predictor (simple_inference.py) over CLIP's image embeddings: divided by
// their L2 norm, then a head of linear layers trained on ratings from 1 to 10. It reads no prompt.

import { CheckpointError, RuntimeError, UsageError } from '../core/errors.js';
import { fileHash } from '../core/hash.js';
import type { Ledger } from '../core/ledger.js';
import type { ClipEncoder } from '../models/clip/clip.js';
import { normalizeRows } from '../models/clip/similarity.js';
import { type LinearHead, readLinearHead } from '../models/linear-head.js';
import { openWeights } from '../runtime/weights/index.js';
import type { Judge, Verifier } from './contract.js';

/** A head's file, read. */
export interface AestheticHead extends LinearHead {
  /** The file, for messages and hashes. */
  readonly file: string;
}

/**
 * Reads a head such as `sac+logos+ava1-l14-linearMSE.pth`; every size is the file's. Heads with activations between their
 * layers are refused as far as the numbers of the layers tell. Throws CheckpointError.
 */
export function readAestheticHead(file: string): AestheticHead {
  const source = openWeights(file);
  try {
    return { file, ...readLinearHead(source) };
  } finally {
    source.close();
  }
}

/** Scores of embeddings [N, width] that are not normalised; a row of zeros stays zero, as in the official normaliser. */
export function aestheticScores(head: LinearHead, embeddings: Float32Array): Float64Array {
  return head.apply(normalizeRows(embeddings, head.inputs));
}

/** Options of the Aesthetic Score. */
export interface AestheticOptions {
  /** Opens the CLIP that the head was trained on (ViT-L/14 for LAION's); the verifier closes it. */
  readonly openClip: () => Promise<ClipEncoder>;
  /** The head's file. */
  readonly head: string;
}

/** Opens the Aesthetic Score; the caller closes it. Throws CheckpointError. */
export async function openAesthetic({ openClip, head }: AestheticOptions): Promise<Verifier> {
  const read = readAestheticHead(head);
  const clip = await openClip();
  try {
    return aesthetic(clip, read);
  } catch (error) {
    clip.close();
    throw error;
  }
}

/** The Aesthetic Score with a loaded CLIP, which it closes when it is closed. Throws CheckpointError for another CLIP's head. */
export function aesthetic(clip: ClipEncoder, head: AestheticHead): Verifier {
  if (head.inputs !== clip.width) {
    throw new CheckpointError(
      head.file,
      `takes embeddings of width ${head.inputs}, and this CLIP gives ${clip.width}: ` +
        'take the CLIP that the head was trained on (ViT-L/14 for 768)',
    );
  }
  return {
    name: 'aesthetic',
    flops: clip.pictureFlops,
    hashes: async () => ({ ...(await clip.hashes()), head: await fileHash(head.file) }),
    prepare: (prompt, ledger) =>
      prompt.trim() === ''
        ? Promise.reject(new UsageError('the prompt is empty: say what the picture should show'))
        : Promise.resolve(judge(clip, head, ledger)),
    close: () => {
      clip.close();
      return Promise.resolve();
    },
  };
}

function judge(clip: ClipEncoder, head: AestheticHead, ledger: Ledger): Judge {
  return {
    async score(images, options = {}) {
      options.signal?.throwIfAborted();
      const embeddings = await ledger.time('verifier', () => clip.embedImages(images, options));
      ledger.add({ imagesVerified: images.length, verifierFlops: images.length * clip.pictureFlops });
      return Array.from(aestheticScores(head, embeddings), finite);
    },
    close: () => undefined,
  };
}

function finite(score: number): number {
  if (Number.isFinite(score)) return score;
  throw new RuntimeError('the Aesthetic Score came out as no number: the weights must be damaged');
}
