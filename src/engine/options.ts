// The options of a run: their names, their defaults, and the one place where they are checked. What a search's sizes
// (width, candidates, budget and so on) may be depends on the schedule: search/registry.ts checks and resolves those.

import { UsageError } from '../core/errors.js';
import { given } from '../core/given.js';
import {
  type Check,
  checkOptions,
  isNumber,
  isObject,
  isText,
  perScale,
  PROMPT_RULE,
  type Rule,
  type Rules,
  SIGNAL_RULE,
} from '../core/option-rules.js';
import type { ImageModel } from '../models/contract.js';
import type { ResolvedSearch, SearchOptions, StrategyName } from '../search/registry.js';
import { STRATEGIES } from '../search/registry.js';
import { ENSEMBLE_RULES, type EnsembleOptions, type ResolvedEnsemble } from '../verifiers/ensemble.js';
import { parseMemory } from './memory.js';
import { checkVerifierOptions, listVerifiers, type VerifierOption } from './verifier-options.js';

/** Which verifiers are loaded, and how they judge together. */
export interface JudgeOptions {
  /**
   * A name from `varsearch verifiers`, or a loaded verifier, or several, also as 'a,b,c', which judge as an ensemble.
   * @default the model's own, 'clip-score' where there is no model or it was handed in
   */
  readonly verifier?: VerifierOption | undefined;
  /** How several verifiers' scores become one, and their weights. @default by rank, with equal weights */
  readonly ensemble?: EnsembleOptions | undefined;
  /** Threads of the engine. @default as many as the machine has cores */
  readonly threads?: number | undefined;
}

/** What is loaded before a run, and can be kept for several. */
export interface OpenOptions extends JudgeOptions {
  /** A name from `varsearch models`, or a loaded model. @default 'toybox' */
  readonly model?: string | ImageModel | undefined;
  /**
   * Verifiers that score the winner and the first round's pictures after the search, as `verifier` takes them;
   * 'ensemble-members' (in a list too) for all installed ones of the model's world that do not guide it, without the oracle.
   * @default none
   */
  readonly report?: VerifierOption | undefined;
  /** Memory for keys and values, in bytes or as '2GB'. @default the model's own choice */
  readonly memory?: number | string | undefined;
}

