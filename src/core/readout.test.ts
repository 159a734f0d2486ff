import { describe, expect, it } from 'vitest';

import { CheckpointError } from './errors.js';
import { checkReadout } from './readout.js';

const check = (values: readonly number[], rows?: number) => () => {
  checkReadout('vae.pth', 'the pictures', Float32Array.from(values), rows);
};

describe('checkReadout', () => {
  it.each([NaN, Infinity, -Infinity])('refuses %d anywhere, naming file and part', (value) => {
    for (const at of [0, 3, 7]) {
      const values = Array.from({ length: 8 }, (_, i) => (i === at ? value : i));
      expect(check(values)).toThrow(CheckpointError);
      expect(check(values)).toThrow('vae.pth: the pictures are not finite numbers');
    }
    expect(check([Infinity, -Infinity])).toThrow('not finite');
  });

  it('refuses what is the same everywhere, or within each of its parts', () => {
    expect(check([0, 0, 0, 0])).toThrow('vae.pth: the pictures are all the same');
    expect(check([1, 1, 2, 2, 3, 3], 3)).toThrow('all the same');
    expect(check([1, 1, 2, 2, 3, 4], 3)).not.toThrow();
    expect(check([1, 1, 2, 2, 3, 3])).not.toThrow();
  });

  it('takes the largest numbers, and a single one', () => {
    expect(check([3.4e38, 3.4e38, -3.4e38])).not.toThrow();
    expect(check([1])).not.toThrow();
    expect(check([1, 1], 2)).not.toThrow();
  });
});
