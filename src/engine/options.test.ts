import { describe, expect, it } from 'vitest';

import { UsageError } from '../core/errors.js';
import { resolveSearch } from '../search/registry.js';
import {
  asPictureOptions,
  checkCompareOptions,
  checkPictureOptions,
  type ResolvedOptions,
  splitGenerateOptions,
} from './options.js';

const check = (options: Record<string, unknown>) => () => splitGenerateOptions({ prompt: 'red', ...options });

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

  it.each([
    [{ prompt: 7 }, "option 'prompt' must be a text that is not empty, got 7"],
    [{ prompt: undefined }, "option 'prompt' is missing"],
    [{ seed: 2 ** 53 }, "option 'seed' must be a whole number from 0"],
    [{ seed: '1' }, "option 'seed' must be a whole number from 0 to 2^53 - 1, got '1'"],
    [{ cfg: Infinity }, "option 'cfg'"],
    [{ cfg: [] }, "option 'cfg'"],
    [{ cfg: [1, NaN] }, "option 'cfg'"],
    [{ temperature: [1, 0] }, "option 'temperature'"],
    [{ topK: -1 }, "option 'topK'"],
    [{ topP: 1.1 }, "option 'topP'"],
    [{ signal: {} }, "option 'signal' must be an AbortSignal"],
    [{ model: '' }, "option 'model' must be a name or a loaded model"],
    [{ verifier: null }, "option 'verifier'"],
    [{ threads: 1.5 }, "option 'threads'"],
    [{ memory: '2 parsecs' }, "option 'memory'"],
    [{ memory: '2GB', model: {} }, "option 'memory' is for what is loaded by name"],
    [{ threads: 2, model: {}, verifier: {} }, "option 'threads' is for what is loaded by name"],
    [{ toString: 1 }, "unknown option 'toString'"],
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

  it('come back from their resolved form, so that a recipe is a set of options', () => {
    const scales = [1, 2, 3].map((side) => ({ height: side, width: side }));
    const resolved: ResolvedOptions = {
      prompt: 'red',
      model: 'toybox',
      verifier: 'clip-score',
      ensemble: null,
      seed: 3,
      cfg: [4, 3, 2],
      temperature: null,
      topK: 0,
      topP: 0.9,
      size: '0.25M',
      aspectRatio: 0.75,
      search: resolveSearch({ strategy: 'gto', candidates: [3, 2, 2], keepElected: true }, scales),
    };
    const options = asPictureOptions(JSON.parse(JSON.stringify(resolved)) as ResolvedOptions);
    expect(() => checkPictureOptions(options)).not.toThrow();
    const { prompt, seed, cfg, temperature, topK, topP, size, aspectRatio, ...search } = options;
    expect({ prompt, seed, cfg, temperature, topK, topP, size, aspectRatio }).toEqual({
      prompt: 'red',
      seed: 3,
      cfg: [4, 3, 2],
      temperature: undefined,
      topK: 0,
      topP: 0.9,
      size: '0.25M',
      aspectRatio: 0.75,
    });
    expect(resolveSearch(search, scales)).toEqual(resolved.search);
  });
});
