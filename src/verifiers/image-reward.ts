// ImageReward as a verifier: how much people would like a picture for its prompt, around 0 with deviation 1. The network is
// in src/models/blip/.

import { RuntimeError, UsageError } from '../core/errors.js';
import type { Ledger } from '../core/ledger.js';
import { type ImageReward, openImageReward } from '../models/blip/image-reward.js';
import type { Runtime } from '../runtime/index.js';
import { cutOf, type Judge, type Verifier } from './contract.js';

/**
 * Opens ImageReward from a folder with ImageReward.pt and med_config.json, and the one with its tokenizer.json, by default the
 * same; the caller closes it. Throws CheckpointError.
 */
export async function openImageRewardVerifier(
  runtime: Runtime,
  folder: string,
  tokenizerFolder = folder,
): Promise<Verifier> {
  return imageReward(await openImageReward(runtime, folder, tokenizerFolder));
}

/** ImageReward with a loaded model, which it closes when it is closed. */
export function imageReward(model: ImageReward): Verifier {
  return {
    name: 'image-reward',
    flops: model.pictureFlops,
    hashes: () => model.hashes(),
    prepare: (prompt, ledger) => prepare(model, prompt, ledger),
    close: () => {
      model.close();
      return Promise.resolve();
    },
  };
}

async function prepare(model: ImageReward, prompt: string, ledger: Ledger): Promise<Judge> {
  if (prompt.trim() === '') {
    throw new UsageError('ImageReward needs a prompt, and it is empty: say what the picture should show');
  }
  const encoded = await ledger.time('verifier', () => model.encodePrompt(prompt));
  return {
    async score(images, options = {}) {
      options.signal?.throwIfAborted();
      const rewards = await ledger.time('verifier', () => model.rewards(encoded, images, options));
      ledger.add({ imagesVerified: images.length, verifierFlops: images.length * model.pictureFlops });
      return rewards.map(finite);
    },
    ...cutOf(model.unseen(prompt)),
    close: () => {
      encoded.states.dispose();
    },
  };
}

function finite(reward: number): number {
  if (Number.isFinite(reward)) return reward;
  throw new RuntimeError('ImageReward came out as no number: the weights must be damaged');
}
