// The whole analysis on synthetic runs, of which it is known what there is to find.

import { describe, expect, it } from 'vitest';

import { type SyntheticOptions, syntheticRun } from '../../../test/fixtures/bench-runs.js';
import { analyse, type AnalysisOptions, type BenchmarkReport } from './analyse.js';
import type { Estimate } from './bootstrap.js';
import { parsePrimary } from './primary.js';
import type { RunFolder } from './read-run.js';
import type { Datum, Table } from './tables.js';

function folder(options: SyntheticOptions = {}, name = 'run'): RunFolder {
  return { folder: name, ...syntheticRun(options), notes: [] };
}

const FAST = { resamples: 300 } as const;
const report = (runs: readonly RunFolder[], options: AnalysisOptions = {}): BenchmarkReport =>
  analyse(runs, { ...FAST, ...options });

function table(found: BenchmarkReport, name: string): Table {
  const known = found.sections.flatMap(({ tables }) => tables).find((each) => each.name === name);
  if (!known) throw new RangeError(`there is no table ${name}`);
  return known;
}

/** The rows of a table by the names of its columns. */
function rows(found: BenchmarkReport, name: string): readonly Readonly<Record<string, Datum>>[] {
  const { columns, rows: all } = table(found, name);
  return all.map((row) => Object.fromEntries(columns.map((column, i) => [column.name, row[i] ?? null])));
}

const estimate = (datum: Datum | undefined): Estimate => datum as Estimate;

const MAIN = {
  prompts: 150,
  seeds: [1, 2],
  budgets: [105],
  juries: ['coin', 'image-reward', 'oracle'],
} as const;
const main = folder({ ...MAIN, step: 0.25 });
const primary = parsePrimary('beam,random,image-reward,105');
const found = report([main], { primary });

describe('the answer', () => {
  it('tells the difference with its interval, wins and losses, and what the coin does', () => {
    const [first = '', wins = '', verdict, mark, coin] = found.answer;
    expect(first).toMatch(
      /^Primary comparison: beam against random on toybox at 105 NFE, guided by image-reward, judged by the detector: [\d.]+ % against [\d.]+ % right pictures, a difference of \+[\d.]+ \[\+[\d.]+, \+[\d.]+\] points \(150 prompts, 2 seeds each averaged\)\.$/,
    );
    expect(wins).toMatch(/^\d+ prompts won, \d+ lost, \d+ tied \(exact sign test: p = [\de.-]+\)\.$/);
    expect(verdict).toBe('The interval lies above 0: beam is ahead of random.');
    expect(mark).toContain("trained with the detector's labels");
    expect(coin).toContain('it is not shown to gain anything, as it should be (all 3 intervals hold 0)');
  });

  it('is that of a calculation by hand', () => {
    const rightOf = (strategy: string): Map<string, number> =>
      new Map(
        main.pictures
          .filter((each) => each.strategy === strategy && each.jury === 'image-reward')
          .map(({ prompt, seed, winner }) => [`${prompt.index} ${seed}`, Number(winner.right)]),
      );
    const [beam, random] = [rightOf('beam'), rightOf('random')];
    const gaps = Array.from({ length: 150 }, (_, prompt) =>
      [1, 2].reduce((sum, seed) => {
        const unit = `${prompt} ${seed}`;
        return sum + ((beam.get(unit) ?? 0) - (random.get(unit) ?? 0)) / 2;
      }, 0),
    );
    expect(found.primary?.difference.value).toBeCloseTo(gaps.reduce((a, b) => a + b, 0) / 150, 12);
    expect(found.primary).toMatchObject({
      prompts: 150,
      wins: gaps.filter((gap) => gap > 0).length,
      losses: gaps.filter((gap) => gap < 0).length,
      ties: gaps.filter((gap) => gap === 0).length,
    });
  });

  it('says that nothing was named before the runs', () => {
    const exploratory = report([folder({ prompts: 8, budgets: [35] })]);
    expect(exploratory.answer[0]).toBe('No primary comparison was named: all that follows is exploratory.');
    expect(exploratory.primary).toBeNull();
  });

  it('is refused for a comparison that no run has', () => {
    const other = { primary: parsePrimary('beam,random,image-reward,315') };
    expect(() => report([main], other)).toThrow(
      'names beam guided by image-reward at 315 NFE, which no run has; there are: ',
    );
  });

  it('shows no difference where there is none', () => {
    const [, , verdict] = report([folder({ ...MAIN, step: 0 })], { primary }).answer;
    expect(verdict).toBe('The interval holds 0: no difference is shown between beam and random.');
  });
});

