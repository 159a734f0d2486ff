// Runs an ImageReward fixture: pixels and token ids through the network that the verifier runs, and through the one that
// gives all tokens' states.

import type { JsonObject } from '../src/core/json-file.js';
import { type ImageRewardNetwork, openImageRewardNetwork } from '../src/models/blip/image-reward.js';
import type { RunResult, Runtime } from '../src/runtime/index.js';
import type { Outputs, Reference } from './compare.js';

/** True for the config.json of an ImageReward. */
export function isImageRewardFixture(config: JsonObject): boolean {
  return 'visual_encoder' in config && 'med_config' in config;
}

/** Computes the fixture's states, features and rewards. */
export async function runImageRewardFixture(
  folder: string,
  reference: Reference,
  runtime: Runtime,
): Promise<Outputs> {
  const full = await openImageRewardNetwork(runtime, folder, { states: true });
  const short = await openImageRewardNetwork(runtime, folder);
  try {
    const { images, run } = await runNetwork(full, reference, runtime);
    const features = (await runNetwork(short, reference, runtime)).run.float32('text_features');
    const raw = short.rawRewards(features);
    return new Map<string, ArrayLike<number>>([
      ['image_embeds', images],
      ['text_last_hidden_state', run.float32('text_last_hidden_state')],
      ['text_features', features],
      ['reward_raw', raw],
      ['reward', short.normalise(raw)],
    ]);
  } finally {
    full.close();
    short.close();
  }
}

/** One prompt and one picture a row. */
async function runNetwork(
  network: ImageRewardNetwork,
  reference: Reference,
  runtime: Runtime,
): Promise<{ readonly images: ArrayLike<number>; readonly run: RunResult }> {
  const integers = (name: string): Int32Array => Int32Array.from(reference.numbers(name));
  const count = reference.shape('input_ids')[0] ?? 0;
  const states = await network.embedPixels(Float32Array.from(reference.numbers('pixel_values')), count);
  const prompts = await network.encodePrompts({
    ids: integers('input_ids'),
    mask: integers('attention_mask'),
    count,
  });
  try {
    const { data } = await runtime.read(states);
    return { images: data as Float32Array, run: await network.fuse(prompts, states) };
  } finally {
    states.dispose();
    prompts.states.dispose();
  }
}
