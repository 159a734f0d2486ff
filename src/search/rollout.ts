// How far candidates are completed before they are judged. A smaller picture's schedule is the beginning of the larger one's, so that
// a rollout that stops early is a whole picture of a smaller size (PAPER.md): a preview.

import { UsageError } from '../core/errors.js';
import { value } from '../core/options.js';
import type { Schedule } from '../models/contract.js';

/**
 * 'full': all steps. 'preview:N': steps 1 to N, decoded at their own size; candidates are drawn there alone, and the winner is
 * completed. 'none': no further than what a candidate fixes, decoded at the last size (the beam of SoTo, arXiv 2604.15453).
 */
export type Rollout = 'full' | 'none' | `preview:${number}`;

const PREVIEW = /^preview:([1-9]\d{0,5})$/;

const isRollout = (given: unknown): boolean =>
  given === 'full' || given === 'none' || (typeof given === 'string' && PREVIEW.test(given));

/** The option for it. */
export const ROLLOUT = value<Rollout>(
  'how candidates are completed to be judged: full; preview:N to stop at step N and complete the winner alone; none',
  isRollout,
  "'full', 'none' or 'preview:N', where N is the number of a step",
  { kind: 'text', usual: 'full', placeholder: 'how' },
);

/** As a size of a search: nothing is said where rollouts are full, so that recipes of such searches stay what they were. */
export interface RolloutSize {
  readonly rollout?: Exclude<Rollout, 'full'>;
}

/** The size that was asked for. Throws a UsageError where a preview has no step to stop at, or none to complete. */
export function rolloutSize(rollout: Rollout = 'full', { unit, steps }: Schedule): RolloutSize {
  if (rollout === 'full') return {};
  const last = steps.length;
  if (rollout === 'none' || Number(PREVIEW.exec(rollout)?.[1]) < last) return { rollout };
  const most = last > 1 ? `preview:1 to preview:${last - 1} stop before the last, ` : '';
  throw new UsageError(
    `option 'rollout' is '${rollout}', but the model has ${last} ${unit}${last === 1 ? '' : 's'}: ${most}'full' goes to its end`,
  );
}

/** The same of any search: full where its strategy takes no such option. */
export function rolloutOf(sizes: RolloutSize | object): RolloutSize {
  return 'rollout' in sizes ? sizes : {};
}

/** The step that all rollouts of a search stop at; 'none' where there are none, undefined where they are full. */
export function untilOf({ rollout }: RolloutSize): number | 'none' | undefined {
  return rollout === undefined || rollout === 'none' ? rollout : Number(PREVIEW.exec(rollout)?.[1]);
}

/** The steps at which such a search draws candidates. */
export function searchedSteps(size: RolloutSize, { steps }: Schedule): Schedule['steps'] {
  const until = untilOf(size);
  return typeof until === 'number' ? steps.slice(0, until) : steps;
}

/** In words, for example "previews of 7"; nothing for full rollouts. */
export function rolloutWords(size: RolloutSize): string {
  const until = untilOf(size);
  if (until === undefined) return '';
  return until === 'none' ? 'no rollouts' : `judged by previews of ${until}`;
}
