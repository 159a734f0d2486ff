// Candidates compared with each other by a jury's rule: their numbers, the best of them, and which of them may still be elected
// when others are to come. What comes out never depends on the groups in which candidates come in.
//
// A verifier that finds many pictures equally good says nothing about their order. The best of a search is the earliest of equals,
// but an election that went by order would fill a beam with the children of the first parent: of equals it takes those of
// whom the fewest siblings are elected, and among these those of the lowest key, a number drawn for every place in the search.

import { VarsearchError } from '../core/errors.js';
import {
  combine,
  isAhead,
  isRelative,
  type Jury,
  type Scores,
  type Standing,
  standingOf,
} from '../verifiers/jury.js';
import type { Candidate } from './contract.js';

/** Candidates that are compared with each other. */
export class Contest {
  readonly #jury: Jury;
  readonly #candidates: Candidate[] = [];
  /** What the rule makes of each, higher is better. */
  readonly #numbers = new Map<Candidate, number>();
  /** What decides between equal numbers, higher is better. */
  readonly #seconds = new Map<Candidate, number>();
  #best: Candidate | null = null;

  /** The number that decides between equals, the lowest first. */
  readonly #keyOf: (candidate: Candidate) => number;

  constructor(jury: Jury, keyOf: (candidate: Candidate) => number = ({ id }) => id) {
    this.#jury = jury;
    const keys = new Map<Candidate, number>();
    this.#keyOf = (candidate) => {
      const key = keys.get(candidate) ?? keyOf(candidate);
      keys.set(candidate, key);
      return key;
    };
  }

  /** Takes in candidates; where the rule is relative that changes the numbers of all. */
  enter(candidates: readonly Candidate[]): void {
    for (const candidate of candidates) this.#candidates.push(candidate);
    const relative = isRelative(this.#jury);
    const compared = relative ? this.#candidates : candidates;
    const scores = compared.map((candidate) => candidate.scores);
    const numbers = combine(scores, this.#jury);
    const seconds = this.#secondsOf(scores);
    if (relative) this.#best = null;
    for (const [i, candidate] of compared.entries()) {
      const number = numbers[i] ?? NaN;
      if (!Number.isFinite(number)) {
        throw new VarsearchError(
          `the verifiers' scores of a picture joined to ${number}: give smaller weights`,
        );
      }
      this.#numbers.set(candidate, number);
      this.#seconds.set(candidate, seconds[i] ?? 0);
      if (!this.#best || this.#compare(candidate, this.#best) < 0) this.#best = candidate;
    }
  }

  /**
   * Scores that are very near each other may round to the same z-score. Who is better with every judge has to come first all
   * the same, or it would depend on the groups who is still there to be elected: mean ranks decide.
   */
  #secondsOf(scores: readonly Scores[]): readonly number[] {
    return this.#jury.rule === 'z-score' ? combine(scores, { ...this.#jury, rule: 'rank' }) : [];
  }

  #compare(one: Candidate, other: Candidate): number {
    const [a = 0, b = 0] = [this.#seconds.get(one), this.#seconds.get(other)];
    return this.numberOf(other) - this.numberOf(one) || b - a;
  }

  /** What the rule makes of a candidate's scores, higher is better. */
  numberOf(candidate: Candidate): number {
    return this.#numbers.get(candidate) ?? NaN;
  }

  /** A candidate's standing among all that entered. */
  standingOf(candidate: Candidate): Standing {
    return standingOf(this.numberOf(candidate), this.#jury, this.#candidates.length);
  }

  /** The best candidate until now, the earliest of equals. */
  best(): Candidate {
    if (!this.#best) throw new RangeError('no candidate was judged yet');
    return this.#best;
  }

  /** Those that may still be the best when more are to come. */
  leaders(): ReadonlySet<Candidate> {
    return isRelative(this.#jury) ? this.contenders(1) : new Set([this.best()]);
  }

  /** All candidates, best first: the `elect` first are elected, in this order; the earliest of equals comes first after them. */
  ranking(elect = 0): readonly Candidate[] {
    const sorted = this.#candidates.toSorted((a, b) => this.#compare(a, b));
    const elected: Candidate[] = [];
    for (let start = 0; start < sorted.length && elected.length < elect;) {
      const end = this.#endOfEquals(sorted, start);
      elected.push(...this.#choose(sorted.slice(start, end), elect - start, elected));
      start = end;
    }
    const isElected = new Set(elected);
    return [...elected, ...sorted.filter((candidate) => !isElected.has(candidate))];
  }

  /** Where those end that are equal to the one at `start`. */
  #endOfEquals(sorted: readonly Candidate[], start: number): number {
    const first = sorted[start];
    let end = start + 1;
    for (let next = sorted[end]; first && next && this.#compare(first, next) === 0; next = sorted[end]) end++;
    return end;
  }

  /** Up to `count` of equals, by the fewest siblings elected before them and then by key. */
  #choose(equals: readonly Candidate[], count: number, elected: readonly Candidate[]): Candidate[] {
    if (equals.length === 1) return [...equals];
    const families = [...this.#families(equals)].map(([parent, children]) => {
      return { children, taken: elected.filter((each) => each.parent === parent).length };
    });
    const chosen: Candidate[] = [];
    while (chosen.length < Math.min(count, equals.length)) {
      let [best] = families;
      for (const family of families) {
        const [one, other] = [family.children[0], best?.children[0]];
        if (!one || !best || family === best) continue;
        const fewer = family.taken - best.taken;
        if (!other || fewer < 0 || (fewer === 0 && this.#keyOf(one) < this.#keyOf(other))) best = family;
      }
      const next = best?.children.shift();
      if (!best || !next) break;
      best.taken++;
      chosen.push(next);
    }
    return chosen;
  }

  /** Candidates by parent, those of the lowest keys first. */
  #families(candidates: readonly Candidate[]): ReadonlyMap<number, Candidate[]> {
    const families = new Map<number, { readonly candidate: Candidate; readonly key: number }[]>();
    for (const candidate of candidates) {
      const family = families.get(candidate.parent) ?? [];
      if (family.length === 0) families.set(candidate.parent, family);
      family.push({ candidate, key: this.#keyOf(candidate) });
    }
    return new Map(
      [...families].map(([parent, family]) => [
        parent,
        family.sort((a, b) => a.key - b.key).map(({ candidate }) => candidate),
      ]),
    );
  }

  /**
   * Those of the candidates so far that can still be among the `elect` elected when more are to come. Where the rule is relative,
   * the order of two candidates may turn with every newcomer, unless no judge finds the one worse: a candidate is out when
   * that many others are ahead of it for good.
   */
  contenders(elect: number): ReadonlySet<Candidate> {
    if (elect === 0) return new Set();
    if (!isRelative(this.#jury)) return this.#absoluteContenders(elect);
    const staying = this.#candidates.filter((candidate, index) => {
      let ahead = 0;
      for (let other = 0; other < this.#candidates.length && ahead < elect; other++) {
        const against = this.#candidates[other];
        if (
          other !== index &&
          against &&
          isAhead(against.scores, candidate.scores, this.#jury, this.#isBeforeSibling(against, candidate))
        ) {
          ahead++;
        }
      }
      return ahead < elect;
    });
    return new Set(staying);
  }

  /**
   * The better ones; and of those that are equal to the last, of every parent as many as may be elected: for the n-th of one
   * parent, each other one has n - 1 elected before, or all that it has here.
   */
  #absoluteContenders(elect: number): ReadonlySet<Candidate> {
    const sorted = this.ranking();
    const last = sorted[elect - 1];
    if (!last) return new Set(sorted);
    const better = sorted.filter((candidate) => this.#compare(candidate, last) < 0);
    const end = this.#endOfEquals(sorted, better.length);
    const equals = [...this.#families(sorted.slice(better.length, end)).values()];
    const others = (own: readonly Candidate[], count: number): number =>
      equals.reduce((sum, each) => sum + (each === own ? 0 : Math.min(count - 1, each.length)), 0);
    const mostOf = (own: readonly Candidate[]): number => {
      let count = Math.min(own.length, elect - better.length);
      while (count > 1 && count + others(own, count) > elect) count--;
      return count;
    };
    return new Set([...better, ...equals.flatMap((own) => own.slice(0, mostOf(own)))]);
  }

  /** Whether one sibling is preferred to another where their numbers are equal. */
  #isBeforeSibling(one: Candidate, other: Candidate): boolean {
    return one.parent === other.parent && this.#keyOf(one) < this.#keyOf(other);
  }
}
