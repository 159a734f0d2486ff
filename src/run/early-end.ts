// Ends of a search before all of it is done: by a time, by a score that was reached, or since somebody asked for it.

import { UsageError } from '../core/errors.js';
import type { JuryRoom } from '../engine/jury.js';
import { isRelative } from '../verifiers/jury.js';
import { parseStopAt } from './options.js';
import type { EndedBy } from './result.js';

/** The score at which a search is to end; null for none. Throws a UsageError for what can never be reached. */
export function endScore(given: unknown, { jury, most }: JuryRoom): number | null {
  const asked = parseStopAt(given);
  if (asked === null) return null;
  if (isRelative(jury)) {
    throw new UsageError(
      "option 'stopAt' is for one verifier or a weighted sum: a mean rank or a z-score is no score that could be reached",
    );
  }
  const names = jury.judges.join(', ');
  if (asked === 'most' && most === null) {
    throw new UsageError(`option 'stopAt' must be a number: ${names} tells no highest score`);
  }
  const score = asked === 'most' ? (most ?? NaN) : asked;
  if (most === null || score <= most) return score;
  throw new UsageError(`option 'stopAt' is ${score}, but ${names} gives at most ${most}`);
}

/** Ends a search early, by a signal; a deadline not before there is a picture to give. */
export class EarlyEnd {
  readonly #controller = new AbortController();
  #by: EndedBy | null = null;
  #allowed = false;
  #held = false;

  /** What has ended the search, or will. */
  get by(): EndedBy | null {
    return this.#by;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  ask(by: EndedBy): void {
    this.#by ??= by;
    if (!this.#held && (this.#allowed || by === 'stop')) this.#controller.abort();
  }

  /** From now on the search takes no longer than an end would: the best of its previews is completed in any case. */
  hold(): void {
    this.#held = true;
  }

  /** From now on there is a picture. */
  allow(): void {
    this.#allowed = true;
    if (this.#by !== null) this.#controller.abort();
  }
}
