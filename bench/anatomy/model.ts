// What searches should be worth if scales were independent: a picture's worth is a sum of normal numbers, one a scale, with the shares of
// variance that bench/beam-anatomy.ts prefixes measures; a judge adds noise; a picture is right above its prompt's threshold. Where
// the measured searches fall short of it, what a scale brings depends on the scales before.

import { RandomKey, type Schedule } from '../../src/index.js';
import { type ResolvedSearch, resolveSearch, type SearchOptions } from '../../src/search/registry.js';
import { mean } from '../resumed.js';

/** What is assumed. */
export interface Assumed {
  /** Of the variance, by scale. */
  readonly shares: readonly number[];
  /** The judge's own deviation, in the pictures'. */
  readonly noise: number;
  /** Mean and deviation of the prompts' thresholds. */
  readonly threshold: readonly [number, number];
  readonly prompts: number;
}

/** A picture: what its scales bring, what it is worth, and what the judge says. */
interface Imagined {
  readonly scales: readonly number[];
  readonly worth: number;
  readonly score: number;
}

/** How often a search gives a right picture, and how often it draws one. */
export interface Foretold {
  readonly right: number;
  readonly pool: number;
}

/** Plays a search with imagined pictures. */
export function foretell(options: SearchOptions, schedule: Schedule, assumed: Assumed): Foretold {
  const search = resolveSearch(options, schedule);
  const root = RandomKey.fromSeed(1);
  const [middle, deviation] = assumed.threshold;
  const found = Array.from({ length: assumed.prompts }, (_, prompt) => {
    const key = root.fold(prompt);
    const limit = middle + deviation * (key.normal(1)[0] ?? NaN);
    const pool = play(search, key, assumed);
    const best = pool.reduce((one, other) => (other.score > one.score ? other : one));
    return { right: Number(best.worth > limit), pool: Number(pool.some(({ worth }) => worth > limit)) };
  });
  return { right: mean(found.map(({ right }) => right)), pool: mean(found.map(({ pool }) => pool)) };
}

/** All pictures that a search draws. */
function play(search: ResolvedSearch, key: RandomKey, { shares, noise }: Assumed): Imagined[] {
  let drawn = 0;
  /** A picture that has the first scales of another. */
  const draw = (from: readonly number[]): Imagined => {
    const numbers = key.fold(++drawn).normal(shares.length + 1);
    const scales = shares.map((share, i) => from[i] ?? Math.sqrt(share) * (numbers[i] ?? NaN));
    const worth = scales.reduce((sum, each) => sum + each, 0);
    return { scales, worth, score: worth + noise * (numbers[shares.length] ?? NaN) };
  };
  const several = (count: number, from: readonly number[]): Imagined[] =>
    Array.from({ length: count }, () => draw(from));
  if (search.strategy === 'random') return several(search.images, []);
  if (search.strategy !== 'beam') throw new RangeError('random search and beam search alone are imagined');
  const { width, candidates, keepElected } = search;
  const pool: Imagined[] = [];
  let elected: readonly Imagined[] = [];
  for (const [at, count] of candidates.entries()) {
    const kept = keepElected ? elected : [];
    const fresh =
      at === 0
        ? several(width * count, [])
        : elected.flatMap(({ scales }) => several(count - (keepElected ? 1 : 0), scales.slice(0, at)));
    pool.push(...fresh);
    elected = [...kept, ...fresh].toSorted((a, b) => b.score - a.score).slice(0, width);
  }
  return pool;
}
