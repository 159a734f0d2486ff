// The library behind `varsearch score`: files by score(), pictures in memory by scorePictures().

import { describe, expect, it, vi } from 'vitest';

import { colourJudge, plainPicture, scoreBench } from '../../test/fakes/score-bench.js';
import type { Image } from '../core/image.js';
import { JURY_RULES, resolveJury } from '../verifiers/jury.js';
import { lookAtPictures } from './look.js';
import { batchesOf, placesOf, scorePictures, scoreWith } from './pictures.js';
import type { ScoreEvent } from './score.js';
import { score } from './score.js';

const PICTURES: readonly Image[] = [
  plainPicture(51, 255),
  plainPicture(255, 0),
  plainPicture(51, 102),
  plainPicture(0, 153),
];

describe('scorePictures', () => {
  it('gives pictures best first, ties in their order and with the same place', async () => {
    const judge = colourJudge('redness', 0);
    const scored = await scorePictures(PICTURES, { prompt: 'red', verifier: judge });
    expect(scored.map(({ index, place, standing }) => [index, place, standing])).toEqual([
      [1, 1, { score: 1 }],
      [0, 2, { score: 0.2 }],
      [2, 2, { score: 0.2 }],
      [3, 4, { score: 0 }],
    ]);
    expect(scored[0]?.scores).toEqual({ redness: 1 });
    expect([judge.closed(), judge.open(), judge.calls]).toEqual([false, 0, [{ prompt: 'red', pictures: 4 }]]);
  });

  it('takes names and loaded verifiers together, in the order given, and closes what it loaded', async () => {
    const { catalogs, loaded } = scoreBench();
    const mine = colourJudge('mine', 0);
    const options = {
      prompt: 'x',
      verifier: ['greenness', mine],
      ensemble: 'weighted-sum',
      weights: [1, 3],
    } as const;
    const [first] = await scorePictures(PICTURES, options, { catalogs });
    expect(first).toEqual({
      index: 1,
      place: 1,
      standing: { score: 3 },
      scores: { greenness: 0, mine: 1 },
    });
    expect([mine.closed(), loaded.map((judge) => judge.closed())]).toEqual([false, [true]]);
  });

  it('ranks over all batches, not within one', async () => {
    const many = Array.from({ length: 40 }, (_, i) => plainPicture(i * 6, 255 - i));
    const judges = [colourJudge('redness', 0), colourJudge('greenness', 1)];
    const scored = await scorePictures(many, {
      prompt: 'x',
      verifier: judges,
      weights: [2, 1],
    });
    expect(scored.map(({ index }) => index)).toEqual(many.map((_, i) => 39 - i));
    expect(scored[0]?.standing).toEqual({ rank: (2 * 1 + 40) / 3, of: 40 });
    expect(scored[0]?.scores).toEqual({ redness: expect.closeTo(0.918), greenness: expect.closeTo(0.847) });
    expect(judges[0]?.calls.map(({ pictures }) => pictures)).toEqual([16, 16, 8]);
  });

  it('has nothing to say about no pictures', async () => {
    expect(await scorePictures([], { prompt: 'x', verifier: colourJudge('redness', 0) })).toEqual([]);
  });

  it.each([
    [{ prompt: '' }, /prompt/],
    [{ prompt: 'x', verifier: [] }, /option 'verifier' must be a name, a loaded verifier, or a list/],
    [{ prompt: 'x', verifier: 'greenness, greenness' }, /twice/],
    [{ verifier: 'greenness' }, /option 'prompt' is missing/],
    [{ prompt: 'x', ensemble: 'rank' }, /for several verifiers .* not for .* alone/],
    [
      { prompt: 'x', verifier: colourJudge('mine', 0), threads: 2 },
      /'threads' is for what is loaded by name/,
    ],
    [{ prompt: 'x', verifier: ['greenness', 'clip-score'], weights: [0, 0] }, /not all 0/],
    [
      { prompt: 'x', verifier: ['greenness', 'clip-score'], ensemble: 'mean' },
      /option 'ensemble' must be one of rank/,
    ],
    [{ prompt: 'x', verifier: 'greenness', clipDir: '/clip' }, /for the verifier clip-dir/],
    [{ prompt: 'x', colour: 1 }, /unknown option 'colour'/],
  ])('refuses %j before anything is loaded', async (options, message) => {
    const { catalogs, loaded } = scoreBench();
    await expect(scorePictures(PICTURES, options as never, { catalogs })).rejects.toThrow(message);
    expect(loaded).toEqual([]);
  });

  it.each(JURY_RULES)('by %s does not depend on the order in which verifiers are named', async (ensemble) => {
    const judges = ['redness', 'greenness', 'blueness'].map((name, channel) => colourJudge(name, channel));
    const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]; // prettier-ignore
    // Ranks 2, 1, 3 for the first, 3, 2, 1 for the second and 1, 3, 2 for the third; the fourth is the last of all.
    const colours: [number, number, number][] = [[2, 3, 1], [1, 2, 3], [3, 1, 2], [0, 0, 0]]; // prettier-ignore
    const pictures = colours.map((colour) => plainPicture(...colour));
    const found = orders.map((order) =>
      scorePictures(pictures, { prompt: 'x', verifier: order.map((i) => judges[i]!), ensemble }),
    );
    const [first, ...others] = await Promise.all(found);
    for (const other of others) expect(other).toEqual(first);
    expect(first?.map(({ index, place }) => [index, place])).toEqual([[0, 1], [1, 1], [2, 1], [3, 4]]); // prettier-ignore
    if (ensemble === 'rank') expect(first?.[0]?.standing).toEqual({ rank: 2, of: 4 });
  });

  it('is done by a jury that is open too, and prepares it for the prompt', async () => {
    const judge = colourJudge('redness', 0);
    const options = { prompt: 'red', verifier: judge };
    const jury = resolveJury(['redness']);
    const closed: string[] = [];
    const prepare = (prompt: string): ReturnType<Parameters<typeof scoreWith>[0]['prepare']> =>
      Promise.resolve({
        jury,
        cuts: new Map(),
        judge: (images) => Promise.resolve(images.map(({ data }) => ({ redness: (data[0] ?? 0) / 255 }))),
        close: () => void closed.push(prompt),
      });
    expect(await scoreWith({ prepare }, PICTURES, { prompt: 'red' })).toEqual(
      await scorePictures(PICTURES, options),
    );
    expect(closed).toEqual(['red']);
  });

  it('refuses a verifier that gives other than one score a picture', async () => {
    const judge = colourJudge('redness', 0);
    const prepare: typeof judge.prepare = async (...call) => ({
      ...(await judge.prepare(...call)),
      score: () => Promise.resolve([1]),
    });
    await expect(scorePictures(PICTURES, { prompt: 'x', verifier: { ...judge, prepare } })).rejects.toThrow(
      /verifier 'redness' gave 1 scores for 4 pictures/,
    );
    expect(judge.open()).toBe(0);
  });

  it('refuses a score that is no number, naming the verifier', async () => {
    const torn = { ...plainPicture(1), data: new Float32Array(48).fill(NaN) as unknown as Uint8Array };
    const judge = colourJudge('redness', 0);
    await expect(scorePictures([torn], { prompt: 'x', verifier: judge })).rejects.toThrow(
      /verifier 'redness' scored picture 1 of 1 as NaN/,
    );
    expect(judge.open()).toBe(0);
  });

  it('is cancelled between batches, and frees the prompt', async () => {
    const controller = new AbortController();
    const judge = colourJudge('redness', 0, {
      onScore: () => {
        controller.abort();
        return Promise.resolve();
      },
    });
    const many = Array.from({ length: 20 }, () => plainPicture(1));
    const { signal } = controller;
    await expect(scorePictures(many, { prompt: 'x', verifier: judge, signal })).rejects.toThrow(/abort/i);
    expect([judge.calls.length, judge.open()]).toEqual([1, 0]);
  });
});

