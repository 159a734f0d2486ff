// The sizes of a search: what is assumed, what may be asked for, and how a budget is turned into sizes.

import { UsageError } from '../core/errors.js';
import {
  choice,
  listed,
  type OptionsOf,
  type OptionValues,
  toggle,
  whole,
  wholes,
  wrongOption,
} from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import { MOST_CANDIDATES, spend, tooMany } from './budget.js';
import type { Needs } from './contract.js';
import { costOf, type DrawnAt, type Estimate } from './cost.js';
import { completionRound, type RoundSize } from './memory.js';
import { ROLLOUT, type RolloutSize, rolloutSize, rolloutWords, searchedSteps, untilOf } from './rollout.js';

/** Which picture a search by steps gives: the best of all rollouts, or the best of the last round. */
export const RESULT_CHOICES = ['best', 'last-round'] as const;

/**
 * Defaults that strategies share; all of them cost about what the default beam search costs, in NFE, but for particles. Beam search
 * keeps the elected rollouts, which docs/evidence.md found to be better at equal cost than the paper's drawing them anew.
 */
export const DEFAULTS = { width: 3, candidates: 5, result: 'best' } as const;

/** The option that gives a strategy its sizes by what they cost. */
export const BUDGET = whole('function evaluations to spend: the sizes follow from it', 1, {
  placeholder: 'nfe',
  expected: 'a whole number of function evaluations, at least 1',
});

/** The options of a search that elects candidates step by step. */
export const STEPWISE_OPTIONS = {
  candidates: wholes('candidates per beam, one number or one per step: 5 or 5,5,4', 1, {
    usual: '5 per beam, 15 for gto',
  }),
  budget: BUDGET,
  keepElected: toggle('the elected rollout is a candidate of the next round, at no cost', {
    usual: 'for beam, where rollouts are drawn',
  }),
  paper: toggle("by the paper's rule: every round draws all of its rollouts anew"),
  result: choice('the best of all rollouts, or of the last round', RESULT_CHOICES, {
    usual: DEFAULTS.result,
  }),
  rollout: ROLLOUT,
};

/** What a caller may say about a search that elects candidates step by step. */
export type StepwiseGiven = OptionsOf<typeof STEPWISE_OPTIONS>;

/** Sizes of such a search. */
export interface StepwiseSizes extends RolloutSize {
  /** Candidates per beam at every step that they are drawn at. */
  readonly candidates: readonly number[];
  readonly keepElected: boolean;
  readonly result: (typeof RESULT_CHOICES)[number];
}

/** What a strategy assumes where nothing is said. */
interface StepwiseUsual {
  readonly width: number;
  /** Candidates of each beam. */
  readonly usual: number;
  /** Whether elected rollouts are kept where they can be. */
  readonly keeps: boolean;
}

/** The sizes of a search of `width` beams, where nothing is said with `usual` candidates each. */
export function stepwiseSizes(
  given: StepwiseGiven,
  schedule: Schedule,
  { width, usual, keeps }: StepwiseUsual,
): StepwiseSizes {
  const { candidates, budget, paper, result = DEFAULTS.result } = given;
  exclusive({ candidates, budget });
  if (paper === true) exclusive({ paper, keepElected: given.keepElected });
  const asked = paper === true ? false : given.keepElected;
  const rollout = rolloutSize(given.rollout, schedule);
  if (asked === true && rollout.rollout === 'none') {
    throw new UsageError(
      "option 'keepElected' keeps rollouts: without any ('rollout' is 'none') there is nothing to keep",
    );
  }
  if (budget !== undefined && !electsByStep(schedule)) {
    throw new UsageError(
      `only the first ${schedule.unit} draws random numbers, so that there is nothing to elect after it: ` +
        'let the model draw later too (by a solver that draws), or search at random',
    );
  }
  const steps = searchedSteps(rollout, schedule);
  const sizesOf = (keepElected: boolean): StepwiseSizes => {
    const sizes = { keepElected, result, ...rollout };
    const nfeOf = (counts: readonly number[]): number =>
      stepwiseCost({ ...sizes, candidates: counts }, width, schedule).nfe;
    const perStep =
      budget !== undefined
        ? spend(budget, steps, { nfeOf, idle: keepElected && steps.length > 1 })
        : candidates === undefined
          ? usualCandidates(usual, schedule, steps)
          : countsPerStep(candidates, 'candidates', schedule, steps.length);
    return { candidates: perStep, ...sizes };
  };
  let sizes = sizesOf(asked ?? (keeps && canKeep(rollout, steps)));
  // One candidate each would only ever be the kept rollouts.
  if (sizes.keepElected && steps.length > 1 && sizes.candidates.every((number) => number === 1)) {
    if (asked === true) {
      throw new UsageError(
        `option 'keepElected' needs at least 2 candidates at some ${schedule.unit}: one candidate would only ever be the elected rollout`,
      );
    }
    sizes = sizesOf(false);
  }
  const most = width * Math.max(...sizes.candidates);
  if (most > MOST_CANDIDATES) throw tooMany(most);
  return sizes;
}

/** Whether a search has rollouts that a later round can take over. */
function canKeep({ rollout }: RolloutSize, steps: Schedule['steps']): boolean {
  return rollout !== 'none' && steps.length > 1;
}

/**
 * The steps of every round of such a search, from 1: one that draws, and those after it that do not. An idle step by itself would be a
 * round of pictures that were judged already.
 */
export function stepsOfRounds(
  size: RolloutSize,
  schedule: Schedule,
): readonly { readonly first: number; readonly last: number }[] {
  const steps = searchedSteps(size, schedule);
  const starts = steps.flatMap(({ draws }, index) => (draws || index === 0 ? index + 1 : []));
  return starts.map((first, i) => ({ first, last: (starts[i + 1] ?? steps.length + 1) - 1 }));
}

