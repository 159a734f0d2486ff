// The film of a result: kept where it is asked for, drawn from the winner's packed state at no cost of the search, and written as
// an animation.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { encodeGif } from '../src/core/image-gif.js';
import { createImage, generate, type Ledger, resultFiles } from '../src/index.js';
import { readHtml } from './fakes/check-html.js';
import { cliBench } from './fakes/cli.js';
import { FakeDiffusion } from './fakes/fake-diffusion.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const given = () => ({ prompt: 'red', model: fakeModel(), verifier: fakeVerifier(), candidates: 3 });

/** The times of a GIF's frames: of its graphic control extensions. */
function framesOf(gif: Uint8Array): number[] {
  const bytes = Buffer.from(gif);
  const times: number[] = [];
  const begin = Buffer.from([0x21, 0xf9, 0x04]);
  for (let at = bytes.indexOf(begin); at >= 0; at = bytes.indexOf(begin, at + 1)) {
    times.push(bytes.readUInt16LE(at + 4));
  }
  return times;
}

const plain = (side: number, value: number): ReturnType<typeof createImage> =>
  createImage(side, side, new Uint8Array(side * side * 3).fill(value));

describe('a film', () => {
  it('has the picture after every step, the result last, and costs the search nothing', async () => {
    const options = given();
    const { film: none, ...others } = (await generate(options).result).pictures;
    expect(none).toBeUndefined();
    const { model } = options;
    const result = await generate({ ...options, film: true }).result;
    const { film = [] } = result.pictures;
    expect(film).toHaveLength(result.schedule.steps.length);
    expect(film.at(-1)).toEqual(result.image);
    // Each step adds to the fake's picture.
    expect(new Set(film.map(({ data }) => Buffer.from(data).toString('hex'))).size).toBeGreaterThan(1);
    expect([...others.states]).toEqual([...result.pictures.states]);
    expect(result.ledger.imagesDecoded).toBe((await generate(options).result).ledger.imagesDecoded);
    expect(model.alive()).toBe(0);
  });

  it('is none of a model that forgets its steps', async () => {
    const model = {
      name: 'diffusion',
      options: {},
      resolve: () => ({}),
      hashes: () => Promise.resolve({}),
      prepare: (_: string, ledger: Ledger) =>
        Promise.resolve(new FakeDiffusion({ solver: 'stochastic', ledger })),
      close: () => Promise.resolve(),
    };
    const { pictures } = await generate({
      prompt: 'red',
      model,
      verifier: fakeVerifier(),
      strategy: 'random',
      images: 2,
      film: true,
    }).result;
    expect(pictures.film).toBeUndefined();
  });

  it('is a strip on the page, and a file where that is asked for', async () => {
    const result = await generate({ ...given(), film: true }).result;
    const files = await resultFiles(result, { film: true });
    expect(Object.keys(files)).toContain('film.gif');
    expect(framesOf(files['film.gif'] as Uint8Array)).toEqual([70, 70, 70, 250]);
    const tags = readHtml(String(files['index.html']));
    const frames = tags.filter(({ attributes }) => attributes['alt']?.startsWith('The result after scale'));
    expect(frames).toHaveLength(4);
    expect(tags.map(({ attributes }) => attributes['href'])).toContain('film.gif');
    expect(Object.keys(await resultFiles(result))).not.toContain('film.gif');
  });

  it('is written by --film', async () => {
    const bench = cliBench();
    const { code } = await bench.run(
      'generate',
      'red',
      '--film',
      '--out',
      'here',
      '--quiet',
      '--candidates',
      '2',
    );
    expect(code).toBe(0);
    expect(framesOf(readFileSync(join(bench.folder, 'here', 'film.gif')))).toHaveLength(4);
  });
});

describe('an animation', () => {
  it('enlarges all frames to the size of the largest, sharply', async () => {
    const gif = await encodeGif([
      { image: plain(2, 255), milliseconds: 100 },
      { image: plain(8, 0), milliseconds: 300 },
    ]);
    expect(framesOf(gif)).toEqual([10, 30]);
    // The size of the whole, and of both frames.
    const bytes = Buffer.from(gif);
    expect([bytes.readUInt16LE(6), bytes.readUInt16LE(8)]).toEqual([8, 8]);
  });
});
