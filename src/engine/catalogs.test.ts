// Which verifiers a run has: everything wrong about them is said before anything is loaded.

import { describe, expect, it } from 'vitest';

import { fakeCatalogs } from '../../test/fakes/catalogs.js';
import { fakeModel } from '../../test/fakes/fake-model.js';
import { fakeVerifier } from '../../test/fakes/fake-verifier.js';
import { UsageError } from '../core/errors.js';
import type { Recipe } from '../run/recipe.js';
import { openOptionsOf } from '../run/replay.js';
import { findWanted } from './catalogs.js';
import { openEngine } from './engine.js';
import { checkOpenOptions, type OpenOptions } from './options.js';

const catalogs = fakeCatalogs();
const names = (options: OpenOptions): unknown => {
  const { judges, observers } = findWanted(checkOpenOptions(options), catalogs);
  return [judges.map(({ name }) => name), observers?.map(({ name }) => name) ?? null];
};

describe('verifiers', () => {
  it.each([
    [{}, ['clip-score']],
    [{ model: 'large' }, ['clip-score-l14']],
    [{ model: fakeModel() }, ['clip-score']],
    [{ verifier: 'oracle' }, ['oracle']],
    [{ verifier: 'oracle, clip-score' }, ['oracle', 'clip-score']],
    [{ verifier: ['oracle', 'clip-score'], ensemble: 'z-score' }, ['oracle', 'clip-score']],
    [{ verifier: [fakeVerifier({ name: 'mine' }), 'oracle'] }, ['mine', 'oracle']],
    [{ verifier: 'clip-dir', clipDir: 'some/folder' }, ['clip-dir']],
    [{ modelDir: 'some/folder', verifier: 'oracle' }, ['oracle']],
  ] as const)('of %j are %j', (options, expected) => {
    expect(names(options)).toEqual([expected, null]);
  });

  it.each([
    [{ verifier: 'clip-score,taste' }, /unknown verifier 'taste'/],
    [{ verifier: 'clip-score,clip-score' }, /'clip-score' is named twice: name each once/],
    [{ verifier: 'clip-score,,oracle' }, /option 'verifier' names nothing at one place/],
    [{ verifier: [] }, /option 'verifier' must be a name, a loaded verifier, or a list/],
    [{ verifier: ['clip-score', 7] }, /option 'verifier' must be/],
    [{ verifier: 'clip-score', weights: [1] }, /for several verifiers .* not for 'clip-score' alone/],
    [{ modelDir: 'some/folder' }, /nobody knows what the model 'folder' draws.*option 'verifier'/],
    [{ ensemble: 'rank' }, /for several verifiers .* not for the usual one alone/],
    [{ verifier: 'clip-score,oracle', weights: [1, 2, 3] }, /2 verifiers and 3 weights/],
    [{ verifier: 'clip-score,oracle', weights: [-1, 2] }, /numbers from 0 on/],
    [{ verifier: 'clip-score,oracle', ensemble: 'mean' }, /option 'ensemble' must be one of rank/],
    [{ clipDir: 'x' }, /'clipDir' is for the verifier clip-dir, which is not asked for/],
    [{ verifier: './some/folder' }, /unknown verifier/],
    [{ model: './some/folder' }, /unknown model/],
    [
      { holdOut: [fakeVerifier({ name: 'clip-score' })] },
      /'holdOut' has another verifier called 'clip-score'/,
    ],
    [{ verifier: ['clip-score,oracle', 'oracle'] }, /unknown verifier 'clip-score,oracle'/],
    [{ holdOut: 'oracle,oracle' }, /option 'holdOut' has the verifier 'oracle' twice/],
    [{ holdOut: 'taste' }, /unknown verifier 'taste'/],
    [{ holdOut: 5 }, /option 'holdOut' must be 'ensemble-members', a name/],
    [
      { threads: 2, model: fakeModel(), verifier: [fakeVerifier()] },
      /'threads' is for what is loaded by name/,
    ],
  ])('%j are refused', (options, message) => {
    expect(() => names(options as OpenOptions)).toThrow(UsageError);
    expect(() => names(options as OpenOptions)).toThrow(message);
  });

  it('of the embedded world are refused for a model that draws anything, with those that fit', () => {
    for (const options of [
      { verifier: 'clip-score' },
      { verifier: 'clip-score-l14,aesthetic' },
      { holdOut: 'oracle' },
    ]) {
      expect(() => names({ model: 'large', ...options })).toThrow(
        /'(clip-score|aesthetic|oracle)' knows .* and 'large' draws others: choose from clip-score-l14, llava-endpoint$/,
      );
    }
    expect(names({ verifier: 'clip-score,clip-score-l14' })).toEqual([
      ['clip-score', 'clip-score-l14'],
      null,
    ]);
  });
});