/** Where nobody lists candidates: several where a step draws, one where it does not, since they would all be the same. */
export function usualCandidates(
  count: number,
  schedule: Schedule,
  steps: Schedule['steps'] = schedule.steps,
): readonly number[] {
  return steps.map(({ draws }) => (draws || !electsByStep(schedule) ? count : 1));
}

/** Whether steps after the first draw, so that there is something to elect step by step. */
export function electsByStep({ steps }: Schedule): boolean {
  return steps.length === 1 || steps.some(({ draws }, index) => index > 0 && draws);
}

/** The candidates that such a search newly draws, round by round; the winner that is completed after previews comes last. */
export function roundsOf(
  {
    candidates,
    keepElected = false,
    ...size
  }: { readonly candidates: readonly number[]; readonly keepElected?: boolean } & RolloutSize,
  width: number,
  schedule: Schedule,
): DrawnAt[] {
  const until = untilOf(size);
  const rounds = stepsOfRounds(size, schedule).map(({ first, last }, index): DrawnAt => {
    const inherited = keepElected && index > 0 ? 1 : 0;
    const drawn = width * ((candidates[first - 1] ?? 1) - inherited);
    const judged = until === 'none' ? last : until;
    return {
      step: first,
      drawn,
      beams: index > 0 ? width : 1,
      ...(judged === undefined ? {} : { until: judged }),
    };
  });
  return typeof until === 'number' ? [...rounds, { step: until + 1, drawn: 1 }] : rounds;
}

/** The cost of such a search. */
export function stepwiseCost(
  sizes: Pick<StepwiseSizes, 'candidates' | 'keepElected' | 'rollout'>,
  width: number,
  schedule: Schedule,
): Estimate {
  return costOf(roundsOf(sizes, width, schedule), schedule);
}

/** The rounds of such a search, for what it holds. */
export function stepwiseRounds(
  { candidates, keepElected, ...size }: StepwiseSizes,
  width: number,
  schedule: Schedule,
): RoundSize[] {
  const until = untilOf(size);
  const whole = schedule.steps.length;
  let previewsBefore = 0;
  const rounds = stepsOfRounds(size, schedule).map(({ first, last }, index): RoundSize => {
    const total = width * (candidates[first - 1] ?? 1);
    const round = {
      beams: index === 0 ? 1 : width,
      from: first - 1,
      step: last,
      until: until === 'none' ? last : (until ?? whole),
      candidates: total,
      elect: width,
      keepElected,
      ...(until === 'none' ? { size: whole } : {}),
      ...(typeof until === 'number' ? { previewsBefore } : {}),
    };
    previewsBefore += total;
    return round;
  });
  return typeof until === 'number' ? [...rounds, completionRound(until, schedule)] : rounds;
}

/** Elected prefixes end with their step: candidates have to be told apart by what it draws. The first come from one prefix. */
export function stepwiseNeeds({ candidates }: StepwiseSizes, width = 1): Needs {
  const forks = candidates.map((count, index) => {
    return { from: index + 1, until: index + 1, candidates: index === 0 ? count * width : count };
  });
  return { forks };
}

/** What the default beam search costs, in NFE. */
export function usualBudget(schedule: Schedule, size: RolloutSize = {}): number {
  const steps = searchedSteps(size, schedule);
  const candidates = usualCandidates(DEFAULTS.candidates, schedule, steps);
  const keepElected = canKeep(size, steps);
  return costOf(roundsOf({ candidates, keepElected, ...size }, DEFAULTS.width, schedule), schedule).nfe;
}

/** Numbers of candidates for every step that some are drawn at, of an option that gives one for all or one for each. */
export function countsPerStep(
  given: number | readonly number[],
  option: string,
  { unit, steps }: Schedule,
  count = steps.length,
): readonly number[] {
  const list = typeof given === 'number' ? Array<number>(count).fill(given) : given;
  if (list.length !== count) {
    const where = count === steps.length ? 'the model has' : 'previews are of';
    throw new UsageError(
      `option '${option}' lists ${list.length} numbers, but ${where} ${count} ${unit}s: ` +
        `give one number per ${unit}, or one for all`,
    );
  }
  return list.map((number) => checkCount(number, option));
}

/** A number of candidates that can be meant. */
export function checkCount(value: number, option: string): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw wrongOption(option, 'a whole number of at least 1', value);
  }
  if (value > MOST_CANDIDATES) throw tooMany(value);
  return value;
}

/** Throws a UsageError where more than one of some options is given. */
export function exclusive(options: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    throw new UsageError(
      `give one of ${given.map(([name]) => `'${name}'`).join(' and ')}, not both: one follows from the other`,
    );
  }
}

/** Resolved sizes as somebody says them: `keepElected: false` is the paper's rule. */
export function saidSizes(sizes: OptionValues): OptionValues {
  return Object.fromEntries(
    Object.entries(sizes).map(([name, value]) =>
      name === 'keepElected' && value === false ? ['paper', true] : [name, value],
    ),
  );
}

/** Such sizes in words, for example "5 candidates, elected rollouts kept". */
export function stepwiseWords({ candidates, keepElected, result, ...size }: StepwiseSizes): string {
  return [
    `${listed(candidates)} candidate${candidates.every((count) => count === 1) ? '' : 's'}`,
    keepElected ? 'elected rollouts kept' : '',
    result === 'best' ? '' : 'best of the last round',
    rolloutWords(size),
  ]
    .filter((words) => words !== '')
    .join(', ');
}
