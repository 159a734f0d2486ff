// The prompts on which a search does best and worst against random search, with what draws the pictures again.

import { flagOf, type OptionTable, type OptionValues } from '../../core/options.js';
import { MODEL_OPTIONS } from '../../models/options.js';
import { SEARCH_OPTIONS } from '../../search/registry.js';
import { saidSizes } from '../../search/sizes.js';
import { VERIFIERS } from '../../verifiers/catalog.js';
import type { PictureRecord } from '../record.js';
import { searchSeedOf } from '../search-seed.js';
import { byPrompt, differences, pairsOf } from './by-prompt.js';
import type { CellRuns } from './join-runs.js';
import { judgesOf, markOf, type Metric, RIGHT, scoreOf } from './metrics.js';
import { againstRandom } from './paired.js';
import { cellWords, isJudged, type Study } from './study.js';
import type { Datum, Section, Table } from './tables.js';

/** Examples of either end. */
const COUNT = 8;

const quoted = (text: string): string =>
  /^[\w.,:/=-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;

/** Options as flags; those that no table knows, and those that say nothing, are left out. */
function flags(values: OptionValues, table: OptionTable): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const option = table[name];
    if (!option || value === undefined || value === null || value === false) return [];
    if (value === true) return [flagOf(name)];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const text = list.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(',');
    return [flagOf(name), quoted(text)];
  });
}

/** The command that draws the winner of a search again; null where the guide is none that `generate` knows. */
export function redraws(
  { benchmark, prompt, search, seed }: Pick<PictureRecord, 'benchmark' | 'prompt' | 'search' | 'seed'>,
  { plainModel, jury, modelOptions }: Pick<CellRuns, 'plainModel' | 'jury' | 'modelOptions'>,
): string | null {
  const judges = judgesOf(jury);
  if (!judges.every((judge) => VERIFIERS.some(({ name }) => name === judge))) return null;
  const { strategy, ...sizes } = search;
  return [
    'varsearch generate',
    quoted(prompt.text),
    ...['--model', quoted(plainModel)],
    ...(judges.length > 0 ? ['--verifier', quoted(judges.join(','))] : []),
    ...['--strategy', strategy],
    ...flags(saidSizes(sizes), SEARCH_OPTIONS),
    ...flags(modelOptions, MODEL_OPTIONS),
    ...['--seed', String(searchSeedOf(benchmark, prompt, seed))],
  ].join(' ');
}

interface Example {
  readonly one: PictureRecord;
  readonly other: PictureRecord;
  readonly right: number | null;
  readonly score: number | null;
}

/** One example a prompt, the best first: by the difference in right pictures, then by that in score. */
function examplesOf(cell: CellRuns, reference: CellRuns, score: Metric | null): readonly Example[] {
  const pairs = pairsOf(cell.pictures, reference.pictures);
  const of = (metric: Metric): ReadonlyMap<number, number> =>
    differences(pairs, ({ winner }) => metric.of(winner));
  const [right, scores] = [of(RIGHT), score ? of(score) : new Map<number, number>()];
  // The seed that differs most stands for the prompt.
  const gap = (pair: (typeof pairs)[number], metric: Metric): number =>
    (metric.of(pair.one.winner) ?? 0) - (metric.of(pair.other.winner) ?? 0);
  const height = (pair: (typeof pairs)[number]): number =>
    1e6 * gap(pair, RIGHT) + (score ? gap(pair, score) : 0);
  const prompts = [...byPrompt(cell.pictures, () => 0).keys()];
  const examples = prompts.flatMap((prompt): Example[] => {
    const own = pairs.filter(({ one }) => one.prompt.index === prompt);
    const [first, ...rest] = own;
    if (!first) return [];
    const sign =
      (right.get(prompt) ?? 0) < 0 || (right.get(prompt) === 0 && (scores.get(prompt) ?? 0) < 0) ? -1 : 1;
    const pair = rest.reduce((a, b) => (sign * height(b) > sign * height(a) ? b : a), first);
    return [{ ...pair, right: right.get(prompt) ?? null, score: scores.get(prompt) ?? null }];
  });
  return examples.sort(
    (a, b) =>
      (b.right ?? 0) - (a.right ?? 0) ||
      (b.score ?? 0) - (a.score ?? 0) ||
      a.one.prompt.index - b.one.prompt.index,
  );
}

/** The section of examples, of the primary comparison or else of the first search that there is. */
export function examplesSection(study: Study, primary: readonly [CellRuns, CellRuns] | null): Section | null {
  const [pair = null] = primary ? [primary] : againstRandom(study.cells);
  if (!pair) return null;
  const [cell, reference] = pair;
  const [judge, ...others] = judgesOf(cell.jury);
  const score = judge !== undefined && others.length === 0 ? scoreOf(judge) : null;
  const examples = examplesOf(cell, reference, score);
  const judged = isJudged(study);
  if (examples.length === 0) return null;
  const count = Math.min(COUNT, Math.floor(examples.length / 2));
  const table = (name: string, title: string, rows: readonly Example[]): Table => ({
    name,
    title,
    note: `By the mean difference over seeds${judged ? ` in right pictures${markOf(cell.jury)}, then` : ''} in the score of the guide. The commands draw one seed's pictures again.`,
    columns: [
      { name: 'prompt', title: 'prompt', as: 'text' },
      { name: 'kind', title: 'kind', as: 'text' },
      ...(judged ? [{ name: 'right', title: 'right', as: 'points' } as const] : []),
      { name: 'score', title: 'score', as: 'difference' },
      { name: 'search', title: cell.strategy, as: 'text' },
      { name: 'reference', title: reference.strategy, as: 'text' },
    ],
    rows: rows.map(({ one, other, right, score: gap }): readonly Datum[] => [
      one.prompt.text,
      one.prompt.kind,
      ...(judged ? [right] : []),
      gap,
      redraws(one, cell),
      redraws(other, reference),
    ]),
  });
  return {
    name: 'examples',
    title: 'Best and worst examples',
    words: [`${cellWords(cell)}, against ${reference.strategy}.`],
    figures: [],
    tables: [
      table('examples-best', 'Where it does best', examples.slice(0, count)),
      table('examples-worst', 'Where it does worst', examples.slice(-count).reverse()),
    ].filter(({ rows }) => rows.length > 0),
  };
}
