// Models compared at the same budget, each with the strategies that suit it.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { flopsOf } from '../src/core/ledger.js';
import type { Catalogs } from '../src/engine/catalogs.js';
import type { CompareJson } from '../src/report/files.js';
import type { CompareEvent, CompareResult } from '../src/run/compare.js';
import { foresee } from '../src/run/foresee.js';
import type { CompareOptions } from '../src/run/options.js';
import { STRATEGIES } from '../src/search/registry.js';
import { compare } from '../src/varsearch.js';
import { heightOf } from '../src/verifiers/jury.js';
import { fakeCatalogs } from './fakes/catalogs.js';
import { cliBench } from './fakes/cli.js';
import { fakeFlow } from './fakes/fake-flow.js';

const MODELS = 'toybox,flow';
const catalogs = fakeCatalogs();

const compared = (options: Omit<CompareOptions, 'prompt'>): Promise<CompareResult> =>
  compare({ prompt: 'red', ...options } as CompareOptions, { catalogs }).result;

/** What ran and what did not, as model-strategy. */
const namesOf = ({ results, skipped }: CompareResult): { ran: string[]; not: string[] } => ({
  ran: results.map(({ options }) => `${options.model}-${options.search.strategy}`),
  not: skipped.map(({ model, strategy }) => `${model}-${strategy}`),
});

describe('two models', () => {
  it('run every strategy that suits them at the same NFE, the other ones are told with the reason', async () => {
    const result = await compared({ models: MODELS, budget: 80 });
    const { ran, not } = namesOf(result);
    expect([...ran, ...not].sort()).toEqual(
      ['toybox', 'flow'].flatMap((model) => STRATEGIES.map(({ name }) => `${model}-${name}`)).sort(),
    );
    for (const name of ['random', 'zero-order', 'particles']) {
      expect(ran).toContain(`toybox-${name}`);
      expect(ran).toContain(`flow-${name}`);
    }
    expect(ran).toContain('toybox-beam');
    for (const { why, model } of result.skipped) {
      expect(model).toBe('flow');
      expect(why).toMatch(/draws? no random numbers|buys not even the smallest/);
    }
    for (const { ledger, options } of result.results) {
      expect(ledger.nfe).toBeLessThanOrEqual(80);
      // The fake toybox has room for four at once.
      const few = options.model === 'toybox' && options.search.strategy === 'particles';
      expect(ledger.nfe).toBeGreaterThanOrEqual(few ? 16 : 60);
    }
    expect(result).toMatchObject({ complete: true, several: true, unit: 'NFE', budget: 80 });
  });

  it('has a solver that draws where the strategy needs it, and only there', async () => {
    const { results } = await compared({ models: MODELS, budget: 60, strategies: ['random', 'particles'] });
    expect(results.map(({ options }) => [options.search.strategy, options.modelOptions['solver']])).toEqual([
      ['random', undefined],
      ['particles', undefined],
      ['random', 'plain'],
      ['particles', 'stochastic'],
    ]);
  });

  it('by FLOPs spend at most as many, decoder and verifiers included', async () => {
    const budget = 2.5e9;
    const strategies = ['random', 'particles'] as const;
    const result = await compared({ models: MODELS, budgetFlops: budget, strategies });
    expect(namesOf(result).ran).toContain('toybox-random');
    for (const { ledger, options, trace } of result.results) {
      const spent = flopsOf(ledger);
      expect(ledger.verifierFlops).toBe(3e6 * ledger.imagesVerified);
      expect(spent).toBe(ledger.transformerFlops + ledger.decoderFlops + ledger.verifierFlops);
      expect(trace.at(-1)?.flops).toBe(spent);
      expect(spent, options.search.strategy).toBeLessThanOrEqual(budget);
      const { model, search } = options;
      // One picture more would be too much.
      const nfe = ledger.nfe / ledger.imagesDecoded;
      if (search.strategy === 'random') {
        const perPicture = spent / ledger.imagesDecoded;
        expect(spent, `${model} ${nfe}`).toBeGreaterThan(budget - 1.5 * perPicture);
      }
    }
  });

  it('by seconds is timed, and ended when they are over', async () => {
    const result = await compared({ models: MODELS, budgetSeconds: 0.05, strategies: ['random'] });
    expect(namesOf(result).ran).toEqual(['toybox-random', 'flow-random']);
    expect(result).toMatchObject({ unit: 'seconds', budget: 0.05 });
    for (const { endedBy } of result.results) expect(['search', 'time']).toContain(endedBy);
  });

  it('compares complete pictures of both with each other, however many steps they took', async () => {
    const one = await compared({ models: MODELS, budget: 60 });
    const scores = one.results.map(({ winner }) => winner.scores['clip-score'] ?? NaN);
    expect(one.standings).toEqual(scores.map((score) => ({ score })));
    expect(one.best).toBe(one.results[scores.indexOf(Math.max(...scores))]);
    const ranked = await compared({ models: MODELS, budget: 60, verifier: 'clip-score,aesthetic' });
    const whole = ranked.results.reduce((sum, { candidates, schedule }) => {
      return (
        sum +
        candidates.filter(
          ({ judgedAt, sameAs }) => judgedAt === schedule.steps.length && sameAs === undefined,
        ).length
      );
    }, 0);
    for (const standing of ranked.standings) expect(standing).toMatchObject({ of: whole });
    expect(Math.max(...ranked.standings.map(heightOf))).toBe(
      heightOf(ranked.standings[ranked.results.indexOf(ranked.best)]!),
    );
    const whys = ranked.skipped.filter(({ strategy }) => strategy === 'particles').map(({ why }) => why);
    expect(whys).toHaveLength(2);
    for (const why of whys) expect(why).toContain('a jury by rank has none');
  });

  it('gives a strategy that needs all particles at once as many as fit, and says so', async () => {
    const particles = async (memory: number): Promise<unknown> => {
      const { results } = await compared({
        models: [fakeFlow('flow', { memory })],
        verifier: 'clip-score',
        budget: 400,
        strategies: ['particles'],
      });
      const [result] = results;
      return (
        result && 'particles' in result.options.search && (result.options.search.particles as number[])[0]
      );
    };
    expect(await particles(1e9)).toBeGreaterThan(20);
    // Six steps hold 108 bytes each, and half of the memory is for them.
    expect(await particles(2 * 6 * 108 * 5)).toBe(5);
    const { limited } = await compared({ models: MODELS, budget: 80, strategies: ['random', 'particles'] });
    expect(limited).toEqual([
      { model: 'toybox', strategy: 'particles', why: expect.stringContaining('ask for at most 4') },
    ]);
  });

  it('tells what happens with the model, and can be stopped', async () => {
    const run = compare(
      { prompt: 'red', models: MODELS, budget: 60, strategies: ['random', 'beam'] },
      { catalogs },
    );
    const events: CompareEvent[] = [];
    for await (const event of run) {
      if (event.type !== 'progress') events.push(event);
      if (event.type === 'end' && event.index === 1) run.stop();
    }
    expect(
      events.map((event) => (event.type === 'begin' ? `${event.model} ${event.strategy}` : event.type)),
    ).toEqual(['toybox random', 'end', 'toybox beam', 'end']);
    const result = await run.result;
    expect([result.complete, result.results.length]).toEqual([false, 2]);
  });
});