describe('tables', () => {
  it('mark whom the detector is no independent judge of', () => {
    const marks = new Map(rows(found, 'cells').map(({ jury, mark }) => [jury, mark]));
    expect(Object.fromEntries(marks)).toEqual({
      coin: '',
      'image-reward': '\u2020',
      oracle: '\u2021',
      none: '',
    });
    expect(table(found, 'cells').note).toContain(
      "\u2020 guided by a verifier that was trained with the detector's",
    );
  });

  it('tell what pools held: no guide can choose more', () => {
    for (const row of rows(found, 'pools')) {
      expect(estimate(row['right']).value).toBeLessThanOrEqual(estimate(row['held']).value);
    }
    // The oracle of this world sees exactly what makes pictures right.
    const oracle = rows(found, 'pools').filter(({ jury }) => jury === 'oracle');
    expect(oracle.map(({ chosen }) => estimate(chosen).value)).toEqual([1, 1]);
  });

  it('tell the law of random search: of normal scores the best of k goes by the logarithm, about', () => {
    const [fit] = rows(found, 'log-fit');
    // The expected maximum of k = 1, 2, 4, 8, 15 normal numbers is 0, 0.564, 1.029, 1.424, 1.736: a line of slope 0.65.
    expect(fit).toMatchObject({ jury: 'image-reward', largest_k: 15 });
    expect(Math.abs(estimate(fit?.['a']).value - 0.65)).toBeLessThan(0.06);
    expect(estimate(fit?.['r2']).value).toBeGreaterThan(0.98);
  });

  it('tell the guide from held-out verifiers', () => {
    const gain = (jury: string, verifier: string): Estimate =>
      estimate(
        rows(found, 'gains').find(
          (row) => row['jury'] === jury && row['strategy'] === 'random' && row['verifier'] === verifier,
        )?.['gain'],
      );
    // The best of 15 normal numbers is 1.736 above their mean.
    expect(Math.abs(gain('image-reward', 'image-reward').value - 1.736)).toBeLessThan(0.2);
    // It shares 0.6 * 0.5 of the variance with what clip-score sees.
    expect(Math.abs(gain('image-reward', 'clip-score').value - 1.736 * 0.3)).toBeLessThan(0.25);
    expect(Math.abs(gain('coin', 'image-reward').value)).toBeLessThan(0.2);
  });

  it('tell where winners were found', () => {
    const shares = rows(found, 'found-rounds').filter(({ jury }) => jury === 'image-reward');
    const total = shares.reduce((sum, { share }) => sum + estimate(share).value, 0);
    expect(shares).toHaveLength(7);
    expect(total).toBeCloseTo(1, 9);
    expect(estimate(shares.at(-1)?.['share']).value).toBeGreaterThan(estimate(shares[0]?.['share']).value);
  });

  it('have every kind, whose prompts add up', () => {
    const kinds = rows(found, 'kinds').filter(
      ({ jury, strategy }) => jury === 'oracle' && strategy === 'beam',
    );
    expect(kinds.map(({ kind }) => kind)).toEqual(['count', 'relation', 'complex', 'colour']);
    expect(kinds.reduce((sum, { prompts }) => sum + Number(prompts), 0)).toBe(150);
  });

  it('have commands for the best and the worst prompts', () => {
    const [best] = rows(found, 'examples-best');
    const worst = rows(found, 'examples-worst');
    expect(Number(best?.['right'])).toBe(1);
    expect(Number(worst[0]?.['right'])).toBeLessThan(0);
    expect(best?.['search']).toMatch(
      /^varsearch generate '[^']+' --model toybox --verifier image-reward --strategy beam --width 3 --candidates 9,7,5,4,3,2,2 --paper --result best --rollout full --cfg 1 --temperature 1.3 --seed \d+$/,
    );
  });
});

