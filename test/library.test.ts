// The library by import: results, events, cancellation, several runs on one loaded model.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import {
  compare,
  encodeWithRecipe,
  generate,
  type GenerateEvent,
  type Image,
  isAbortError,
  openVarsearch,
  replay,
  resultJson,
  UsageError,
  type Verifier,
  type VerifierEntry,
} from '../src/index.js';
import { hashPixels } from '../src/run/recipe.js';
import { fakeCatalogs } from './fakes/catalogs.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const fakes = () => ({ model: fakeModel(), verifier: fakeVerifier() });

describe('generate', () => {
  it('gives the picture, its standing, candidates, fates, ledger, options, versions, hashes and recipe', async () => {
    const result = await generate({ prompt: 'red', ...fakes(), seed: 3 }).result;
    expect(result).toMatchObject({
      complete: true,
      standing: { score: result.winner.scores['fake-score'] },
      options: {
        prompt: 'red',
        model: 'fake',
        modelOptions: { cfg: 4, temperature: 0.5 },
        jury: { judges: ['fake-score'], rule: 'score' },
        seed: 3,
      },
      schedule: { unit: 'scale', steps: { length: 4 } },
      ledger: { nfe: 132, imagesVerified: 51, imagesDecoded: 51 },
      hashes: { jury: { 'fake-score/judge.safetensors': 'b'.repeat(64) } },
      recipe: { format: 2, complete: true, candidate: result.winner.id },
    });
    expect(result.candidates).toHaveLength(60);
    expect(result.fates).toHaveLength(60);
    expect(result.trace.at(-1)).toMatchObject({ images: 51, nfe: 132, best: result.standing });
    const { first, thumbnails, states } = result.pictures;
    expect([first.width, thumbnails.size, states.size]).toEqual([16, 51, 51]);
    expect(thumbnails.get(result.winner.id)).toEqual(result.image);
    expect(result.milliseconds).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(resultJson(result, 'x.png')))).toMatchObject({
      format: 2,
      picture: 'x.png',
      winner: result.winner.id,
    });
  });

  it('tells events in order, as plain JSON, to whoever listens first from the first one on', async () => {
    const run = generate({ prompt: 'red', ...fakes(), width: 2, candidates: 2 });
    const result = await run.result;
    const late: GenerateEvent[] = [];
    for await (const event of run) late.push(event);
    expect(late[0]).toMatchObject({ type: 'ready', cost: { images: 10, nfe: 28 }, options: result.options });
    expect(late.filter(({ type }) => type === 'round')).toHaveLength(4);
    const judged = late.flatMap((event) => (event.type === 'judged' ? event.candidates : []));
    expect(judged).toEqual(result.candidates);
    expect(late.flatMap((event) => (event.type === 'elected' ? event.fates : []))).toEqual(result.fates);
    expect(late.at(-1)).toMatchObject({ type: 'elected', round: 4 });
    expect(JSON.parse(JSON.stringify(late))).toEqual(late);
  });

  it('leaves models that were handed in open, and closes those it loaded', async () => {
    const given = fakes();
    await generate({ prompt: 'red', ...given, candidates: 1 }).result;
    expect([given.model.closed(), given.verifier.closed(), given.model.alive()]).toEqual([false, false, 0]);
    const catalogs = fakeCatalogs();
    await generate({ prompt: 'red', candidates: 1 }, { catalogs }).result;
    expect(catalogs.loaded.models[0]?.closed()).toBe(true);
    expect(catalogs.loaded.verifiers[0]?.closed()).toBe(true);
  });

  it('stops when its signal is aborted, frees everything, and still tells what it had', async () => {
    const given = fakes();
    const controller = new AbortController();
    const run = generate({ prompt: 'red', ...given, signal: controller.signal });
    expect(await run.soFar()).toBeNull();
    for await (const event of run) {
      if (event.type !== 'judged') continue;
      controller.abort();
      break;
    }
    await expect(run.result).rejects.toSatisfy(isAbortError);
    expect(given.model.alive()).toBe(0);
    const partial = await run.soFar();
    expect(partial?.complete).toBe(false);
    expect(partial?.candidates.length).toBeGreaterThan(0);
    const scores = partial?.candidates.map((each) => each.scores['fake-score'] ?? NaN) ?? [];
    expect(partial?.standing).toEqual({ score: Math.max(...scores) });
    expect(hashPixels(partial?.image as Image)).toBe(partial?.recipe.pixels);
  });

  it('closes the judge of every verifier, however a run ends', async () => {
    const open = new Map<string, number>();
    const counted = (name: string, onScore: () => void = () => {}): Verifier => {
      const inner = fakeVerifier({ name, onScore });
      const count = (by: number): unknown => open.set(name, (open.get(name) ?? 0) + by);
      return {
        ...inner,
        prepare: async (...call) => {
          const judge = await inner.prepare(...call);
          count(1);
          return {
            ...judge,
            close: () => {
              count(-1);
              judge.close();
            },
          };
        },
      };
    };
    const model = fakeModel();
    const verifier = [counted('one'), counted('two')];
    await generate({ prompt: 'red', model, verifier, holdOut: counted('three'), candidates: 1 }).result;
    expect(Object.fromEntries(open)).toEqual({ one: 0, two: 0, three: 0 });
    await generate({ prompt: 'red', model, verifier: counted('one'), candidates: 1 }).result;
    const failing = counted('two', () => {
      throw new Error('no eyes');
    });
    const failed = generate({ prompt: 'red', model, verifier: [counted('one'), failing], candidates: 1 });
    await expect(failed.result).rejects.toThrow('no eyes');
    const controller = new AbortController();
    const aborting = counted('three', () => {
      controller.abort();
    });
    const aborted = generate({ prompt: 'red', model, verifier: aborting, signal: controller.signal });
    await expect(aborted.result).rejects.toSatisfy(isAbortError);
    expect(Object.fromEntries(open)).toEqual({ one: 0, two: 0, three: 0 });
    expect(model.alive()).toBe(0);
  });

  it('stops when its signal is aborted while a verifier is still being opened', async () => {
    const controller = new AbortController();
    const catalogs = fakeCatalogs();
    const slow: VerifierEntry = {
      ...catalogs.findVerifier('clip-score'),
      load: ({ signal } = {}) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
          controller.abort();
        }),
    };
    const run = generate(
      { prompt: 'red', signal: controller.signal },
      { catalogs: { ...catalogs, findVerifier: () => slow } },
    );
    await expect(run.result).rejects.toSatisfy(isAbortError);
    expect(catalogs.loaded.models[0]?.closed()).toBe(true);
  });

  it('does nothing for a signal that was aborted before', async () => {
    const catalogs = fakeCatalogs();
    const signal = AbortSignal.abort();
    await expect(generate({ prompt: 'red', signal }, { catalogs }).result).rejects.toSatisfy(isAbortError);
    expect(catalogs.loaded.models).toHaveLength(0);
  });

  it('throws at once for options that can only be wrong, and fails for those that the schedule forbids', async () => {
    const wrong = { prompt: 'red', sed: 1 } as unknown as Parameters<typeof generate>[0];
    expect(() => generate(wrong)).toThrow(
      "unknown option 'sed': did you mean 'seed'? known are model, modelDir",
    );
    expect(() => generate({ prompt: 'red', seed: NaN })).toThrow("option 'seed' must be a whole number");
    expect(() => generate({ prompt: '' })).toThrow("option 'prompt' must be a text");
    const given = fakes();
    const run = generate({ prompt: 'red', ...given, budget: 2 });
    await expect(run.result).rejects.toThrow(UsageError);
    await expect(async () => {
      for await (const _ of run);
    }).rejects.toThrow('budget of 2');
  });

  it('closes the one when loading the other fails', async () => {
    const catalogs = fakeCatalogs();
    const findVerifier = () => ({
      ...catalogs.findVerifier('clip-score'),
      load: () => Promise.reject(new Error('no weights')),
    });
    await expect(
      generate({ prompt: 'red' }, { catalogs: { ...catalogs, findVerifier } }).result,
    ).rejects.toThrow('no weights');
    expect(catalogs.loaded.models[0]?.closed()).toBe(true);
  });
});

