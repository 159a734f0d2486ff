// Candidates compared with each other by a jury's rule: their numbers, the best of them, and which of them may still be elected
// when others are to come. What comes out never depends on the groups in which candidates come in.

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

  constructor(jury: Jury) {
    this.#jury = jury;
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

  /** All candidates, best first, the earliest of equals first. */
  ranking(): readonly Candidate[] {
    return this.#candidates.toSorted((a, b) => this.#compare(a, b));
  }

  /**
   * Those of the candidates so far that can still be among the `elect` best when more are to come. Where the rule is relative,
   * the order of two candidates may turn with every newcomer, unless no judge finds the one worse: a candidate is out when
   * that many others are ahead of it for good.
   */
  contenders(elect: number): ReadonlySet<Candidate> {
    if (elect === 0) return new Set();
    if (!isRelative(this.#jury)) return new Set(this.ranking().slice(0, elect));
    const staying = this.#candidates.filter((candidate, index) => {
      let ahead = 0;
      for (let other = 0; other < this.#candidates.length && ahead < elect; other++) {
        const against = this.#candidates[other];
        if (
          other !== index &&
          against &&
          isAhead(against.scores, candidate.scores, this.#jury, other < index)
        ) {
          ahead++;
        }
      }
      return ahead < elect;
    });
    return new Set(staying);
  }
}
