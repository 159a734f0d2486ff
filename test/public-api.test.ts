// The public types as a user meets them: this file is compiled with the strictest settings by `npm run typecheck`.

import { describe, expect, expectTypeOf, it } from 'vitest';

import * as varsearch from '../src/index.js';
import {
  compare,
  type CompareResult,
  costOf,
  decodeWithRecipe,
  defineStrategy,
  encodeWithRecipe,
  generate,
  type GenerateOptions,
  type GenerateResult,
  type ImageModel,
  openVarsearch,
  option,
  replay,
  resultFiles,
  Rollouts,
  type Schedule,
  type Standing,
  type Verifier,
  type VerifierOption,
} from '../src/index.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const loaded = () => ({ model: fakeModel(), verifier: fakeVerifier() });

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
      if (event.type === 'judged') expectTypeOf(event.best).toEqualTypeOf<number>();
      if (event.type === 'ready') expectTypeOf(event.cost.nfe).toEqualTypeOf<number>();
    }
    const result = await run.result;
    expectTypeOf(result).toEqualTypeOf<GenerateResult>();
    expectTypeOf(result.image.data).toEqualTypeOf<Uint8Array>();
    expectTypeOf(result.options.search.strategy).toEqualTypeOf<string>();
    expectTypeOf(result.standing).toEqualTypeOf<Standing>();
    expectTypeOf(result.schedule).toEqualTypeOf<Schedule>();
    expect(result.complete).toBe(true);
  });

  it('refuse what cannot be meant', async () => {
    expectTypeOf(openVarsearch).parameter(0).toEqualTypeOf<varsearch.OpenOptions | undefined>();
    expectTypeOf<GenerateOptions['model']>().toEqualTypeOf<string | ImageModel | undefined>();
    expectTypeOf<GenerateOptions['verifier']>().toEqualTypeOf<VerifierOption | undefined>();
    expectTypeOf<string | readonly string[] | Verifier | readonly Verifier[]>().toExtend<VerifierOption>();
    expectTypeOf<Awaited<ReturnType<typeof compare>['result']>>().toEqualTypeOf<CompareResult>();
    // @ts-expect-error -- a prompt is needed
    expect(() => generate({ seed: 1 })).toThrow("option 'prompt' is missing");
    // @ts-expect-error -- an option that does not exist
    expect(() => generate({ prompt: 'red', colour: 1 })).toThrow("unknown option 'colour'");
    const { model, verifier } = loaded();
    // @ts-expect-error -- random search has no beams
    const beams = generate({ prompt: 'red', strategy: 'random', width: 3, model, verifier });
    await expect(beams.result).rejects.toThrow("random search does not take the option 'width'");
    await expect(generate({ prompt: 'red', images: 3, model, verifier }).result).rejects.toThrow("'images'");
    // @ts-expect-error -- there is no such strategy
    expect(() => generate({ prompt: 'red', strategy: 'bream', model, verifier })).toThrow(
      "no strategy 'bream'",
    );
    // @ts-expect-error -- a comparison needs a budget
    expect(() => compare({ prompt: 'red' })).toThrow("option 'budget' is missing");
    // @ts-expect-error -- the bytes of a file, not its name
    expect(() => replay('picture.png', { threads: 0 })).toThrow("option 'threads'");
  });

  it('have errors that tell programs what went wrong', () => {
    expect(new varsearch.UsageError('x').code).toBe('usage');
    expect(new varsearch.OtherFilesError('x')).toBeInstanceOf(varsearch.VarsearchError);
    expectTypeOf<varsearch.CheckpointError['code']>().toEqualTypeOf<'checkpoint'>();
    expectTypeOf<varsearch.VarsearchError['code']>().toEqualTypeOf<varsearch.ErrorCode>();
  });

  it('are listed by name', () => {
    expect(Object.keys(varsearch).sort()).toMatchInlineSnapshot(`
      [
        "BENCHMARKS",
        "CheckpointError",
        "JURY_RULES",
        "Ledger",
        "NotInstalledError",
        "OtherFilesError",
        "REPLAY_LIMITS",
        "RandomKey",
        "Rollouts",
        "RuntimeError",
        "STRATEGIES",
        "UsageError",
        "VERSION",
        "VarsearchError",
        "benchmarkReportFiles",
        "builtInCatalogs",
        "combine",
        "compare",
        "compareFiles",
        "compareJson",
        "costOf",
        "createImage",
        "decodePicture",
        "decodeWithRecipe",
        "defineStrategy",
        "describeScores",
        "describeSearch",
        "describeStanding",
        "encodePng",
        "encodeWithRecipe",
        "estimate",
        "generate",
        "isAbortError",
        "openVarsearch",
        "option",
        "replay",
        "reportBenchmarks",
        "resolveJury",
        "resolveSearch",
        "resultFiles",
        "resultJson",
        "runBenchmark",
        "score",
        "scorePictures",
        "standingOf",
        "strategyFiles",
      ]
    `);
  });
});