describe('what cannot be', () => {
  it.each([
    [{ models: 'toybox,flow' }, "option 'budget' is missing"],
    [
      { models: 'toybox,flow', budget: 50, budgetFlops: 1e9 },
      "give one of 'budget' and 'budgetFlops', not both",
    ],
    [{ models: 'toybox,flow', model: 'toybox', budget: 50 }, "give one of 'models' and 'model', not both"],
    [
      { models: 'toybox,flow', budgetFlops: 0 },
      "option 'budgetFlops' must be a number of floating-point operations above 0",
    ],
  ])('%o is refused at once', (options, message) => {
    expect(() => compare({ prompt: 'red', ...options } as CompareOptions, { catalogs })).toThrow(message);
  });

  it.each([
    [
      { models: 'toybox,large', budget: 50 },
      'where no verifier is named, toybox is judged by clip-score and large by clip-score-l14',
    ],
    [{ models: 'toybox,absent', budget: 50 }, "model 'absent' is not installed"],
    [{ models: 'toybox,toybox', budget: 50 }, "two of the models are called 'toybox'"],
    [{ models: 'toybox,nobody', budget: 50 }, "unknown model 'nobody'"],
    [
      { models: 'flow,large', verifier: 'clip-score-l14', temperature: 1, budget: 1 },
      /random on flow: a budget of 1 .*|too small|buys not even/,
    ],
    [
      { models: 'flow', budget: 2 },
      /random on flow: .*a budget of 2 NFE buys not even the smallest such search: give more/,
    ],
    [
      { models: [fakeFlow('a'), fakeFlow('b')], verifier: 'clip-score', temperature: 1, budget: 50 },
      "none of the models takes the option 'temperature'",
    ],
  ])('%o is refused before anything runs', async (options, message) => {
    await expect(compared(options as CompareOptions)).rejects.toThrow(message);
  });

  it('FLOPs of a verifier that tells none are a budget that nobody can keep', async () => {
    const verifier = {
      name: 'bright',
      hashes: () => Promise.resolve({}),
      prepare: () => Promise.resolve({ score: () => Promise.resolve([]), close: () => undefined }),
      close: () => Promise.resolve(),
    };
    await expect(compared({ models: MODELS, verifier, budgetFlops: 1e9 })).rejects.toThrow(
      'nobody knows the operations of bright: give the budget in evaluations or seconds',
    );
  });
});