describe('the verifiers of a report', () => {
  it.each([
    [{ holdOut: 'oracle, clip-score' }, ['oracle', 'clip-score']],
    [{ holdOut: 'clip-dir', clipDir: 'some/folder' }, ['clip-dir']],
    [{ holdOut: 'ensemble-members' }, ['aesthetic', 'image-reward']],
    [{ holdOut: 'oracle,ensemble-members,aesthetic' }, ['oracle', 'aesthetic', 'image-reward']],
    [{ holdOut: 'ensemble-members', verifier: 'aesthetic,oracle' }, ['clip-score', 'image-reward']],
    [{ holdOut: 'ensemble-members', model: fakeModel() }, ['aesthetic', 'image-reward']],
    [
      {
        holdOut: 'ensemble-members',
        verifier: [fakeVerifier({ name: 'aesthetic' }), 'oracle'],
      },
      ['clip-score', 'image-reward'],
    ],
  ])('%j are %j', (options, expected) => {
    expect(names(options)).toEqual([expect.anything(), expected]);
  });

  it('have to be there, and a world has to be known', () => {
    const all = { verifier: 'clip-score,aesthetic,image-reward', holdOut: 'ensemble-members' };
    expect(() => names(all)).toThrow(/no installed verifier for these pictures is left/);
    const loaded = { model: fakeModel(), verifier: fakeVerifier(), holdOut: 'ensemble-members' };
    expect(() => names(loaded)).toThrow(/needs a model or a verifier by name/);
  });
});

describe('the engine', () => {
  it('loads every verifier once, closes what it loaded, and leaves open what was handed in', async () => {
    const own = fakeCatalogs();
    const mine = fakeVerifier({ name: 'mine' });
    const options = { verifier: ['clip-score', mine], holdOut: 'clip-score,mine,aesthetic' };
    const engine = await openEngine(options, own);
    expect(own.loaded.verifiers.map(({ name }) => name)).toEqual(['clip-score', 'aesthetic']);
    expect(engine.observers).toEqual([own.loaded.verifiers[0], mine, own.loaded.verifiers[1]]);
    expect(Object.keys((await engine.hashes()).jury)).toEqual([
      'clip-score/judge.safetensors',
      'mine/judge.safetensors',
    ]);
    await engine.close();
    expect([...own.loaded.verifiers, mine].map((each) => each.closed())).toEqual([true, true, false]);
  });

  it('says what is missing before it loads anything', async () => {
    const own = fakeCatalogs();
    await expect(openEngine({ verifier: 'clip-score,missing' }, own)).rejects.toThrow(
      "verifier 'missing' is not installed: weights are missing: put them there",
    );
    await expect(openEngine({ holdOut: 'missing' }, own)).rejects.toThrow("'missing' is not installed");
    expect([own.loaded.models, own.loaded.verifiers]).toEqual([[], []]);
  });

  it('closes all others when one cannot be loaded', async () => {
    const own = fakeCatalogs();
    const findVerifier: typeof own.findVerifier = (name) =>
      name === 'oracle'
        ? { ...own.findVerifier(name), load: () => Promise.reject(new Error('no weights')) }
        : own.findVerifier(name);
    await expect(openEngine({ verifier: 'clip-score,oracle' }, { ...own, findVerifier })).rejects.toThrow(
      'no weights',
    );
    expect(own.loaded.verifiers.map((each) => each.closed())).toEqual([true]);
    expect(own.loaded.models.map((each) => each.closed())).toEqual([true]);
  });
});

describe('the jury of a recipe', () => {
  const recipe = (judges: string[], rule: 'score' | 'z-score', weights: number[]): Recipe =>
    ({
      options: { model: 'toybox', modelOptions: {}, jury: { judges, rule, weights, observers: [] } },
      versions: {},
    }) as unknown as Recipe;
  const two = recipe(['a', 'b'], 'z-score', [1, 2]);

  it.each([
    [recipe(['clip-score'], 'score', [1]), {}, { verifier: ['clip-score'] }],
    [two, {}, { verifier: ['a', 'b'], ensemble: 'z-score', weights: [1, 2] }],
    [two, { ensemble: 'rank' }, { verifier: ['a', 'b'], ensemble: 'rank', weights: [1, 2] }],
    [two, { verifier: 'c,d' }, { verifier: 'c,d' }],
    [two, { model: 'large', verifier: 'c' }, { model: 'large', verifier: 'c' }],
  ] as const)('%j with %j opens %j', (written, given, expected) => {
    expect(openOptionsOf(written, given)).toEqual({ model: 'toybox', ...expected });
  });

  it('opens the model in the numbers that the picture was made in, and in others only when told', () => {
    const int8 = {
      ...two,
      options: { ...two.options, modelOptions: { precision: 'int8' } },
    } as unknown as Recipe;
    expect(openOptionsOf(int8, {}).precision).toBe('int8');
    expect(openOptionsOf(int8, { precision: 'float32' }).precision).toBe('float32');
    expect(openOptionsOf(int8, { model: fakeModel() }).precision).toBeUndefined();
    const odd = {
      ...two,
      options: { ...two.options, modelOptions: { precision: 'int3' } },
    } as unknown as Recipe;
    expect(openOptionsOf(odd, {}).precision).toBeUndefined();
  });

  it('leaves the model away where a folder stands for it', () => {
    const { model, modelDir } = openOptionsOf(two, { modelDir: 'x' });
    expect([model, modelDir]).toEqual([undefined, 'x']);
  });
});