// The examples of the README.

/** A verifier of one's own: dark pictures. */
const DARKNESS: Verifier = {
  name: 'darkness',
  hashes: () => Promise.resolve({}),
  prepare: () =>
    Promise.resolve({
      score: (images) =>
        Promise.resolve(images.map(({ data }) => -data.reduce((sum, value) => sum + value, 0) / data.length)),
      close: () => undefined,
    }),
  close: () => Promise.resolve(),
};

/** A strategy of one's own: pictures in rounds, until one round brings nothing better. */
const PATIENT = defineStrategy({
  name: 'patient',
  title: 'patient search',
  description: 'Draws pictures in rounds, each from the start.',
  options: { rounds: option.whole('rounds of pictures', 1), each: option.whole('pictures a round', 1) },
  resolve: ({ rounds = 2, each = 4 }) => ({ rounds, each }),
  cost: ({ rounds, each }, schedule) => costOf([{ step: 1, drawn: rounds * each }], schedule),
  words: ({ rounds, each }) => `${rounds} rounds of ${each}`,
  async *run(context, { rounds, each }) {
    const rollouts = new Rollouts(context);
    const step = context.generator.schedule.steps.length;
    try {
      for (let round = 1; round <= rounds; round++) {
        yield* rollouts.play([rollouts.begin()], { round, rounds, step, total: each }, 0);
      }
      return rollouts.result('best');
    } finally {
      rollouts.close();
    }
  },
});

describe("a verifier of one's own", () => {
  it('guides a search', async () => {
    const { winner, candidates, standing } = await generate({
      prompt: 'night',
      model: fakeModel(),
      verifier: DARKNESS,
    }).result;
    const darkest = Math.max(...candidates.map(({ scores }) => scores['darkness'] ?? NaN));
    expect(winner.scores).toEqual({ darkness: darkest });
    expect(standing).toEqual({ score: darkest });
  });
});

describe("a strategy of one's own", () => {
  const options = { prompt: 'red', strategy: PATIENT, rounds: 3, each: 5 } as const;

  it('is given as a value, with the options that it takes', async () => {
    const given = loaded();
    const run = generate({ ...options, ...given });
    const rounds: number[] = [];
    for await (const event of run) if (event.type === 'round') rounds.push(event.round);
    const result = await run.result;
    expect(rounds).toEqual([1, 2, 3]);
    expect(result.options.search).toEqual({ strategy: 'patient', rounds: 3, each: 5 });
    expect(result.candidates).toHaveLength(15);
    expect(result.report).toBeNull();
    expect(given.model.alive()).toBe(0);
    expect((await resultFiles(result))['index.html']).toContain('rounds 3');
    const varsearch = await openVarsearch(loaded());
    expect((await varsearch.generate(options).result).recipe.pixels).toBe(result.recipe.pixels);
  });

  it('has its options checked, by the compiler too', () => {
    expect(() => generate({ prompt: 'red', strategy: PATIENT, width: 3 })).toThrow("unknown option 'width'");
    // @ts-expect-error -- a number
    expect(() => generate({ prompt: 'red', strategy: PATIENT, rounds: 'three' })).toThrow(
      "option 'rounds' must be a whole number",
    );
    const beam = { ...PATIENT, name: 'beam' };
    expect(() => generate({ prompt: 'red', strategy: beam })).toThrow("cannot be called 'beam'");
  });

  it('has to be given for a replay', async () => {
    const { image, recipe } = await generate({ ...options, ...loaded() }).result;
    const png = await encodeWithRecipe(image, recipe);
    expect((await decodeWithRecipe(png)).recipe.options.search.strategy).toBe('patient');
    const named = { name: 'x.png', ...loaded() };
    await expect(replay(png, named).result).rejects.toThrow(
      "x.png was made by the strategy 'patient', which does not come with varsearch: replay() has to be given that strategy",
    );
    const again = await replay(png, { ...named, strategy: PATIENT }).result;
    expect(again.identical).toBe(true);
    const other = { ...PATIENT, name: 'hasty' };
    await expect(replay(png, { ...named, strategy: other }).result).rejects.toThrow(
      /that strategy, not 'hasty'/,
    );
  });
});