describe('openVarsearch', () => {
  it('loads once for several runs, and gives each its own ledger', async () => {
    const catalogs = fakeCatalogs();
    const varsearch = await openVarsearch({}, { catalogs });
    const first = await varsearch.generate({ prompt: 'red', seed: 1 }).result;
    const second = await varsearch.generate({ prompt: 'red', seed: 1 }).result;
    expect(second.recipe).toEqual(first.recipe);
    expect(second.ledger.nfe).toBe(first.ledger.nfe);
    expect([first.ledger.milliseconds.load > 0, second.ledger.milliseconds.load]).toEqual([true, 0]);
    expect(first.options.modelOptions).toMatchObject({ cfg: 4 });
    await varsearch.compare({ prompt: 'red', budget: 40 }).result;
    await varsearch.close();
    expect(catalogs.loaded.models).toHaveLength(1);
    expect(catalogs.loaded.models[0]?.closed()).toBe(true);
  });

  it('closes what it loaded when it is disposed of', async () => {
    const catalogs = fakeCatalogs();
    {
      await using varsearch = await openVarsearch({}, { catalogs });
      await varsearch.generate({ prompt: 'red', candidates: 1 }).result;
      expect(catalogs.loaded.models[0]?.closed()).toBe(false);
    }
    expect(catalogs.loaded.models[0]?.closed()).toBe(true);
    expect(catalogs.loaded.verifiers[0]?.closed()).toBe(true);
  });

  it('draws any picture of a result again, byte for byte, without a forward pass', async () => {
    const fake = fakeModel({ side: 40 });
    const varsearch = await openVarsearch({ model: fake, verifier: fakeVerifier() });
    const options = { prompt: 'red', width: 2, candidates: 2, keepElected: true } as const;
    const result = await varsearch.generate(options).result;
    const taken = result.candidates.find(({ sameAs }) => sameAs !== undefined);
    const ids = [1, result.winner.id, taken?.id ?? 0, taken?.sameAs ?? 0];
    const [first, winner, same, original] = (await varsearch.redraw(result, ids)).map(hashPixels);
    expect(first).toBe(hashPixels(result.pictures.first));
    expect(winner).toBe(hashPixels(result.image));
    expect(same).toBe(original);
    await expect(varsearch.redraw(result, [99])).rejects.toThrow('the result has no candidate 99');
    expect(fake.alive()).toBe(0);
  });

  it('replays and scores with what is open', async () => {
    const catalogs = fakeCatalogs();
    await using varsearch = await openVarsearch({ verifier: 'clip-score,aesthetic' }, { catalogs });
    const { image, recipe, pictures } = await varsearch.generate({ prompt: 'red', candidates: 2 }).result;
    const again = await varsearch.replay(await encodeWithRecipe(image, recipe)).result;
    expect(again).toMatchObject({ identical: true, differences: [] });
    const scores = await varsearch.score([pictures.first, image], { prompt: 'red' });
    expect(scores.map(({ place }) => place)[0]).toBe(1);
    expect(Object.keys(scores[0]?.scores ?? {})).toEqual(['clip-score', 'aesthetic']);
    expect(scores[0]?.standing).toMatchObject({ of: 2 });
    expect(catalogs.loaded.models).toHaveLength(1);
    expect(catalogs.loaded.verifiers.map(({ name }) => name)).toEqual(['clip-score', 'aesthetic']);
  });
});

