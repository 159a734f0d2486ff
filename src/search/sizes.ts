// The sizes of a search: what is assumed, what may be asked for, and how a budget is turned into sizes.

import { UsageError } from '../core/errors.js';
import { choice, listed, type OptionsOf, toggle, whole, wholes, wrongOption } from '../core/options.js';
import type { Schedule } from '../models/contract.js';
import type { Needs } from './contract.js';
import { costOf, type DrawnAt, type Estimate } from './cost.js';
import type { RoundSize } from './memory.js';

/** Which picture a search by steps gives: the best of all rollouts, or the best of the last round. */
export const RESULT_CHOICES = ['best', 'last-round'] as const;

/** Defaults that strategies share; all of them cost about what the default beam search costs, in NFE, but for particles. */
export const DEFAULTS = { width: 3, candidates: 5, keepElected: false, result: 'best' } as const;

/** More candidates than this in one round are taken for a mistake. */
export const MOST_CANDIDATES = 1_000_000;

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
  keepElected: toggle('the elected rollout is a candidate of the next round, at no cost'),
  result: choice('the best of all rollouts, or of the last round', RESULT_CHOICES, {
    usual: DEFAULTS.result,
  }),
};

/** What a caller may say about a search that elects candidates step by step. */
export type StepwiseGiven = OptionsOf<typeof STEPWISE_OPTIONS>;

/** Sizes of such a search. */
export interface StepwiseSizes {
  /** Candidates per beam at every step. */
  readonly candidates: readonly number[];
  readonly keepElected: boolean;
  readonly result: (typeof RESULT_CHOICES)[number];
}

/** The sizes of a search of `width` beams, where nothing is said with `usual` candidates each. */
export function stepwiseSizes(
  given: StepwiseGiven,
  schedule: Schedule,
  { width, usual }: { readonly width: number; readonly usual: number },
): StepwiseSizes {
  const { candidates, budget, keepElected = DEFAULTS.keepElected, result = DEFAULTS.result } = given;
  exclusive({ candidates, budget });
  const { steps } = schedule;
  const price = (each: number): number =>
    costOf(roundsOf({ candidates: usualCandidates(each, schedule), keepElected }, width, schedule), schedule)
      .nfe;
  const perStep =
    candidates === undefined
      ? usualCandidates(
          budget === undefined ? usual : bought(budget, { price, keepElected }, schedule),
          schedule,
        )
      : countsPerStep(candidates, 'candidates', schedule);
  if (keepElected && steps.length > 1 && perStep.every((number) => number === 1)) {
    throw new UsageError(
      `option 'keepElected' needs at least 2 candidates at some ${schedule.unit}: one candidate would only ever be the elected rollout`,
    );
  }
  const most = width * Math.max(...perStep);
  if (most > MOST_CANDIDATES) throw tooMany(most);
  return { candidates: perStep, keepElected, result };
}

/**
 * The steps of every round of such a search, from 1: one that draws, and those after it that do not. An idle step by itself would be a
 * round of pictures that were judged already.
 */
export function stepsOfRounds({
  steps,
}: Schedule): readonly { readonly first: number; readonly last: number }[] {
  const starts = steps.flatMap(({ draws }, index) => (draws || index === 0 ? index + 1 : []));
  return starts.map((first, i) => ({ first, last: (starts[i + 1] ?? steps.length + 1) - 1 }));
}

/** Where nobody lists candidates: several where a step draws, one where it does not, since they would all be the same. */
export function usualCandidates(count: number, schedule: Schedule): readonly number[] {
  return schedule.steps.map(({ draws }) => (draws || !electsByStep(schedule) ? count : 1));
}

/** Whether steps after the first draw, so that there is something to elect step by step. */
export function electsByStep({ steps }: Schedule): boolean {
  return steps.length === 1 || steps.some(({ draws }, index) => index > 0 && draws);
}

