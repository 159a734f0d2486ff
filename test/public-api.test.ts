// The public types as a user meets them: this file is compiled with the strictest settings by `npm run typecheck`.

import { describe, expect, expectTypeOf, it } from 'vitest';

import * as varsearch from '../src/index.js';
import {
  compare,
  type CompareResult,
  generate,
  type GenerateOptions,
  type GenerateResult,
  type ImageModel,
  openVarsearch,
  replay,
  type StrategyName,
  type Verifier,
  type VerifierOption,
} from '../src/index.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

describe('the public types', () => {
  it('lead a user from options to a result', async () => {
    const options: GenerateOptions = {
      prompt: 'a red star',
      model: fakeModel(),
      verifier: fakeVerifier(),
      strategy: 'beam',
      width: 2,
      candidates: [2, 2, 1, 1],
      cfg: 4,
      signal: AbortSignal.timeout(60_000),
    };
    const run = generate(options);
    for await (const event of run) {
      if (event.type === 'scored') expectTypeOf(event.best.score).toEqualTypeOf<number>();
      if (event.type === 'ready') expectTypeOf(event.cost.nfe).toEqualTypeOf<number>();
    }
    const result = await run.result;
    expectTypeOf(result).toEqualTypeOf<GenerateResult>();
    expectTypeOf(result.image.data).toEqualTypeOf<Uint8Array>();
    expectTypeOf(result.options.search.strategy).toEqualTypeOf<StrategyName>();
    expect(result.complete).toBe(true);
  });

  it('refuse what cannot be meant', () => {
    expectTypeOf(openVarsearch).parameter(0).toEqualTypeOf<varsearch.OpenOptions | undefined>();
    expectTypeOf<GenerateOptions['model']>().toEqualTypeOf<string | ImageModel | undefined>();
    expectTypeOf<GenerateOptions['verifier']>().toEqualTypeOf<VerifierOption | undefined>();
    expectTypeOf<string | readonly string[] | Verifier | readonly Verifier[]>().toExtend<VerifierOption>();
    expectTypeOf<Awaited<ReturnType<typeof compare>['result']>>().toEqualTypeOf<CompareResult>();
    // @ts-expect-error -- a prompt is needed
    expect(() => generate({ seed: 1 })).toThrow("option 'prompt' is missing");
    // @ts-expect-error -- an option that does not exist
    expect(() => generate({ prompt: 'red', colour: 1 })).toThrow("unknown option 'colour'");
    // @ts-expect-error -- a comparison needs a budget
    expect(() => compare({ prompt: 'red' })).toThrow("option 'budget' is missing");
    // @ts-expect-error -- the bytes of a file, not its name
    expect(() => replay('picture.png', { threads: 0 })).toThrow("option 'threads'");
  });

  it('are listed by name', () => {
    expect(Object.keys(varsearch).sort()).toMatchInlineSnapshot(`
      [
        "ENSEMBLE_RULES",
        "Ledger",
        "RandomKey",
        "STRATEGIES",
        "UsageError",
        "VERSION",
        "VarsearchError",
        "builtInCatalogs",
        "combineScores",
        "compare",
        "compareFiles",
        "compareJson",
        "createImage",
        "decodePicture",
        "decodeWithRecipe",
        "encodePng",
        "encodeWithRecipe",
        "ensemble",
        "estimate",
        "generate",
        "isAbortError",
        "openVarsearch",
        "replay",
        "resolveSearch",
        "resultFiles",
        "resultJson",
        "score",
        "scorePictures",
        "strategyFiles",
      ]
    `);
  });
});
