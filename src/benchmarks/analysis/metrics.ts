// What pictures are measured by: the detector's verdict, and the scores of verifiers.

import { VERIFIERS } from '../../verifiers/catalog.js';
import type { Verdict } from '../record.js';
import type { CellRuns } from './join-runs.js';
import type { Writing } from './tables.js';

/** A measure of a picture. */
export interface Metric {
  /** 'right', or the name of a verifier. */
  readonly name: string;
  readonly title: string;
  readonly as: Writing;
  /** How differences of it are written. */
  readonly differenceAs: Writing;
  /** Null where it is not known. */
  readonly of: (verdict: Verdict) => number | null;
}

/** The detector's verdict: the share of right pictures. */
export const RIGHT: Metric = {
  name: 'right',
  title: 'right pictures',
  as: 'share',
  differenceAs: 'points',
  of: ({ right }) => (right === null ? null : Number(right)),
};

/** A verifier's scores. */
export function scoreOf(verifier: string): Metric {
  return {
    name: verifier,
    title: `score of ${verifier}`,
    as: 'score',
    differenceAs: 'difference',
    of: ({ scores }) => scores[verifier] ?? null,
  };
}

/** Names of the verifiers of a jury, as cells join them. */
export const judgesOf = (jury: string): readonly string[] => (jury === NO_JURY ? [] : jury.split('+'));

/** The control that scores by a keyed random number, and the detector as a verifier. */
export const COIN = 'coin';
export const ORACLE = 'oracle';
/** Who judges where there is nothing to choose. */
export const NO_JURY = 'none';

/** Verifiers that have scored all pictures of some cells, by name. */
export function verifiersOf(cells: readonly CellRuns[]): readonly string[] {
  const names = new Set<string>();
  for (const { pictures } of cells) {
    for (const { winner } of pictures) for (const name of Object.keys(winner.scores)) names.add(name);
  }
  names.delete(COIN);
  return [...names].sort();
}

/** Every measure that some picture has, the detector's first. */
export function metricsOf(cells: readonly CellRuns[]): readonly Metric[] {
  const isJudged = cells.some(({ pictures }) => pictures.some(({ winner }) => winner.right !== null));
  return [...(isJudged ? [RIGHT] : []), ...verifiersOf(cells).map(scoreOf)];
}

/** Marks of juries that the detector is no independent judge of. */
export const TAUGHT = '\u2020';
export const IS_DETECTOR = '\u2021';

/** What stands beside a figure that the detector judges, '' for an independent jury. */
export function markOf(jury: string): string {
  const judges = judgesOf(jury);
  if (judges.includes(ORACLE)) return IS_DETECTOR;
  const taught = VERIFIERS.filter(({ detectorLabels }) => detectorLabels === true).map(({ name }) => name);
  return judges.some((name) => taught.includes(name)) ? TAUGHT : '';
}

/** What the marks of some juries mean, as sentences. */
export function marksInWords(juries: readonly string[]): string {
  const marks = new Set(juries.map(markOf));
  return [
    marks.has(TAUGHT)
      ? `${TAUGHT} guided by a verifier that was trained with the detector's labels: the detector is no independent judge of what it chose.`
      : '',
    marks.has(IS_DETECTOR) ? `${IS_DETECTOR} guided by the detector itself: an upper bound, no result.` : '',
  ]
    .filter((words) => words !== '')
    .join(' ');
}
