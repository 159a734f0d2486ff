// The definitions of the strategies, written as plainly as can be (PAPER.md; arXiv 2501.09732; arXiv 2501.06848): a picture is the list of draws that make its steps, every
// picture is drawn from nothing whenever it is looked at, and nothing is shared. The strategies must agree with it.

import type { Draw } from '../core/random.js';
import { combine, type Jury } from '../verifiers/jury.js';
import type { BitJudge, Bits, BitWorld } from './bit-model.suite.js';
import type { ResolvedSearch } from './registry.js';
import { rolloutOf, untilOf } from './rollout.js';

/** What a search should find: candidates in the order in which they are judged, and the picture that wins. */
export interface Reference {
  readonly pictures: readonly Bits[];
  /** What the jury makes of each among the candidates of its round, higher is better. */
  readonly numbers: readonly number[];
  readonly winner: Bits;
  /** The winner's, among all that it was chosen from. */
  readonly number: number;
}

type Draws = readonly Draw[];

/** A candidate at its place: the beam that it continues, and the draw that is its own. */
interface Place {
  readonly beam: number;
  readonly own: Draw;
  readonly draws: Draws;
}

/** Works a search out by definition. */
export function referenceSearch(search: ResolvedSearch, world: BitWorld, root: Draw, jury: Jury): Reference {
  const K = world.schedule.steps.length;
  const until = untilOf(rolloutOf(search));
  /** As it is looked at: without rollouts the steps to come are dark. */
  const draw = (draws: Draws): Bits => {
    const bits = draws.reduce<Bits>((before, each) => world.extend(before, each), []);
    const dark = world.schedule.steps.slice(bits.length).map(({ tokens }) => Array<number>(tokens).fill(0));
    return until === 'none' ? [...bits, ...dark] : bits;
  };
  const compare = (pictures: readonly Draws[], by = jury): readonly number[] =>
    numbersOf(
      pictures.map((each) => world.scoresOf(draw(each))),
      by,
    );
  /** The best, one after the other: of equals one that shares its beam with the fewest before it, then the lowest key. */
  const elect = (places: readonly Place[], count: number): Draws[] => {
    const pictures = places.map(({ draws }) => draws);
    const found = compare(pictures);
    const seconds = jury.rule === 'z-score' ? compare(pictures, { ...jury, rule: 'rank' }) : found;
    const left = places.map((place, i) => ({ ...place, number: found[i] ?? NaN, second: seconds[i] ?? NaN }));
    const chosen: typeof left = [];
    while (chosen.length < count && left.length > 0) {
      const siblings = (beam: number): number => chosen.filter((each) => each.beam === beam).length;
      const key = ({ own }: Place): number => own.fold(0).uniform(1)[0] ?? NaN;
      left.sort(
        (a, b) =>
          b.number - a.number ||
          b.second - a.second ||
          siblings(a.beam) - siblings(b.beam) ||
          key(a) - key(b),
      );
      chosen.push(...left.splice(0, 1));
    }
    return chosen.map(({ draws }) => draws);
  };
  const best = (pictures: readonly Draws[], count: number): { draws: Draws; number: number }[] => {
    const numbers = compare(pictures);
    // Equal z-scores go by rank, and equals by their order.
    const seconds = jury.rule === 'z-score' ? compare(pictures, { ...jury, rule: 'rank' }) : numbers;
    return pictures
      .map((draws, order) => ({ draws, order, number: numbers[order] ?? NaN, second: seconds[order] ?? NaN }))
      .sort((a, b) => b.number - a.number || b.second - a.second || a.order - b.order)
      .slice(0, count);
  };
  /** The first k steps of `from`, then new ones to `end`. */
  const complete = (from: Draws, k: number, candidate: Draw, end: number): Draws => {
    const draws = [
      ...from.slice(0, k),
      ...world.schedule.steps.slice(k, end).map((_, i) => candidate.fold(k + i + 1)),
    ];
    owners.set(draws, candidate);
    return draws;
  };
  const owners = new Map<Draws, Draw>();
  const all: Draws[] = [];
  const numbers: number[] = [];
  const finish = (pictures: readonly Draws[]): Reference => {
    const found = best(pictures, 1)[0] ?? { draws: [], number: NaN };
    const own = owners.get(found.draws);
    if (!own || found.draws.length === K) {
      return { pictures: all.map(draw), numbers, winner: draw(found.draws), number: found.number };
    }
    // A preview has won: the same draws make the rest of it, and it is judged alone.
    const whole = complete(found.draws, found.draws.length, own, K);
    judge([whole]);
    return { pictures: all.map(draw), numbers, winner: draw(whole), number: compare([whole])[0] ?? NaN };
  };
  const judge = (round: readonly Draws[]): void => {
    all.push(...round);
    numbers.push(...compare(round));
  };

  const stop = typeof until === 'number' ? until : K;
  if (search.strategy === 'random') {
    judge(
      Array.from({ length: search.images }, (_, n) => complete([], 0, root.fold(1).fold(0).fold(n), stop)),
    );
    return finish(all);
  }
  if (search.strategy === 'zero-order') {
    let pivot: Draw = root.fold(1).fold(0).fold(0);
    for (let r = 1; r <= search.rounds; r++) {
      const around = pivot;
      const places = Array.from({ length: search.neighbours }, (_, n): Place & { near: Draw } => {
        const own = root.fold(r).fold(0).fold(n);
        const near = own.near(around, search.radius);
        return { beam: 0, own, near, draws: complete([], 0, near, K) };
      });
      judge(places.map(({ draws }) => draws));
      const [best] = elect(places, 1);
      pivot = places.find(({ draws }) => draws === best)?.near ?? pivot;
    }
    return finish(all);
  }
  if (search.strategy === 'particles') {
    interface Particle {
      readonly draws: Draws;
      readonly scores: readonly number[];
      readonly logs: readonly number[];
    }
    let sources: readonly (readonly [Particle, number])[] = [[{ draws: [], scores: [], logs: [] }, 1]];
    let count = search.particles[0] ?? 0;
    sources = sources.map(([particle]) => [particle, count]);
    const ends = [...search.resampleAt, K];
    let round: readonly Draws[] = [];
    ends.forEach((end, r) => {
      let flock = sources.flatMap(([particle, copies], b) =>
        Array.from({ length: copies }, (_, c) => ({
          ...particle,
          own: root
            .fold(r + 1)
            .fold(b)
            .fold(c),
        })),
      );
      for (let k = (flock[0]?.draws.length ?? 0) + 1; k <= end; k++) {
        count = search.particles[k - 1] ?? 0;
        // Where fewer go on, every one has the same chance.
        const staying = places(flock.map(() => 1), count, root.fold(0).fold(k - 1)); // prettier-ignore
        if (k > 1) flock = flock.filter((_, i) => staying.includes(i));
        flock = flock.map((each) => ({ ...each, draws: [...each.draws, each.own.fold(k)] }));
      }
      round = flock.map(({ draws }) => draws);
      judge(round);
      const found = compare(round);
      const weighed = flock.map(({ draws, scores, logs }, i) => {
        const path = [...scores, found[i] ?? NaN];
        return { draws, scores: path, logs: [...logs, search.lambda * potentialOf(search.potential, path)] };
      });
      if (end === K) return;
      count = search.particles[end] ?? 0;
      const drawn = places(weighed.map(({ logs }) => Math.exp(logs.at(-1) ?? NaN)), count, root.fold(0).fold(end)); // prettier-ignore
      // Those that go on are numbered by their scores, the earlier of equals first.
      const order = weighed.map((_, i) => i).sort((a, b) => (found[b] ?? 0) - (found[a] ?? 0) || a - b);
      sources = order.flatMap((i) => {
        const copies = drawn.filter((place) => place === i).length;
        const particle = weighed[i];
        return particle && copies > 0 ? [[particle, copies] as const] : [];
      });
    });
    return finish(round);
  }
  const width = search.strategy === 'beam' ? search.width : 1;
  let round: Place[] = [];
  let beams: readonly Draws[] = [[]];
  let number = 0;
  for (let k = 1; k <= stop; k++) {
    // A step that draws nothing is no round: its pictures are those of the round before.
    const isIdle = (step: number): boolean => world.schedule.steps[step - 1]?.draws === false;
    if (k > 1 && isIdle(k)) continue;
    number++;
    let end = k;
    while (end < stop && isIdle(end + 1)) end++;
    const share = (width * (search.candidates[k - 1] ?? 0)) / beams.length;
    round = beams.flatMap((beam, b) =>
      Array.from({ length: share }, (_, c) => {
        const own = root.fold(number).fold(b).fold(c);
        const kept = search.keepElected && k > 1 && c === 0;
        return {
          beam: b,
          own,
          draws: kept ? beam : complete(beam, k - 1, own, until === 'none' ? end : stop),
        };
      }),
    );
    judge(round.map(({ draws }) => draws));
    beams = elect(round, width);
  }
  // A rollout that was taken over is one picture all the same, and pictures of different steps do not compare.
  const alike = [...new Set(all)].filter(({ length }) => length === stop);
  return finish(search.result === 'best' ? alike : round.map(({ draws }) => draws));
}

