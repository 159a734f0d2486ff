// Standings that can be compared over a whole search, or over several: all their pictures are combined anew, since what a
// round's election compared says nothing outside of that round where the rule is relative.

import { Contest } from '../search/contest.js';
import type { Candidate, Fate } from '../search/contract.js';
import { heightOf, type Jury, type Standing } from '../verifiers/jury.js';

/** What had been spent when pictures were judged. */
export interface Spent {
  /** Pictures judged so far. */
  readonly images: number;
  readonly nfe: number;
  readonly forwards: number;
  readonly tokens: number;
  /** Floating-point operations of transformer, decoder and verifiers. */
  readonly flops: number;
  /** Wall-clock time since the run began, loading of models and asking of observers not counted. */
  readonly milliseconds: number;
}

/** What had been spent, and the best standing, each time that pictures were judged. */
export interface TracePoint extends Spent {
  /** Of the best until then, among all pictures of the search, later ones included. */
  readonly best: Standing;
}

/** The standing of a candidate among those that it is compared with. */
export type Standings = (candidate: Candidate) => Standing;

/**
 * Compares all pictures of some searches with each other, each picture once. Previews have a contest for each number of steps
 * that they had: scores of pictures at different steps do not compare. `whole` tells for each search how many steps its complete
 * pictures have, where they compete with each other over searches of different models. @default as many in all
 */
export function standingsOf(
  searches: readonly (readonly Candidate[])[],
  jury: Jury,
  whole: readonly number[] = [],
): Standings {
  const contests = new Map<number, Contest>();
  const contestOf = new Map<Candidate, Contest>();
  const drawnBy = new Map<Candidate, Candidate>();
  for (const [index, candidates] of searches.entries()) {
    const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
    for (const candidate of candidates) {
      drawnBy.set(candidate, byId.get(candidate.sameAs ?? candidate.id) ?? candidate);
    }
    for (const [judgedAt, group] of byJudgedAt(drawn(candidates))) {
      const at = judgedAt === whole[index] ? Infinity : judgedAt;
      const contest = contests.get(at) ?? new Contest(jury);
      contests.set(at, contest);
      contest.enter(group);
      for (const candidate of group) contestOf.set(candidate, contest);
    }
  }
  return (candidate) => {
    const entered = drawnBy.get(candidate) ?? candidate;
    const contest = contestOf.get(entered);
    if (!contest) throw new RangeError(`candidate ${candidate.id} is not among those that are compared`);
    return contest.standingOf(entered);
  };
}

function byJudgedAt(candidates: readonly Candidate[]): ReadonlyMap<number, readonly Candidate[]> {
  const groups = new Map<number, Candidate[]>();
  for (const candidate of candidates) {
    const group = groups.get(candidate.judgedAt);
    if (group) group.push(candidate);
    else groups.set(candidate.judgedAt, [candidate]);
  }
  return groups;
}

/** The preview that a candidate was until it was completed, at the same place of the search; null for one that was drawn at once. */
export function previewOf(
  candidates: readonly Candidate[],
  { parent, path }: Pick<Candidate, 'parent' | 'path'>,
): Candidate | null {
  const before = candidates[parent - 1];
  const drawnAs = candidates[(before?.sameAs ?? parent) - 1];
  return before && drawnAs?.path.join() === path.join() ? before : null;
}

/** The candidates that were newly drawn. */
export function drawn(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(({ sameAs }) => sameAs === undefined);
}

/**
 * The best standing so far at every point of a search: the standings are those of all its pictures. It never falls, but where
 * a picture is judged at more steps than those before: with that the comparison begins anew. Pictures of fewer than `from` steps are
 * passed over.
 */
export function traceOf(
  spent: readonly Spent[],
  candidates: readonly Candidate[],
  standings: Standings,
  from = 0,
): readonly TracePoint[] {
  const all = drawn(candidates);
  let seen = 0;
  let best: Standing | null = null;
  let judgedAt = 0;
  return spent.flatMap(({ images, nfe, forwards, tokens, flops, milliseconds }) => {
    for (const candidate of all.slice(seen, images).filter((each) => each.judgedAt >= from)) {
      const standing = standings(candidate);
      const further = candidate.judgedAt > judgedAt;
      if (!best || further || heightOf(standing) > heightOf(best)) best = standing;
      judgedAt = candidate.judgedAt;
    }
    seen = images;
    return best ? [{ images, nfe, forwards, tokens, flops, milliseconds, best }] : [];
  });
}

/**
 * What had been spent after each picture, where pictures are drawn together and each could be taken by itself: each has its share of
 * what its batch cost.
 */
export function perPicture(spent: readonly Spent[]): readonly Spent[] {
  const none: Spent = { images: 0, nfe: 0, forwards: 0, tokens: 0, flops: 0, milliseconds: 0 };
  return spent.flatMap((after, i) => {
    const before = spent[i - 1] ?? none;
    const count = after.images - before.images;
    const between = (name: keyof Spent, share: number): number =>
      before[name] + (after[name] - before[name]) * share;
    return Array.from({ length: count }, (_, n): Spent => {
      const share = (n + 1) / count;
      return {
        images: before.images + n + 1,
        nfe: between('nfe', share),
        forwards: between('forwards', share),
        tokens: between('tokens', share),
        flops: between('flops', share),
        milliseconds: between('milliseconds', share),
      };
    });
  });
}

/** The candidates that something was drawn from, and the winner. */
export function keptOf({
  fates,
  winner,
}: {
  readonly fates: readonly Fate[];
  readonly winner: Candidate;
}): ReadonlySet<number> {
  return new Set([...fates.filter(({ copies }) => copies > 0).map(({ id }) => id), winner.id]);
}

/** The fates by candidate. */
export function fatesById(fates: readonly Fate[]): ReadonlyMap<number, Fate> {
  return new Map(fates.map((fate) => [fate.id, fate]));
}