it('one model takes budgets in FLOPs and seconds too', async () => {
  const result = await compared({ budgetFlops: 1e10 });
  expect(namesOf(result)).toEqual({ ran: ['toybox-random', 'toybox-gto', 'toybox-beam'], not: [] });
  for (const { ledger } of result.results) expect(flopsOf(ledger)).toBeLessThanOrEqual(1e10);
  await expect(compared({ budgetFlops: 1 })).rejects.toThrow(
    'a budget of 1 FLOPs buys not even the smallest',
  );
  // What was asked for of one model is not left out.
  const some = compared({ budgetFlops: 2e9, strategies: ['random', 'beam'] });
  await expect(some).rejects.toThrow('buys not even the smallest');
});

describe('varsearch compare --models', () => {
  it('writes one page with the curves of both, and a folder for each search', async () => {
    const bench = cliBench();
    const words = [
      '--models',
      MODELS,
      '--budget-flops',
      '2e9',
      '--strategies',
      'random',
      'beam',
      'particles',
    ];
    const { code, stdout, stderr } = await bench.run(
      'compare',
      'red',
      ...words,
      '--seed',
      '3',
      '--out',
      'here',
    );
    expect(stderr).not.toContain('Error');
    expect(code).toBe(0);
    const json = JSON.parse(readFileSync(join(bench.folder, 'here', 'result.json'), 'utf8')) as CompareJson;
    expect(json).toMatchObject({ unit: 'FLOPs', budget: 2e9 });
    const folders = json.results.map(({ options }) => `${options.model}-${options.search.strategy}`);
    expect(folders).toContain('toybox-random');
    expect(json.skipped?.map(({ strategy }) => strategy)).toContain('beam');
    expect(folders).toContain('flow-particles');
    expect(folders).toContain(json.best);
    const page = readFileSync(join(bench.folder, 'here', 'index.html'), 'utf8');
    for (const folder of folders) {
      expect(existsSync(join(bench.folder, 'here', folder, 'picture.png'))).toBe(true);
      expect(page).toContain(`href="${folder}/index.html"`);
    }
    expect(page).toContain('Particle search on flow');
    expect(page).toMatch(/budget <b>2\.00 GFLOP<\/b>/);
    expect(page).toContain('broken');
    expect(stdout).toMatch(/model, strategy +sizes .* FLOPs/);
    for (const { model, strategy, why } of json.skipped ?? []) {
      expect(page).toContain(`${strategy} on ${model}`);
      expect(stderr).toContain(`varsearch: ${strategy} on ${model} is left out: ${why}`);
    }
  });

  it('takes folders beside names', async () => {
    const bench = cliBench();
    const words = [
      'compare',
      'red',
      '--models',
      'toybox',
      '--model-dirs',
      'mine',
      '--verifier',
      'clip-score-l14',
    ];
    const { code, stdout } = await bench.run(...words, '--strategies', 'random', '--budget', '20', '--json');
    expect(code).toBe(0);
    const { results } = JSON.parse(stdout) as CompareJson;
    expect(results.map(({ options }) => options.model)).toEqual(['toybox', 'mine']);
  });

  it('tells with --dry-run what each model would run, and loads none', async () => {
    const bench = cliBench({ terminal: { columns: 80, rows: 40 } });
    const words = ['compare', '--models', 'toybox,infinity-2b', '--verifier', 'clip-score-l14', '--dry-run'];
    const { code, stdout } = await bench.run(...words, '--budget', '60');
    expect(code).toBe(0);
    for (const row of stdout.split('\n')) expect(row.length).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(/^toybox: [^]*Random search.*\n[^]*^infinity-2b: 13 scales[^]*Random search/m);
    // A picture of infinity-2b holds more than the engine may when nothing is said.
    expect(stdout).toMatch(/random would not run: .*holds[^]*\(--memory\)/);
    expect(stdout).toMatch(/gto is left out: .*\smore$/m);
    expect(stdout).toMatch(/^Not counted, .*: decoder, clip-score-l14/m);
    const { models } = JSON.parse((await bench.run(...words, '--budget', '60', '--json')).stdout) as {
      models: { model: string; runs: { nfe: number; flops: number; flopsInAll: number | null }[] }[];
    };
    expect(models.map(({ model }) => model)).toEqual(['toybox', 'infinity-2b']);
    for (const { runs } of models) for (const { nfe } of runs) expect(nfe).toBeLessThanOrEqual(60);
    const [first] = models[1]?.runs ?? [];
    expect(first?.flopsInAll).toBeGreaterThan(first?.flops ?? Infinity);
    expect(bench.catalogs.loaded.models).toHaveLength(0);
  });

  it.each([
    [
      ['--budget-seconds', '5', '--dry-run'],
      /seconds .* cannot be foretold.*give --budget or --budget-flops$/m,
    ],
    [
      ['--budget', '20', '--dry-run', '--scales', '13'],
      /--scales is for --dry-run with --budget, of one model/,
    ],
    [['--budget-flops', '1.5e12'], /that is .* above 1,000 pictures, 20,000 NFE, .*say --yes/],
    [['--budget', '100000'], /that is .* above 1,000 pictures, 20,000 NFE, .*say --yes/],
    [
      ['--budget-seconds', '9000'],
      /up to 10 searches of 2 h 30 min each, together above 24 h 0 min: say --yes/,
    ],
  ])('refuses %o before anything is loaded', async (words, message) => {
    const bench = cliBench();
    const { code, stderr } = await bench.run('compare', 'red', '--models', MODELS, ...words);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(bench.catalogs.loaded.models).toHaveLength(0);
  });
});