/** How many candidates a step a budget buys: every further one costs the same. */
function bought(
  budget: number,
  { price, keepElected }: { readonly price: (each: number) => number; readonly keepElected: boolean },
  { steps }: Schedule,
): number {
  const each = price(2) - price(1);
  // A kept rollout stands for one candidate of every beam in every round but the first.
  const least = keepElected && steps.length > 1 ? 2 : 1;
  return affordable(budget, { each, free: each - price(1), least });
}

/** The candidates that such a search newly draws, round by round. */
export function roundsOf(
  {
    candidates,
    keepElected = false,
  }: { readonly candidates: readonly number[]; readonly keepElected?: boolean },
  width: number,
  schedule: Schedule,
): DrawnAt[] {
  return stepsOfRounds(schedule).map(({ first }, index) => {
    const inherited = keepElected && index > 0 ? 1 : 0;
    return { step: first, drawn: width * ((candidates[first - 1] ?? 1) - inherited) };
  });
}

/** The cost of such a search. */
export function stepwiseCost(sizes: StepwiseSizes, width: number, schedule: Schedule): Estimate {
  return costOf(roundsOf(sizes, width, schedule), schedule);
}

/** The rounds of such a search, for what it holds. */
export function stepwiseRounds(
  { candidates, keepElected }: StepwiseSizes,
  width: number,
  schedule: Schedule,
): RoundSize[] {
  return stepsOfRounds(schedule).map(({ first, last }, index) => ({
    beams: index === 0 ? 1 : width,
    from: first - 1,
    step: last,
    until: schedule.steps.length,
    candidates: width * (candidates[first - 1] ?? 1),
    elect: width,
    keepElected,
  }));
}

/** Elected prefixes end with their step: candidates have to be told apart by what it draws. The first come from one prefix. */
export function stepwiseNeeds({ candidates }: StepwiseSizes, width = 1): Needs {
  const forks = candidates.map((count, index) => {
    return { from: index + 1, until: index + 1, candidates: index === 0 ? count * width : count };
  });
  return { forks };
}

/** What the default beam search costs, in NFE. */
export function usualBudget(schedule: Schedule): number {
  const candidates = usualCandidates(DEFAULTS.candidates, schedule);
  return costOf(roundsOf({ candidates }, DEFAULTS.width, schedule), schedule).nfe;
}

interface Price {
  /** Evaluations that one unit costs. */
  readonly each: number;
  /** Evaluations that need not be paid for. */
  readonly free: number;
  /** The fewest units that make a search. */
  readonly least: number;
}

/** How many units a budget buys. */
export function affordable(budget: number, { each, free, least }: Price): number {
  const bought = Math.floor((budget + free) / each);
  if (bought < least) {
    throw new UsageError(
      `a budget of ${budget} function evaluations is too small for this search: it needs at least ${least * each - free}`,
    );
  }
  if (bought > MOST_CANDIDATES) throw tooMany(bought);
  return bought;
}

/** Numbers of candidates for every step, of an option that gives one for all or one for each. */
export function countsPerStep(
  given: number | readonly number[],
  option: string,
  { unit, steps }: Schedule,
): readonly number[] {
  const list = typeof given === 'number' ? steps.map(() => given) : given;
  if (list.length !== steps.length) {
    throw new UsageError(
      `option '${option}' lists ${list.length} numbers, but the model has ${steps.length} ${unit}s: ` +
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

function tooMany(value: number): UsageError {
  return new UsageError(`${value} candidates in one round are too many: at most ${MOST_CANDIDATES}`);
}

/** Such sizes in words, for example "5 candidates, elected rollouts kept". */
export function stepwiseWords({ candidates, keepElected, result }: StepwiseSizes): string {
  return [
    `${listed(candidates)} candidate${candidates.every((count) => count === 1) ? '' : 's'}`,
    keepElected ? 'elected rollouts kept' : '',
    result === 'best' ? '' : 'best of the last round',
  ]
    .filter((words) => words !== '')
    .join(', ');
}
