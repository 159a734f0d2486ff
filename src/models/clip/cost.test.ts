// The operations of CLIP's image tower, held to the matrices of its checkpoint.

import { describe, expect, it } from 'vitest';

import { matrixFlops, type Rows } from '../../../test/fixtures/matrix-flops.js';
import { TINY_CLIP, tinyClipTensors } from '../../../test/fixtures/tiny-clip.js';
import { blockFlops, clipPictureFlops } from './cost.js';

describe('CLIP', () => {
  const { width, layers, embedding, side, patch } = TINY_CLIP;
  const tokens = (side / patch) ** 2 + 1;
  const sizes = { width, layers, hidden: 4 * width, heads: 2, imageSize: side, patchSize: patch };
  const config = { ...sizes, activation: 'gelu', eps: 1e-5 } as const;

  it('counts every matrix once for each token that goes through it, and the attention', () => {
    const rows: Rows = (name) => {
      if (name.endsWith('patch_embedding.weight')) return tokens - 1;
      if (name === 'visual_projection.weight') return 1;
      if (!name.startsWith('vision_model.encoder')) return 0;
      const isLast = name.includes(`layers.${layers - 1}.`);
      return isLast && !/[kv]_proj/.test(name) ? 1 : tokens;
    };
    const attention = 4 * width * ((layers - 1) * tokens ** 2 + tokens);
    expect(clipPictureFlops(config, embedding)).toBe(matrixFlops(tinyClipTensors(), rows) + attention);
  });

  it('is known of ViT-L/14 without its weights', () => {
    const large = { ...config, width: 1024, hidden: 4096, layers: 24, imageSize: 224, patchSize: 14 };
    // 81 G multiplications with all tokens of the last block, which is 1/24 of them.
    expect(clipPictureFlops(large, 768) / 2e9).toBeCloseTo(78.0, 0);
    expect(blockFlops(large, 257) / 2e9).toBeCloseTo(3.37, 2);
  });
});