describe('what a comparison would run', () => {
  it.each<Omit<CompareOptions, 'prompt' | 'budget'> & ({ budget: number } | { budgetFlops: number })>([
    { models: MODELS, budget: 80 },
    { models: MODELS, budgetFlops: 3e9 },
  ])('is foreseen without loading: %o', async (options) => {
    // What loaded models tell, their entries tell too.
    const known: Catalogs = {
      ...catalogs,
      findModel: (name) => ({
        ...catalogs.findModel(name),
        ...(name === 'flow'
          ? { decoderFlops: () => 0, drawing: { solver: 'stochastic' } }
          : { decoderFlops: () => 3e8 }),
      }),
      findVerifier: (name) => ({ ...catalogs.findVerifier(name), pictureFlops: () => 3e6 }),
    };
    const asked = {
      prompt: 'red',
      ...options,
      strategies: ['random', 'beam', 'zero-order', 'particles'],
    } as CompareOptions;
    const foreseen = foresee(asked, known);
    const { results, skipped, limited } = await compare(asked, { catalogs: known }).result;
    // The fake toybox has room for four particles only, as its schedule does not tell.
    const alike = ({ model, strategy }: { model: string; strategy: string }): boolean =>
      !limited.some((each) => each.model === model && each.strategy === strategy);
    // Of particles that are alike one is judged, so that their cost is a bound.
    const spent = (exact: boolean, nfe: number, flops: number | null): object =>
      exact ? { nfe, flops } : {};
    const ran = results.map(({ options: { model, search }, ledger }) => {
      const { strategy } = search;
      return { model, search, strategy, ...spent(strategy !== 'particles', ledger.nfe, flopsOf(ledger)) };
    });
    const told = foreseen.flatMap(({ model, searches }) =>
      searches.map(({ strategy, search, cost, flopsInAll }) => {
        return { model, search, strategy, ...spent(cost.exact, cost.nfe, flopsInAll) };
      }),
    );
    expect(told.filter(alike)).toEqual(ran.filter(alike));
    expect(told.filter(alike).length).toBeGreaterThan(3);
    expect(foreseen.flatMap(({ model, skipped: left }) => left.map((each) => ({ model, ...each })))).toEqual(
      skipped,
    );
  });
});