/** How one picture is searched for. */
export interface PictureOptions extends SearchOptions {
  readonly prompt: string;
  /** Root of all random numbers: a whole number from 0 to 2^53 - 1. @default 0 */
  readonly seed?: number | undefined;
  /** Guidance scale, for all scales or per scale. @default the model's own */
  readonly cfg?: number | readonly number[] | undefined;
  /** Sampling temperature, for all scales or per scale. @default the model's own */
  readonly temperature?: number | readonly number[] | undefined;
  /** Keep the k likelier of a bit's two values: 0 keeps both, 1 is greedy. @default 0 */
  readonly topK?: number | undefined;
  /** Nucleus sampling over a bit's two values, 0 to 1; 0 and 1 keep both. @default 0 */
  readonly topP?: number | undefined;
  /** Picture size by its official name, such as '0.25M', for models that have several. @default the model's own */
  readonly size?: string | undefined;
  /** Height over width, for models that have several; the nearest official ratio is taken. @default the model's own */
  readonly aspectRatio?: number | undefined;
  /** Cancels the run, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Everything that a search for one picture may be told. */
export type GenerateOptions = OpenOptions & PictureOptions;

/** How a comparison of strategies is told about the picture: the budget gives their sizes. */
export interface ComparePictureOptions extends Omit<PictureOptions, 'strategy' | 'candidates' | 'images'> {
  /** Function evaluations (NFE) that each strategy may spend. */
  readonly budget: number;
  /** @default all of them */
  readonly strategies?: readonly StrategyName[] | undefined;
}

/** Everything that a comparison may be told. */
export type CompareOptions = OpenOptions & ComparePictureOptions;

/** The options that make a picture what it is, with every default filled in. */
export interface ResolvedOptions {
  readonly prompt: string;
  readonly model: string;
  /** A name, or the names of an ensemble's members as 'a,b,c'. */
  readonly verifier: string;
  /** How the members' scores become one; null for a single verifier. */
  readonly ensemble: ResolvedEnsemble | null;
  readonly seed: number;
  /** null: the model's own default, which it does not tell. */
  readonly cfg: number | readonly number[] | null;
  readonly temperature: number | readonly number[] | null;
  readonly topK: number;
  readonly topP: number;
  /** null: the model's own. */
  readonly size: string | null;
  readonly aspectRatio: number | null;
  readonly search: ResolvedSearch;
}

/** Every default of a run that is not the model's or the strategy's own. */
export const DEFAULTS = { model: 'toybox', verifier: 'clip-score', seed: 0, topK: 0, topP: 0 } as const;

const isVerifiers: Check = (value) =>
  (Array.isArray(value) && value.length > 0 ? value : [value]).every(
    (each: unknown) => isText(each) || (isObject(each) && !Array.isArray(each)),
  );
const isEnsembleOption: Check = (value) =>
  isObject(value) &&
  Object.entries(value as object).every(([name, each]: [string, unknown]) => {
    if (name === 'by') return each === undefined || (ENSEMBLE_RULES as readonly unknown[]).includes(each);
    return name === 'weights' && (each === undefined || (Array.isArray(each) && each.every(isNumber)));
  });

/** The rules of verifiers, for whatever uses them. */
export const JUDGE_RULES = {
  verifier: [isVerifiers, 'a name, a loaded verifier, or a list of them'],
  ensemble: [
    isEnsembleOption,
    `one of ${ENSEMBLE_RULES.join(', ')} ('by') and a list of numbers ('weights')`,
  ],
  threads: [(value) => Number.isSafeInteger(value) && Number(value) >= 1, 'a whole number of at least 1'],
} satisfies Rules<JudgeOptions>;

const OPEN_RULES = {
  model: [(value) => isText(value) || isObject(value), 'a name or a loaded model'],
  ...JUDGE_RULES,
  report: [isVerifiers, "'ensemble-members', a name, a loaded verifier, or a list of them"],
  memory: [(value) => parseMemory(value) !== null, "bytes, or a size such as '2GB'"],
} satisfies Rules<OpenOptions>;

/** For options whose values resolveSearch checks, against the schedule. */
const LATER: Rule = [() => true, 'what the strategy takes'];

const COMMON_RULES = {
  prompt: PROMPT_RULE,
  seed: [(value) => Number.isSafeInteger(value) && Number(value) >= 0, 'a whole number from 0 to 2^53 - 1'],
  cfg: [perScale(isNumber), 'a number, or one per scale'],
  temperature: [perScale((value) => isNumber(value) && value > 0), 'a number above 0, or one per scale'],
  topK: [(value) => Number.isSafeInteger(value) && Number(value) >= 0, 'a whole number of at least 0'],
  topP: [(value) => isNumber(value) && value >= 0 && value <= 1, 'a number from 0 to 1'],
  size: [isText, 'the name of a size'],
  aspectRatio: [(value) => isNumber(value) && value > 0, 'a number above 0 (height over width)'],
  signal: SIGNAL_RULE,
  width: LATER,
  budget: LATER,
  keepElected: LATER,
  result: LATER,
} satisfies Rules<Omit<PictureOptions, 'strategy' | 'candidates' | 'images'>>;

const PICTURE_RULES = {
  ...COMMON_RULES,
  strategy: LATER,
  candidates: LATER,
  images: LATER,
} satisfies Rules<PictureOptions>;

const COMPARE_RULES = {
  ...COMMON_RULES,
  strategies: [
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((name) => STRATEGIES.includes(name as StrategyName)),
    `a list of ${STRATEGIES.join(', ')}`,
  ],
} satisfies Rules<ComparePictureOptions>;

/** The names of all options, for programs that turn messages about them into their own words. */
export const OPTION_NAMES: readonly string[] = Object.keys({
  ...OPEN_RULES,
  ...PICTURE_RULES,
  ...COMPARE_RULES,
});

/** Options with those of loading apart from those of the picture. */
export interface SplitOptions<Picture> {
  readonly open: OpenOptions;
  readonly picture: Picture;
}

function split<Picture>(options: OpenOptions & Picture): SplitOptions<Omit<Picture, keyof OpenOptions>> {
  const { model, verifier, ensemble, report, threads, memory, ...picture } = options;
  return { open: checkOpenOptions(given({ model, verifier, ensemble, report, threads, memory })), picture };
}

/** Options that would do nothing are refused: what is loaded already keeps its threads and its memory. */
function refuseForLoaded(name: 'memory' | 'threads', loaded: boolean): void {
  if (!loaded) return;
  throw new UsageError(`option '${name}' is for what is loaded by name; what is loaded already has its own`);
}

/** Checks what verifiers may be told, beyond their rules; `others` are loaded with them. */
export function checkJudges(options: JudgeOptions, ...others: readonly unknown[]): void {
  checkVerifierOptions(options);
  const { verifier = DEFAULTS.verifier, threads } = options;
  const loaded = [...listVerifiers(verifier, 'verifier'), ...others].every(isObject);
  if (threads !== undefined) refuseForLoaded('threads', loaded);
}

/** Checks the options of loading; throws a UsageError that names the first fault. */
export function checkOpenOptions(options: OpenOptions): OpenOptions {
  checkOptions(options, OPEN_RULES);
  const { model, report, memory } = options;
  if (memory !== undefined) refuseForLoaded('memory', isObject(model));
  checkJudges(options, model, ...(report === undefined ? [] : listVerifiers(report, 'report')));
  return options;
}

/** Checks the options of one picture; throws a UsageError that names the first fault. */
export function checkPictureOptions(options: PictureOptions): PictureOptions {
  checkOptions(options, PICTURE_RULES, ['prompt']);
  return options;
}

/** Checks the options of a comparison; throws a UsageError that names the first fault. */
export function checkCompareOptions(options: ComparePictureOptions): ComparePictureOptions {
  checkOptions(options, COMPARE_RULES, ['prompt', 'budget']);
  return options;
}

/** Checks and parts the options of one picture and of loading. */
export function splitGenerateOptions(options: GenerateOptions): SplitOptions<PictureOptions> {
  checkOptions(options, { ...OPEN_RULES, ...PICTURE_RULES }, ['prompt']);
  return split<PictureOptions>(options);
}

/** Checks and parts the options of a comparison and of loading. */
export function splitCompareOptions(options: CompareOptions): SplitOptions<ComparePictureOptions> {
  checkOptions(options, { ...OPEN_RULES, ...COMPARE_RULES }, ['prompt', 'budget']);
  return split<ComparePictureOptions>(options);
}

/** The options that make the same picture again: what a recipe holds, as a caller would write it. */
export function asPictureOptions(resolved: ResolvedOptions): PictureOptions {
  const { prompt, seed, cfg, temperature, topK, topP, size, aspectRatio, search } = resolved;
  return {
    ...search,
    prompt,
    seed,
    topK,
    topP,
    cfg: cfg ?? undefined,
    temperature: temperature ?? undefined,
    size: size ?? undefined,
    aspectRatio: aspectRatio ?? undefined,
  };
}
