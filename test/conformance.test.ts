// The reference numbers of the official implementations, where ../shared/conformance lies beside the project.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { checkConformance } from '../conformance/index.js';
import { packageRoot } from '../src/core/assets.js';

const shared = join(packageRoot(), '..', 'shared', 'conformance');
const folders = [
  't5-encoder',
  'infinity-micro-2b-style',
  'infinity-micro-8b-style',
  'clip',
  'aesthetic',
  'image-reward',
];

describe('conformance with the official implementations', () => {
  it.skipIf(!existsSync(shared)).each(folders)('%s', async (name) => {
    const { comparisons, passes } = await checkConformance(join(shared, name));
    const failing = [...comparisons.values()].flat().filter((comparison) => !comparison.passes);
    expect(failing).toEqual([]);
    expect(passes).toBe(true);
  });

  it('says what is missing in a folder that is no fixture', async () => {
    await expect(checkConformance(join(packageRoot(), 'src'))).rejects.toThrow(
      'a fixture has config.json, weights and reference.safetensors',
    );
  });
});
