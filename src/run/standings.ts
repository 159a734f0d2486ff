// Standings that can be compared over a whole search, or over several: all their pictures are combined anew, since what a
// round's election compared says nothing outside of that round where the rule is relative.

import { Contest } from '../search/contest.js';
import type { Candidate, Fate } from '../search/contract.js';
import { heightOf, type Jury, type Standing } from '../verifiers/jury.js';
import type { GenerateResult, Spent, TracePoint } from './result.js';

/** The standing of a candidate among those that it is compared with. */
export type Standings = (candidate: Candidate) => Standing;

/** Compares all pictures of some searches with each other, each picture once. */
export function standingsOf(searches: readonly (readonly Candidate[])[], jury: Jury): Standings {
  const contest = new Contest(jury);
  const drawnBy = new Map<Candidate, Candidate>();
  for (const candidates of searches) {
    const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
    for (const candidate of candidates) {
      drawnBy.set(candidate, byId.get(candidate.sameAs ?? candidate.id) ?? candidate);
    }
    contest.enter(drawn(candidates));
  }
  return (candidate) => contest.standingOf(drawnBy.get(candidate) ?? candidate);
}

/** The candidates that were newly drawn. */
export function drawn(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(({ sameAs }) => sameAs === undefined);
}

/** The best of some candidates, the earliest of equals. */
export function bestOf(candidates: readonly Candidate[], standings: Standings): Candidate | undefined {
  return drawn(candidates).reduce<Candidate | undefined>((best, each) => {
    return best && heightOf(standings(best)) >= heightOf(standings(each)) ? best : each;
  }, undefined);
}

/** The best standing so far at every point of a search, which never falls: the standings are those of all its pictures. */
export function traceOf(
  spent: readonly Spent[],
  candidates: readonly Candidate[],
  standings: Standings,
): readonly TracePoint[] {
  const all = drawn(candidates);
  let seen = 0;
  let best: Standing | null = null;
  return spent.flatMap(({ images, nfe, forwards, tokens, milliseconds }) => {
    for (const standing of all.slice(seen, images).map(standings)) {
      if (!best || heightOf(standing) > heightOf(best)) best = standing;
    }
    seen = images;
    return best ? [{ images, nfe, forwards, tokens, milliseconds, best }] : [];
  });
}

/** The candidates that something was drawn from, and the winner. */
export function keptOf({ fates, winner }: Pick<GenerateResult, 'fates' | 'winner'>): ReadonlySet<number> {
  return new Set([...fates.filter(({ copies }) => copies > 0).map(({ id }) => id), winner.id]);
}

/** The fates by candidate. */
export function fatesById(fates: readonly Fate[]): ReadonlyMap<number, Fate> {
  return new Map(fates.map((fate) => [fate.id, fate]));
}
