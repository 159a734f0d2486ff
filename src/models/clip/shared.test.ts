import { describe, expect, it } from 'vitest';

import { greyPicture } from '../../../test/fixtures/pictures.js';
import type { Image } from '../../core/image.js';
import type { ClipEncoder } from './clip.js';
import { rememberPictures } from './shared.js';

/** An encoder of width 2 that gives the first sample of a picture, and waits to be let go. */
function slowClip(): { clip: ClipEncoder; calls: (readonly Image[])[]; go: () => void } {
  const calls: (readonly Image[])[] = [];
  const waiting: (() => void)[] = [];
  const clip: ClipEncoder = {
    pictureFlops: 1000,
    width: 2,
    embedImages: async (images, { signal } = {}) => {
      calls.push(images);
      await new Promise<void>((resolve) => waiting.push(resolve));
      signal?.throwIfAborted();
      return Float32Array.from(images.flatMap(({ data }) => [data[0] ?? 0, 1]));
    },
    embedText: () => Promise.resolve(new Float32Array(2)),
    unseen: () => ({ tokens: 77, unseen: '' }),
    hashes: () => Promise.resolve({}),
    close: () => undefined,
  };
  return { clip, calls, go: () => waiting.splice(0).forEach((resolve) => { resolve(); }) }; // prettier-ignore
}

const [a, b, c] = [greyPicture(2, 2, 10), greyPicture(2, 2, 20), greyPicture(2, 2, 30)];

describe('a CLIP that remembers pictures', () => {
  it('embeds each picture once, also while it is under way and twice in one call', async () => {
    const { clip, calls, go } = slowClip();
    const remembering = rememberPictures(clip);
    const both = Promise.all([remembering.embedImages([a, b, a]), remembering.embedImages([b, c])]);
    go();
    expect((await both).map((rows) => [...rows])).toEqual([
      [10, 1, 20, 1, 10, 1],
      [20, 1, 30, 1],
    ]);
    expect(calls).toEqual([[a, b], [c]]);
    expect([...(await remembering.embedImages([c, a]))]).toEqual([30, 1, 10, 1]);
    expect((await remembering.embedImages([])).length).toBe(0);
    expect(calls.length).toBe(2);
  });

  it('starts again for those who did not cancel', async () => {
    const { clip, calls, go } = slowClip();
    const remembering = rememberPictures(clip);
    const controller = new AbortController();
    const cancelled = remembering.embedImages([a], { signal: controller.signal });
    const other = remembering.embedImages([a]);
    controller.abort();
    go();
    await expect(cancelled).rejects.toThrow(/abort/i);
    await new Promise((resolve) => setImmediate(resolve));
    go();
    expect([...(await other)]).toEqual([10, 1]);
    expect(calls.length).toBe(2);
  });

  it('forgets what failed, and hands the error on', async () => {
    const { clip } = slowClip();
    let fails = true;
    const remembering = rememberPictures({
      ...clip,
      embedImages: () =>
        fails ? Promise.reject(new Error('broken')) : Promise.resolve(Float32Array.of(1, 2)),
    });
    await expect(remembering.embedImages([a])).rejects.toThrow('broken');
    fails = false;
    expect([...(await remembering.embedImages([a]))]).toEqual([1, 2]);
  });
});