/** What a particle is weighed by, from the scores of its pictures so far. */
function potentialOf(potential: string, scores: readonly number[]): number {
  const [last = 0, before = 0] = scores.toReversed();
  if (potential === 'difference') return last - before;
  if (potential === 'sum') return scores.reduce((sum, score) => sum + score, 0);
  return potential === 'max' ? Math.max(...scores) : last;
}

/** Whom each of `count` places at equal distances falls to. */
function places(weights: readonly number[], count: number, draw: Draw): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [offset = 0] = draw.uniform(1);
  return Array.from({ length: count }, (_, place) => {
    let left = ((place + offset) / count) * total;
    const found = weights.findIndex((weight) => (left -= weight) < 0);
    return found < 0 ? weights.length - 1 : found;
  });
}

type AllScores = readonly Readonly<Record<BitJudge, number>>[];

/** The rules of a jury by definition; z-scores, which no two ways of summing give alike to the last bit, as they are. */
function numbersOf(scores: AllScores, jury: Jury): readonly number[] {
  if (jury.rule === 'z-score') return combine(scores, jury);
  const judges = jury.judges as readonly BitJudge[];
  const weighted = (of: (judge: BitJudge) => number): number =>
    judges.reduce((sum, judge, j) => sum + (jury.weights[j] ?? 0) * of(judge), 0);
  if (jury.rule !== 'rank') return scores.map((own) => weighted((judge) => own[judge]));
  const total = jury.weights.reduce((sum, weight) => sum + weight, 0);
  return scores.map(
    (own) =>
      -weighted((judge) =>
        placeOf(
          own[judge],
          scores.map((all) => all[judge]),
        ),
      ) / total,
  );
}

/** One more than how many are better; those that are as good share the mean of their places. */
function placeOf(score: number, all: readonly number[]): number {
  const better = all.filter((other) => other > score).length;
  const equal = all.filter((other) => other === score).length;
  return better + (equal + 1) / 2;
}
