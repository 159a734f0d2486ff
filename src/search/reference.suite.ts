// PAPER.md's three definitions, written as plainly as can be: a picture is the list of keys that draw its scales, every
// picture is drawn from nothing whenever it is looked at, and nothing is shared. The strategies must agree with it.

import type { RandomKey } from '../core/random.js';
import type { Bits, BitWorld } from './bit-model.suite.js';
import type { ResolvedSearch } from './registry.js';

/** What a search should find: the score of every candidate in order, and the picture that wins. */
export interface Reference {
  readonly scores: readonly number[];
  readonly score: number;
  readonly bits: Bits;
}

type Keys = readonly RandomKey[];

/** Works a search out by definition. */
export function referenceSearch(search: ResolvedSearch, world: BitWorld, key: RandomKey): Reference {
  const K = world.scales.length;
  const draw = (keys: Keys): Bits => keys.reduce<Bits>((bits, each) => world.draw(bits, each), []);
  const score = (keys: Keys): number => world.score(draw(keys));
  const best = (pictures: readonly Keys[], count: number): Keys[] =>
    pictures
      .map((keys, order) => ({ keys, order, score: score(keys) }))
      .sort((a, b) => b.score - a.score || a.order - b.order)
      .slice(0, count)
      .map(({ keys }) => keys);
  /** The first k scales of `from`, then new ones to the end. */
  const complete = (from: Keys, k: number, candidate: RandomKey): Keys => [
    ...from.slice(0, k),
    ...world.scales.slice(k).map((_, i) => candidate.fold(k + i + 1)),
  ];
  const finish = (all: readonly Keys[], winner: Keys | undefined): Reference => ({
    scores: all.map(score),
    score: score(winner ?? []),
    bits: draw(winner ?? []),
  });

  if (search.strategy === 'random') {
    const all = Array.from({ length: search.images }, (_, n) => complete([], 0, key.fold(1).fold(0).fold(n)));
    return finish(all, best(all, 1)[0]);
  }
  const width = search.strategy === 'beam' ? search.width : 1;
  const all: Keys[] = [];
  let round: Keys[] = [];
  let beams: readonly Keys[] = [[]];
  for (let k = 1; k <= K; k++) {
    const share = (width * (search.candidates[k - 1] ?? 0)) / beams.length;
    round = beams.flatMap((beam, b) =>
      Array.from({ length: share }, (_, c) => {
        if (search.keepElected && k > 1 && c === 0) return beam;
        return complete(beam, k - 1, key.fold(k).fold(b).fold(c));
      }),
    );
    all.push(...round);
    beams = best(round, width);
  }
  return finish(all, best(search.result === 'best' ? all : round, 1)[0]);
}