describe('the judges of a run', () => {
  /** A verifier that counts the judges that are prepared and not closed. */
  function counting(name: string, onScore?: () => void): Verifier & { open: () => number } {
    let open = 0;
    const verifier = fakeVerifier({ name, ...(onScore ? { onScore } : {}) });
    return {
      ...verifier,
      open: () => open,
      prepare: async (...given) => {
        const judge = await verifier.prepare(...given);
        open++;
        return {
          ...judge,
          close: () => {
            open--;
          },
        };
      },
    };
  }
  const fail = (): void => {
    throw new Error('no score');
  };

  it('are closed when it ends, with those who look on', async () => {
    const [judge, observer] = [counting('judge'), counting('observer')];
    const options = { prompt: 'red', model: fakeModel(), verifier: judge, holdOut: observer };
    const { report } = await generate({ ...options, candidates: 1 }).result;
    expect(report?.rows.map(({ verifier }) => verifier)).toEqual(['judge', 'observer']);
    expect([judge.open(), observer.open()]).toEqual([0, 0]);
  });

  it.each([
    ['a judge', fail, undefined],
    ['an observer', undefined, fail],
  ])('are closed when %s fails', async (_, ofJudge, ofObserver) => {
    const [judge, observer] = [counting('judge', ofJudge), counting('observer', ofObserver)];
    const model = fakeModel();
    const run = generate({ prompt: 'red', model, verifier: judge, holdOut: observer });
    await expect(run.result).rejects.toThrow('no score');
    expect([judge.open(), observer.open(), model.alive()]).toEqual([0, 0, 0]);
  });

  it('are closed when it is cancelled', async () => {
    const controller = new AbortController();
    const judge = counting('judge', () => {
      controller.abort();
    });
    const run = generate({ prompt: 'red', model: fakeModel(), verifier: judge, signal: controller.signal });
    await expect(run.result).rejects.toSatisfy(isAbortError);
    expect(judge.open()).toBe(0);
  });
});

