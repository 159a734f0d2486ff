// What a run keeps of its pictures: small ones of all, whole ones as far as the memory goes, and states that redraw any.

import { describe, expect, it } from 'vitest';

import { fakeModel } from '../../test/fakes/fake-model.js';
import { Ledger } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import type { Generator } from '../models/contract.js';
import type { Candidate, Shown } from '../search/contract.js';
import { PictureStore, redraw, THUMBNAIL_SIDE } from './pictures.js';
import { hashPixels } from './recipe.js';

const SIDE = 200;
const BYTES = SIDE * SIDE * 3;

async function draw(count: number): Promise<{ generator: Generator; shown: Shown[] }> {
  const model = fakeModel({ side: SIDE });
  const generator = await model.prepare('x', new Ledger());
  const shown: Shown[] = [];
  for (let id = 1; id <= count; id++) {
    let prefix = generator.begin();
    for (let step = 1; step <= generator.schedule.steps.length; step++) {
      const key = RandomKey.fromSeed(id).fold(step);
      const [next] = await generator.extend([{ prefix, draw: key }]);
      prefix.release();
      prefix = next ?? prefix;
    }
    const [image] = await generator.decode([prefix], 'own');
    const candidate: Candidate = { id, parent: 0, step: 4, judgedAt: 4, path: [1, 0, id - 1], scores: {} };
    if (image) shown.push({ candidate, image, state: generator.pack(prefix) });
    prefix.release();
  }
  return { generator, shown };
}

describe('the picture store', () => {
  it('keeps the first picture whole, all of them small, and draws the others again', async () => {
    const { generator, shown } = await draw(4);
    const store = new PictureStore(2 * BYTES);
    await store.add(shown, 2);
    const { first, thumbnails, states } = store.pictures();
    expect(first).toBe(shown[0]?.image);
    expect([...thumbnails.keys()]).toEqual([1, 2, 3, 4]);
    for (const image of thumbnails.values()) expect(image.width).toBe(THUMBNAIL_SIDE);
    expect(states.get(3)).toEqual(shown[2]?.state);
    // 2 was to be kept, 4 came last.
    expect(await store.image(2, generator)).toBe(shown[1]?.image);
    expect(await store.image(4, generator)).toBe(shown[3]?.image);
    const decoded = generator.ledger.record();
    expect(hashPixels(await store.image(1, generator))).toBe(hashPixels(first));
    // Drawing again is no part of the search.
    expect(generator.ledger.record()).toEqual(decoded);
    generator.close();
  });

  it('says so where a picture was never drawn', async () => {
    const { generator } = await draw(0);
    const store = new PictureStore();
    expect(() => store.pictures()).toThrow('nothing was drawn yet');
    await expect(store.image(7, generator)).rejects.toThrow('candidate 7 was never drawn');
  });

  it('frees the prefixes of pictures that it draws again, also when that fails', async () => {
    const { generator, shown } = await draw(2);
    const packed = shown.map(({ state }) => ({ state, view: 'own' }) as const);
    expect((await redraw(packed, generator)).map(hashPixels)).toEqual(
      shown.map(({ image }) => hashPixels(image)),
    );
    await expect(redraw(packed, generator, AbortSignal.abort())).rejects.toThrow(/abort/i);
    // It would throw for prefixes that are left.
    generator.close();
  });
});
