// Judges that sit together: every one's scores by name, prompts made ready once and freed whatever happens.

import { describe, expect, it } from 'vitest';

import { fakeVerifier } from '../../test/fakes/fake-verifier.js';
import { UsageError } from '../core/errors.js';
import { createImage, type Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import type { Verifier } from '../verifiers/contract.js';
import { seatJury } from './jury.js';

const pictures: readonly Image[] = [
  createImage(1, 1, Uint8Array.of(255, 0, 0)),
  createImage(1, 1, Uint8Array.of(0, 0, 255)),
];

/** A verifier that counts its open judges and gives what it is told. */
function counting(name: string, score: () => Promise<number[]>): Verifier & { open: () => number } {
  let open = 0;
  return {
    ...fakeVerifier({ name }),
    open: () => open,
    prepare: () => {
      open++;
      return Promise.resolve({
        score,
        close: () => {
          open--;
        },
      });
    },
  };
}

describe('a jury', () => {
  it('gives the scores of every judge by name, at the cost of all', async () => {
    const judges = [fakeVerifier({ name: 'red' }), fakeVerifier({ name: 'blue', likes: 'blue' })];
    const room = seatJury(judges, { ensemble: 'z-score', weights: [2, 1] }, [
      fakeVerifier({ name: 'onlooker' }),
    ]);
    expect(room.jury).toEqual({
      judges: ['red', 'blue'],
      observers: ['onlooker'],
      rule: 'z-score',
      weights: [2, 1],
    });
    const ledger = new Ledger();
    const bench = await room.prepare('x', ledger);
    const [first, second] = await bench.judge(pictures);
    expect(Object.keys(first ?? {})).toEqual(['red', 'blue']);
    expect(first?.['red']).toBeGreaterThan(second?.['red'] ?? NaN);
    expect(first?.['blue']).toBeLessThan(second?.['blue'] ?? NaN);
    expect(ledger.record().imagesVerified).toBe(4);
    expect(await room.hashes()).toEqual({
      'red/judge.safetensors': 'b'.repeat(64),
      'blue/judge.safetensors': 'b'.repeat(64),
    });
    bench.close();
  });

  it('is refused where weights or names do not fit', () => {
    expect(() => seatJury([fakeVerifier()], { weights: [1] })).toThrow(UsageError);
    expect(() => seatJury([fakeVerifier(), fakeVerifier()], {})).toThrow(/is named twice/);
    expect(() => seatJury([], {})).toThrow(/at least one verifier/);
  });

  it('closes the judges that are ready when another cannot be, and all of them when told', async () => {
    const good = counting('good', () => Promise.resolve([1, 2]));
    const bad: Verifier = {
      ...fakeVerifier({ name: 'bad' }),
      prepare: () => Promise.reject(new Error('no')),
    };
    await expect(seatJury([good, bad], {}).prepare('x', new Ledger())).rejects.toThrow('no');
    expect(good.open()).toBe(0);
    const bench = await seatJury([good], {}).prepare('x', new Ledger());
    expect(good.open()).toBe(1);
    bench.close();
    expect(good.open()).toBe(0);
  });

  it('refuses scores that are missing or no numbers, and ends when it is cancelled', async () => {
    for (const scores of [[], [1, NaN]]) {
      const bench = await seatJury([counting('odd', () => Promise.resolve(scores))], {}).prepare(
        'x',
        new Ledger(),
      );
      await expect(bench.judge(pictures)).rejects.toThrow(
        /'odd' (gave 0 scores for 2|scored picture 2 of 2 as NaN)/,
      );
    }
    const controller = new AbortController();
    const slow = counting('slow', () => {
      controller.abort();
      return Promise.resolve([1, 2]);
    });
    const bench = await seatJury([slow], {}).prepare('x', new Ledger());
    await expect(bench.judge(pictures, { signal: controller.signal })).rejects.toThrow(/abort/i);
  });
});
