import { describe, expect, it } from 'vitest';

import type { Prefix } from '../models/contract.js';
import { Owned } from './owned.js';

function prefix(): Prefix & { owners: number } {
  return {
    step: 1,
    owners: 1,
    retain() {
      this.owners++;
      return this;
    },
    release() {
      this.owners--;
    },
  };
}

describe('Owned', () => {
  it('releases what is left, each as often as it is owned', () => {
    const owned = new Owned();
    const [once, twice] = [prefix(), prefix()];
    owned.add(once);
    owned.add(twice);
    owned.add(twice.retain());
    expect(owned.size).toBe(3);
    owned.releaseAll();
    expect([once.owners, twice.owners, owned.size]).toEqual([0, 0, 0]);
  });

  it('releases once, and not what it does not own', () => {
    const owned = new Owned();
    const one = prefix();
    owned.add(one);
    owned.release(one);
    expect(one.owners).toBe(0);
    expect(() => {
      owned.release(one);
    }).toThrow(/1 steps is not owned/);
    expect(one.owners).toBe(0);
  });
});
