// Scores as plain data: what `varsearch score --json` prints.

import type { LedgerRecord } from '../core/ledger.js';
import { VERSION } from '../engine/versions.js';
import type { Jury } from '../verifiers/jury.js';
import type { ScoredFile, ScoreResult } from './score.js';

/** The layout of printed scores. */
export interface ScoreJson {
  readonly format: 2;
  /** The version that scored. */
  readonly varsearch: string;
  readonly jury: Jury;
  /** Best first within each prompt, unless they were asked for in the order given. */
  readonly pictures: readonly Omit<ScoredFile, 'index'>[];
  readonly ledger: LedgerRecord;
}

/** The pictures of a result, all or some, as plain data. */
export function scoreJson({ jury, ledger }: ScoreResult, pictures: readonly ScoredFile[]): ScoreJson {
  return {
    format: 2,
    varsearch: VERSION,
    jury,
    pictures: pictures.map(({ image, prompt, place, best, standing, scores }) => ({
      image,
      prompt,
      place,
      best,
      standing,
      scores,
    })),
    ledger,
  };
}
