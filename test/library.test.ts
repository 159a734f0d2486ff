// The library by import: results, events, cancellation, several runs on one loaded model.

import { describe, expect, it } from 'vitest';

import {
  compare,
  encodeWithRecipe,
  generate,
  type GenerateEvent,
  isAbortError,
  openVarsearch,
  replay,
  resultJson,
  UsageError,
  type Verifier,
  type VerifierEntry,
} from '../src/index.js';
import { fakeCatalogs } from './fakes/catalogs.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const fakes = () => ({ model: fakeModel(), verifier: fakeVerifier() });

describe('generate', () => {
  it('gives the picture, its score, tree, ledger, options, versions, hashes and recipe', async () => {
    const result = await generate({ prompt: 'red', ...fakes(), seed: 3 }).result;
    expect(result).toMatchObject({
      complete: true,
      score: result.winner.score,
      image: result.winner.image,
      options: {
        prompt: 'red',
        model: 'fake',
        verifier: 'fake-score',
        seed: 3,
        cfg: null,
        temperature: null,
      },
      ledger: { nfe: 150, imagesVerified: 60 },
      hashes: { verifier: { 'judge.safetensors': 'b'.repeat(64) } },
      recipe: { format: 1, complete: true, node: result.winner.id },
    });
    expect(result.tree.nodes).toHaveLength(60);
    expect(result.trace.at(-1)).toMatchObject({ images: 60, nfe: 150, best: result.score });
    expect(result.milliseconds).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(resultJson(result, 'x.png')))).toMatchObject({
      format: 1,
      picture: 'x.png',
    });
  });

  it('tells events in order, to everybody who listens, from the first one on', async () => {
    const run = generate({ prompt: 'red', ...fakes(), width: 2, candidates: 2 });
    const result = await run.result;
    const late: GenerateEvent[] = [];
    for await (const event of run) late.push(event);
    expect(late[0]).toMatchObject({ type: 'ready', cost: { images: 16, nfe: 40 }, options: result.options });
    expect(late.filter(({ type }) => type === 'round')).toHaveLength(4);
    const scored = late.flatMap((event) => (event.type === 'scored' ? event.nodes : []));
    expect(scored).toEqual(result.tree.nodes);
    expect(late.at(-1)).toMatchObject({ type: 'elected', scale: 4 });
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
      if (event.type !== 'scored') continue;
      controller.abort();
      break;
    }
    await expect(run.result).rejects.toSatisfy(isAbortError);
    expect(given.model.alive()).toBe(0);
    const partial = await run.soFar();
    expect(partial?.complete).toBe(false);
    expect(partial?.tree.nodes.length).toBeGreaterThan(0);
    expect(partial?.score).toBe(Math.max(...(partial?.tree.nodes.map(({ score }) => score) ?? [])));
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
    await generate({ prompt: 'red', model, verifier, report: counted('three'), candidates: 1 }).result;
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
    expect(() => generate(wrong)).toThrow("unknown option 'sed': known are model, verifier");
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
    expect(first.options.cfg).toBe(4);
    await varsearch.compare({ prompt: 'red', budget: 40 }).result;
    await varsearch.close();
    expect(catalogs.loaded.models).toHaveLength(1);
    expect(catalogs.loaded.models[0]?.closed()).toBe(true);
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
    const { best, results, complete } = await run.result;
    expect(complete).toBe(true);
    expect(best.score).toBe(Math.max(...results.map(({ score }) => score)));
    for (const { ledger } of results) expect(ledger.nfe).toBeLessThanOrEqual(60);
  });
});

describe('replay', () => {
  it('gives the very same picture and says so', async () => {
    const { image, recipe } = await generate({ prompt: 'red', ...fakes() }).result;
    const png = encodeWithRecipe(image, recipe);
    const again = await replay(png, fakes()).result;
    expect(again).toMatchObject({ identical: true, edited: false, differences: [] });
    expect(again.image).toEqual(image);
  });

  it('reads recipes of before there were ensembles', async () => {
    const catalogs = fakeCatalogs();
    const { image, recipe } = await generate({ prompt: 'red' }, { catalogs }).result;
    const { ensemble: rule, ...options } = recipe.options;
    expect(rule).toBeNull();
    const old = encodeWithRecipe(image, { ...recipe, options } as typeof recipe);
    expect(await replay(old, {}, { catalogs }).result).toMatchObject({ identical: true, differences: [] });
  });

  it('refuses a recipe whose ensemble cannot be', async () => {
    const catalogs = fakeCatalogs();
    const { image, recipe } = await generate({ prompt: 'red', verifier: 'clip-score,oracle' }, { catalogs })
      .result;
    for (const broken of [
      { by: 'rank', weights: [1] },
      { by: 'magic', weights: [1, 1] },
      { weights: 'x' },
      7,
    ]) {
      const options = { ...recipe.options, ensemble: broken as never };
      const png = encodeWithRecipe(image, { ...recipe, options });
      await expect(replay(png, {}, { catalogs }).result, JSON.stringify(broken)).rejects.toThrow(UsageError);
    }
  });
});