describe('score', () => {
  it('tells what happens, and gives files with prompts of their own', async () => {
    const bench = scoreBench();
    bench.write('a.png', plainPicture(51));
    bench.write('b.png', plainPicture(102));
    const run = score(
      {
        images: ['*.png', { image: 'a.png', prompt: 'own' }, 'gone.png'],
        prompt: 'red',
        skipBad: true,
        verifier: 'greenness',
        cwd: bench.folder,
      },
      bench,
    );
    const events: ScoreEvent[] = [];
    for await (const event of run) events.push(event);
    expect(events).toEqual([
      { type: 'skipped', message: 'cannot read gone.png: no such file or folder' },
      { type: 'looked', done: 1, total: 3 },
      { type: 'looked', done: 2, total: 3 },
      { type: 'looked', done: 3, total: 3 },
      { type: 'ready', pictures: 3, prompts: 2 },
      { type: 'scored', done: 2, total: 3 },
      { type: 'scored', done: 3, total: 3 },
    ]);
    const result = await run.result;
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    const { pictures, jury } = result;
    expect(jury).toEqual({ judges: ['greenness'], observers: [], weights: [1], rule: 'score' });
    expect(pictures.map(({ image, prompt, best }) => [image, prompt, best])).toEqual([
      ['a.png', 'red', true],
      ['b.png', 'red', false],
      ['a.png', 'own', true],
    ]);
  });

  it('gives every prompt the same, whatever the order of the prompts', async () => {
    const bench = scoreBench();
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      bench.write(`${name}.png`, plainPicture(100 - 30 * i, 40 * ((i + 1) % 3)));
    }
    const images = ['red', 'green'].flatMap((prompt) =>
      ['a.png', 'b.png', 'c.png'].map((image) => ({ image, prompt })),
    );
    const scored = async (named: typeof images): Promise<unknown[]> => {
      const options = { images: named, verifier: ['clip-score', 'greenness'], cwd: bench.folder };
      const { pictures } = await score(options, bench).result;
      const kept = pictures.map(({ index: _, ...rest }) => rest);
      return ['red', 'green'].flatMap((prompt) => kept.filter((picture) => picture.prompt === prompt));
    };
    const turned = [...images.slice(3), ...images.slice(0, 3)];
    expect(await scored(turned)).toEqual(await scored(images));
  });

  it('takes threads for the usual verifier, which is loaded by its name', async () => {
    const bench = scoreBench();
    bench.write('a.png', plainPicture(51));
    const { pictures } = await score({ images: ['.'], prompt: 'x', threads: 1, cwd: bench.folder }, bench)
      .result;
    expect(pictures[0]).toMatchObject({ place: 1, best: true, standing: { score: 0.2 } });
  });

  it('reads files again that there is no room for, and says so when one has gone bad by then', async () => {
    const bench = scoreBench();
    for (const name of ['a.png', 'b.png']) bench.write(name, plainPicture(0, 255));
    const options = { images: ['.'], prompt: 'x', cwd: bench.folder };
    const [kept, dropped] = await lookAtPictures(options, { onSkip: () => undefined, keep: 60 });
    expect(await dropped?.load()).toEqual(plainPicture(0, 255));
    for (const name of ['a.png', 'b.png']) bench.write(name, 'gone bad');
    expect(await kept?.load()).toEqual(plainPicture(0, 255));
    await expect(dropped?.load()).rejects.toThrow(/b\.png is not a picture/);
  });

  it('refuses wrong options at once', () => {
    expect(() => score({ images: [] })).toThrow(/'images' must be a list of files/);
    expect(() => score({ images: 'a.png' } as never)).toThrow(/'images' must be a list of files/);
    expect(() => score({ images: ['a.png', ''] })).toThrow(/a picture has no name/);
    expect(() => score({ images: ['a.png'], prompt: ' ' })).toThrow(/option 'prompt' must be/);
    expect(() => score({ images: [{ image: 'a.png', prompt: ' ' }] })).toThrow(/prompt of a\.png is empty/);
    expect(() => score({ images: ['a.png'], verifiers: 'x' } as never)).toThrow(/unknown option 'verifiers'/);
  });

  it('does not wait for the fake timers of a test runner', async () => {
    const bench = scoreBench();
    bench.write('a.png', plainPicture(51));
    vi.useFakeTimers();
    try {
      const options = { images: ['a.png'], prompt: 'red', verifier: 'greenness', cwd: bench.folder };
      await score(options, bench).result;
    } finally {
      vi.useRealTimers();
    }
  });

  it('does nothing when it is cancelled already', async () => {
    const bench = scoreBench();
    const run = score({ images: ['a.png'], signal: AbortSignal.abort() }, bench);
    await expect(run.result).rejects.toThrow(/abort/i);
    expect(bench.loaded).toEqual([]);
  });
});