describe('observers', () => {
  it('see the pictures of the first round as they are drawn, and the winner in the end', async () => {
    const seen: number[] = [];
    const observer = fakeVerifier({ name: 'observer', onScore: (images) => seen.push(images.length) });
    const run = generate({ prompt: 'red', ...fakes(), holdOut: observer, seed: 2 });
    const atJudged: number[] = [];
    for await (const event of run) {
      if (event.type === 'judged') atJudged.push(seen.reduce((sum, count) => sum + count, 0));
    }
    // In groups of four: each was seen before the event that tells of it.
    expect(atJudged.slice(0, 4)).toEqual([4, 8, 12, 15]);
    expect(atJudged.at(-1)).toBe(15);
    const { report, ledger } = await run.result;
    expect(seen.reduce((sum, count) => sum + count, 0)).toBe(16);
    expect(report).toMatchObject({ pictures: 15, ledger: { imagesVerified: 16 } });
    expect(ledger.imagesVerified).toBe(51);
  });
});

describe('compare', () => {
  it('runs the strategies one after the other and names the best', async () => {
    const run = compare({ prompt: 'red', ...fakes(), budget: 60, keepElected: true });
    const seen: string[] = [];
    for await (const event of run) {
      if (event.type !== 'progress') seen.push(`${event.type} ${event.strategy}`);
    }
    expect(seen).toEqual(['begin random', 'end random', 'begin gto', 'end gto', 'begin beam', 'end beam']);
    const { best, results, standings, complete } = await run.result;
    expect(complete).toBe(true);
    expect(run.finished).toEqual(results);
    const heights = standings.map((standing) => ('score' in standing ? standing.score : NaN));
    expect(best.standing).toEqual({ score: Math.max(...heights) });
    for (const { ledger } of results) expect(ledger.nfe).toBeLessThanOrEqual(60);
  });
});

describe('replay', () => {
  it('gives the very same picture and says so', async () => {
    const { image, recipe } = await generate({ prompt: 'red', ...fakes() }).result;
    const png = await encodeWithRecipe(image, recipe);
    const again = await replay(png, fakes()).result;
    expect(again).toMatchObject({ identical: true, edited: false, differences: [] });
    expect(again.image).toEqual(image);
  });

  it.each(['one-judge', 'two-judges'])('makes a picture of format 1 again: %s', async (name) => {
    const png = readFileSync(new URL(`fixtures/format-1/${name}.png`, import.meta.url));
    const again = await replay(png, {}, { catalogs: fakeCatalogs() }).result;
    expect(again).toMatchObject({ identical: true, edited: false, differences: [] });
  });

  it('makes a picture of format 1 of the embedded model again', async () => {
    const png = readFileSync(new URL('fixtures/format-1/toybox.png', import.meta.url));
    // Its judge has been trained anew since, as is said; the candidate that it had chosen is drawn all the same.
    await expect(replay(png, { threads: 1 }).result).rejects.toThrow(
      /made with other files: clip-score\/weights/,
    );
    const { differences, edited, recipe, result } = await replay(png, { threads: 1, anyModel: true }).result;
    // Its pixels are those of the machine that made it: test/toybox.test.ts says what holds elsewhere.
    expect([differences.every((each) => each.startsWith('clip-score/')), edited]).toEqual([true, false]);
    expect(result.candidates[recipe.candidate - 1]?.id).toBe(recipe.candidate);
  });

  it('refuses a recipe whose jury cannot be', async () => {
    const catalogs = fakeCatalogs();
    const options = { prompt: 'red', verifier: 'clip-score,oracle', candidates: 1 };
    const { image, recipe } = await generate(options, { catalogs }).result;
    for (const broken of [
      { ...recipe.options.jury, weights: [1] },
      { ...recipe.options.jury, rule: 'magic' },
      { ...recipe.options.jury, weights: 'x' },
      { ...recipe.options.jury, judges: [] },
      7,
    ]) {
      const png = await encodeWithRecipe(image, {
        ...recipe,
        options: { ...recipe.options, jury: broken as never },
      });
      await expect(replay(png, {}, { catalogs }).result, JSON.stringify(broken)).rejects.toThrow(UsageError);
    }
  });
});