describe('both arms', () => {
  it('have the ratio of their gains at equal cost', () => {
    const both = {
      prompts: 120,
      models: ['toybox', 'toybox-flow'],
      juries: ['image-reward'],
      budgets: [35, 105],
    };
    const arms = rows(report([folder({ ...both, step: 0.4 })]), 'arms-right');
    const beams = arms.filter(
      ({ one, other, cost, at }) =>
        one === 'beam on toybox' && other === 'beam on toybox-flow' && cost === 'NFE' && at === 105,
    );
    expect(beams).toHaveLength(1);
    const [ratio] = beams;
    expect(estimate(ratio?.['ratio']).value).toBeCloseTo(
      estimate(ratio?.['gain_one']).value / estimate(ratio?.['gain_other']).value,
      9,
    );
    expect(estimate(ratio?.['ratio']).low).toBeGreaterThan(1);
    expect(arms.some(({ cost, how }) => cost === 'FLOPs' && how === 'between budgets')).toBe(true);
  });
});

describe('an analysis', () => {
  const small = { prompts: 24, seeds: [1, 2], budgets: [35], juries: ['image-reward', 'coin'] } as const;

  it('does not depend on the order of lines', () => {
    const run = folder(small);
    const turned = { ...run, pictures: run.pictures.toReversed() };
    expect(report([turned])).toEqual(report([run]));
  });

  it('counts seeds as repeats: a run that is there twice is no larger sample', () => {
    const once = report([folder({ ...small, seeds: [1] })], {
      primary: parsePrimary('beam,random,image-reward,35'),
    });
    const run = folder(small);
    const copied = run.pictures
      .filter(({ seed }) => seed === 1)
      .flatMap((each) => [each, { ...each, seed: 2 }]);
    const twice = report([{ ...run, pictures: copied }], {
      primary: parsePrimary('beam,random,image-reward,35'),
    });
    expect(twice.primary?.difference).toEqual(once.primary?.difference);
    expect(twice.primary?.p).toBe(once.primary?.p);
  });

  it('is made of an unfinished run, of what both sides have', () => {
    const run = folder(small);
    const part = report([{ ...run, pictures: run.pictures.slice(0, 52) }], {
      primary: parsePrimary('beam,random,image-reward,35'),
    });
    expect(part.sections[0]?.words[0]).toContain('unfinished, 52 of 240 searches are there (22 %)');
    expect(part.answer[0]).toContain('(10 prompts, unfinished: 10 of 48 searches)');
  });

  it('compares with the random search of the same guide alone', () => {
    const run = folder(small);
    const pictures = run.pictures.filter((each) => each.strategy !== 'random' || each.jury === 'coin');
    const compared = rows(report([{ ...run, pictures }]), 'paired-right');
    expect(compared.map(({ jury, strategy }) => [jury, strategy])).toEqual([['coin', 'beam']]);
  });

  it('does without the detector, and without a random search', () => {
    const pictures = report([
      folder({ ...small, judged: false, strategies: ['beam'], benchmark: 'drawbench' }),
    ]);
    expect(pictures.sections.map(({ name }) => name)).toEqual([
      'overview',
      'control',
      'cost',
      'guides',
      'found',
      'kinds',
    ]);
    expect(JSON.stringify(pictures)).not.toContain('right pictures');
  });
});
