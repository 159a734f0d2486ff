// The reference numbers of the official implementations: small folders that are part of the project, and the bigger ones
// where ../shared/conformance lies beside it.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { checkConformance } from '../conformance/index.js';
import { packageRoot } from '../src/core/assets.js';

const small = join(packageRoot(), 'test', 'fixtures', 'conformance');
const shared = join(packageRoot(), '..', 'shared', 'conformance');

/** Outputs that are compared, by folder; the Infinity folders have logits for every scale. */
const SMALL = {
  'aesthetic-tiny': 2,
  'clip-tiny': 10,
  'clip-tiny-openai': 10,
  'image-reward-tiny': 5,
  'infinity-tiny-2b-style': 15,
  'infinity-tiny-8b-style': 9,
  't5-tiny': 3,
} as const;
const SHARED = [
  't5-encoder',
  'infinity-micro-2b-style',
  'infinity-micro-8b-style',
  'clip',
  'aesthetic',
  'image-reward',
  'flux',
  'flux-schnell',
  'flux-diffusers',
];
/** What a fixture gives to the implementation, and embeddings that no output of ours stands for; all else is compared. */
const INPUTS = [
  /^(pixel_values|input_ids|attention_mask|image_features|relative_position|inputs_embeds)$/,
  /^(text_features|bits\.\d+|encoder\.image)$/,
  /^(img|img_ids|txt|txt_ids|timesteps|y|guidance|ae\.z)$/,
  /^denoise\.(noise|txt|vec|img_ids|txt_ids|timesteps)$/,
  // Stages inside of FLUX's one graph: what they lead to is compared.
  /^intermediate\.(pe|vec|double_blocks\.\d+\.(img|txt)|single_blocks\.\d+)$/,
];

async function expectConformance(folder: string): Promise<number> {
  const { comparisons, uncompared, passes } = await checkConformance(folder);
  const all = [...comparisons.values()].flat();
  expect(all.filter((comparison) => !comparison.passes)).toEqual([]);
  expect(uncompared.filter((name) => !INPUTS.some((input) => input.test(name)))).toEqual([]);
  expect(passes).toBe(true);
  return all.length;
}

describe('conformance with the official implementations', () => {
  it.each(Object.entries(SMALL))('%s', async (name, outputs) => {
    expect(await expectConformance(join(small, name))).toBe(outputs);
  });

  it('leaves no small folder out', () => {
    const folders = readdirSync(small, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).toSorted()).toEqual(Object.keys(SMALL));
  });

  it.skipIf(!existsSync(shared)).each(SHARED)('%s', async (name) => {
    expect(await expectConformance(join(shared, name))).toBeGreaterThan(0);
  });

  it('says what is missing in a folder that is no fixture', async () => {
    await expect(checkConformance(join(packageRoot(), 'src'))).rejects.toThrow(
      'a fixture has config.json, weights and reference.safetensors',
    );
  });
});
