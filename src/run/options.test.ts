import { describe, expect, it } from 'vitest';

import { fakeSchedule, squares } from '../../test/fakes/fake-model.js';
import { UsageError } from '../core/errors.js';
import { whole } from '../core/options.js';
import { RANDOM } from '../search/random.js';
import { defineStrategy, resolveSearch } from '../search/registry.js';
import { resolveJury } from '../verifiers/jury.js';
import {
  asPictureOptions,
  checkCompareOptions,
  checkPictureOptions,
  OPTION_NAMES,
  partCompare,
  partPicture,
  type ResolvedOptions,
  splitGenerateOptions,
} from './options.js';

const check = (options: Record<string, unknown>) => () => splitGenerateOptions({ prompt: 'red', ...options });

/** Random search under another name, with an option of another name. */
const MINE = defineStrategy({
  ...RANDOM,
  name: 'mine',
  options: { draws: whole('pictures', 1) },
  resolve: ({ draws = 2 }) => ({ images: draws }),
});

describe('the options of a run', () => {
  it('are parted into what is loaded and what is drawn', () => {
    const { open, picture } = splitGenerateOptions({
      prompt: 'red',
      model: 'm',
      threads: 2,
      seed: 1,
      width: 2,
    });
    expect(open).toEqual({ model: 'm', threads: 2 });
    expect(picture).toEqual({ prompt: 'red', seed: 1, width: 2 });
  });

  it('of a picture are parted into those of the model and those of the search', () => {
    const signal = AbortSignal.abort();
    const options = { prompt: 'red', seed: 1, signal, cfg: 3, topK: undefined, width: 2 } as const;
    expect(partPicture(options)).toEqual({ modelOptions: { cfg: 3 }, search: { width: 2 } });
    expect(partCompare({ prompt: 'red', budget: 5, cfg: 3, width: 2, strategies: ['gto'] })).toEqual({
      strategies: ['gto'],
      sizes: { width: 2 },
      modelOptions: { cfg: 3 },
      picture: { prompt: 'red' },
    });
  });

  it.each([
    [
      { prompt: 7 },
      "option 'prompt' must be a text that is not empty, of at most 32000 characters, and no half",
    ],
    [{ prompt: 'half \ud83d a face' }, "half of one (a lone surrogate), got 'half \\ud83d a face'"],
    [{ prompt: 'long '.repeat(26_000) }, 'of at most 32000 characters'],
    [{ prompt: undefined }, "option 'prompt' is missing"],
    [{ seed: 2 ** 53 }, "option 'seed' must be a whole number from 0"],
    [{ seed: '1' }, "option 'seed' must be a whole number from 0 to 2^53 - 1, got '1'"],
    [{ signal: {} }, "option 'signal' must be an AbortSignal"],
    [{ model: '' }, "option 'model' must be a name or a loaded model"],
    [{ model: 'toybox', modelDir: 'x' }, "give one of 'model' and 'modelDir', not both"],
    [{ modelDir: '' }, "option 'modelDir' must be the path of a folder"],
    [{ verifier: null }, "option 'verifier'"],
    [{ threads: 1.5 }, "option 'threads'"],
    [{ memory: '2 parsecs' }, "option 'memory'"],
    [{ threads: 2, model: {}, verifier: { name: 'mine' } }, "option 'threads' is for what is loaded by name"],
    [{ toString: 1 }, "unknown option 'toString'"],
    [
      { strategy: 5 },
      "option 'strategy' must be one of random, gto, beam, zero-order, particles, or a strategy of your own, got 5",
    ],
    [{ strategy: { name: 'half' } }, "option 'strategy' must be one of"],
    [{ seed: { deep: 'x'.repeat(100) } }, /got .{60}$/],
  ])('are refused by name: %j', (options, message) => {
    expect(check(options)).toThrow(UsageError);
    expect(check(options)).toThrow(message);
  });

  it('may be undefined, which is as good as absent', () => {
    expect(check({ seed: undefined, cfg: undefined, model: undefined })).not.toThrow();
  });

  it('of a comparison have a budget, and no sizes that follow from it', () => {
    expect(() => checkCompareOptions({ prompt: 'red', budget: 5 })).not.toThrow();
    expect(() => checkCompareOptions({ prompt: 'red' } as never)).toThrow("option 'budget' is missing");
    expect(() => checkCompareOptions({ prompt: 'red', budget: 5, images: 2 } as never)).toThrow(
      "unknown option 'images'",
    );
    expect(() => checkCompareOptions({ prompt: 'red', budget: 5, strategies: ['x'] } as never)).toThrow(
      "option 'strategies'",
    );
  });

  it("of a strategy of one's own stand in place of those of the package", () => {
    const mine = { prompt: 'red', strategy: MINE, draws: 3, seed: 2, topP: 0.5 } as const;
    expect(() => checkPictureOptions(mine)).not.toThrow();
    expect(partPicture(mine)).toEqual({
      modelOptions: { topP: 0.5 },
      search: { strategy: MINE, draws: 3 },
    });
    expect(check({ strategy: MINE, draws: 0 })).toThrow("option 'draws' must be a whole number");
    expect(check({ strategy: MINE, width: 3 })).toThrow("unknown option 'width'");
    const clash = { ...MINE, options: { seed: MINE.options.draws } };
    expect(check({ strategy: clash })).toThrow("the strategy 'mine' has an option 'seed'");
  });

  it('have names that programs can turn into their own words', () => {
    for (const name of ['prompt', 'strategy', 'keepElected', 'topK', 'modelDir', 'strategies']) {
      expect(OPTION_NAMES).toContain(name);
    }
  });

  it('come back from their resolved form, so that a recipe is a set of options', () => {
    const schedule = fakeSchedule({ scales: squares(1, 2, 3) });
    const search = resolveSearch({ strategy: 'gto', candidates: [3, 2, 2], keepElected: true }, schedule);
    const resolved: ResolvedOptions = {
      prompt: 'red',
      model: 'toybox',
      modelOptions: { cfg: [4, 3, 2], topK: 0, topP: 0.9, size: '0.25M', aspectRatio: 0.75 },
      jury: resolveJury(['clip-score']),
      seed: 3,
      search,
    };
    const options = asPictureOptions(JSON.parse(JSON.stringify(resolved)) as ResolvedOptions);
    expect(() => checkPictureOptions(options)).not.toThrow();
    expect([options.prompt, options.seed]).toEqual(['red', 3]);
    const parted = partPicture(options);
    expect(parted.modelOptions).toEqual(resolved.modelOptions);
    expect(resolveSearch(parted.search, schedule)).toEqual(search);
  });
});