describe('batchesOf', () => {
  const sized = (width: number, height: number): { width: number; height: number } => ({ width, height });

  it('keeps to a number of pictures and to a size in memory, in order', () => {
    const small = Array.from({ length: 17 }, (_, i) => sized(64, 64 + i));
    expect(batchesOf(small).map((batch) => batch.length)).toEqual([16, 1]);
    expect(batchesOf(small).flat()).toEqual(small);
    const large = [sized(4000, 4000), sized(8192, 8192), sized(64, 64), sized(4000, 4000), sized(4000, 4000)];
    expect(batchesOf(large).map((batch) => batch.length)).toEqual([1, 1, 2, 1]);
    expect(batchesOf([])).toEqual([]);
  });
});

describe('placesOf', () => {
  it('joins the verifiers of one prompt', () => {
    const scores = [{ a: 1, b: 5 }, { a: 2, b: 9 }, { a: 3, b: 1 }]; // prettier-ignore
    expect(placesOf(scores, resolveJury(['a', 'b']))).toEqual([
      { index: 1, place: 1, standing: { rank: 1.5, of: 3 }, scores: { a: 2, b: 9 } },
      { index: 2, place: 2, standing: { rank: 2, of: 3 }, scores: { a: 3, b: 1 } },
      { index: 0, place: 3, standing: { rank: 2.5, of: 3 }, scores: { a: 1, b: 5 } },
    ]);
    expect(placesOf([], resolveJury(['a', 'b']))).toEqual([]);
  });
});
