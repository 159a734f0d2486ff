import { describe as group, expect, it } from 'vitest';

import { createImage } from '../core/image.js';
import { RandomKey } from '../core/random.js';
import { describe, representatives } from './clusters.js';

const draw = RandomKey.fromSeed(5);

group('representatives', () => {
  it('are the nearest to the centres of clusters, one each, whatever is drawn', () => {
    // Three heaps; of each the middle one is nearest to the centre.
    const points = [0, 1, 2.1, 50, 51, 52.1, 99, 100, 101.1].map((x) => [x, -x]);
    for (let seed = 0; seed < 20; seed++) {
      expect(representatives(points, 3, RandomKey.fromSeed(seed))).toEqual([1, 4, 7]);
    }
  });

  it('are all where all are asked for, and make up their number where too few differ', () => {
    const same = Array.from({ length: 5 }, () => [1, 2, 3]);
    expect(representatives(same, 5, draw)).toEqual([0, 1, 2, 3, 4]);
    expect(representatives(same, 2, draw)).toEqual([0, 1]);
    expect(representatives([[0], [0], [9], [0]], 2, draw)).toEqual([0, 2]);
  });

  it('leave out a double rather than what stands alone', () => {
    const points = [
      [0, 0],
      [0, 0],
      [0, 0.1],
      [200, 0],
      [0, 200],
      [200, 200],
    ];
    for (let seed = 0; seed < 20; seed++) {
      const found = representatives(points, 4, RandomKey.fromSeed(seed));
      expect(found.filter((i) => i < 3)).toHaveLength(1);
      expect(found.slice(1)).toEqual([3, 4, 5]);
    }
  });
});

group('the description of a picture', () => {
  it('is its colours in 8 x 8 places, of whatever size it is', async () => {
    const striped = createImage(
      32,
      32,
      Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) => (i % 96 < 48 ? 255 : 0)),
    );
    const [small, large] = await describe([createImage(2, 2, new Uint8Array(12)), striped]);
    expect(small).toHaveLength(12);
    expect(large).toHaveLength(192);
    expect(Array.from(large ?? []).slice(0, 9)).toEqual(Array(9).fill(255));
    expect(large?.[23]).toBe(0);
  });
});
