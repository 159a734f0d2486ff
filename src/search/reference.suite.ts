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

/** How pictures are scored that are compared with each other. */
export type ReferenceScores = (pictures: readonly Bits[]) => readonly number[];

/** Works a search out by definition. */
export function referenceSearch(
  search: ResolvedSearch,
  world: BitWorld,
  key: RandomKey,
  scoresOf: ReferenceScores = (pictures) => pictures.map((bits) => world.score(bits)),
): Reference {
  const K = world.scales.length;
  const draw = (keys: Keys): Bits => keys.reduce<Bits>((bits, each) => world.draw(bits, each), []);
  const compare = (pictures: readonly Keys[]): readonly number[] => scoresOf(pictures.map(draw));
  const best = (pictures: readonly Keys[], count: number): { keys: Keys; score: number }[] => {
    const scores = compare(pictures);
    return pictures
      .map((keys, order) => ({ keys, order, score: scores[order] ?? NaN }))
      .sort((a, b) => b.score - a.score || a.order - b.order)
      .slice(0, count);
  };
  /** The first k scales of `from`, then new ones to the end. */
  const complete = (from: Keys, k: number, candidate: RandomKey): Keys => [
    ...from.slice(0, k),
    ...world.scales.slice(k).map((_, i) => candidate.fold(k + i + 1)),
  ];
  const finish = (scores: readonly number[], pictures: readonly Keys[]): Reference => {
    // A rollout that was taken over is one picture all the same.
    const { keys: winner, score } = best([...new Set(pictures)], 1)[0] ?? { keys: [], score: NaN };
    return { scores, score, bits: draw(winner) };
  };

  if (search.strategy === 'random') {
    const all = Array.from({ length: search.images }, (_, n) => complete([], 0, key.fold(1).fold(0).fold(n)));
    return finish(compare(all), all);
  }
  const width = search.strategy === 'beam' ? search.width : 1;
  const all: Keys[] = [];
  const scores: number[] = [];
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
    scores.push(...compare(round));
    beams = best(round, width).map(({ keys }) => keys);
  }
  return finish(scores, search.result === 'best' ? all : round);
}
