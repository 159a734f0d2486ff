// The options of what is opened before a run and can be kept for several: the model, the verifiers and how they judge together.

import { UsageError } from '../core/errors.js';
import {
  checkOptions,
  choice,
  isNumber,
  isObject,
  isText,
  type OptionsOf,
  text,
  value,
  whole,
} from '../core/options.js';
import { firstRepeated } from '../core/repeated.js';
import type { ImageModel } from '../models/contract.js';
import { PRECISION } from '../models/precision.js';
import { DEVICE_CHOICES, MOST_THREADS } from '../runtime/index.js';
import type { Verifier } from '../verifiers/contract.js';
import { JURY_RULES, resolveJury } from '../verifiers/jury.js';
import { parseMemory } from './memory.js';

/** Verifiers by name (a text may hold several, parted by commas) or loaded. */
export type VerifierOption = string | Verifier | readonly (string | Verifier)[];

/** The word for all installed verifiers of the model's world that do not guide the search, the oracle left out. */
export const ENSEMBLE_MEMBERS = 'ensemble-members';

const isVerifiers = (given: unknown): boolean =>
  (Array.isArray(given) && given.length > 0 ? given : [given]).every(
    (each: unknown) => isText(each) || (isObject(each) && !Array.isArray(each)),
  );
const areWeights = (given: unknown): boolean => Array.isArray(given) && given.every(isNumber);

/** Who judges. */
export const JUDGE_OPTIONS = {
  verifier: value<VerifierOption>(
    "judge of the pictures, or several as a,b,c; see 'varsearch verifiers'",
    isVerifiers,
    'a name, a loaded verifier, or a list of them',
    { kind: 'names', usual: "the model's" },
  ),
  ensemble: choice("how several judges' scores become one", JURY_RULES, {
    usual: 'rank',
    placeholder: 'rule',
  }),
  weights: value<readonly number[]>('one weight for each judge: 1,2,0.5', areWeights, 'a list of numbers', {
    kind: 'list',
    usual: '1 each',
  }),
  clipDir: text(
    'folder of a CLIP in the Hugging Face layout, for the verifier clip-dir',
    'the path of a folder',
    {
      placeholder: 'dir',
    },
  ),
  threads: whole('threads of the engine', 1, { to: MOST_THREADS, usual: 'one a core' }),
  device: choice('what computes: the processor, a GPU, or auto for a GPU where one works', DEVICE_CHOICES, {
    usual: 'cpu',
  }),
};

/** What is opened for a search. */
export const OPEN_OPTIONS = {
  model: value<string | ImageModel>(
    "image model, see 'varsearch models'",
    (given) => isText(given) || isObject(given),
    'a name or a loaded model',
    { kind: 'text', usual: 'toybox', placeholder: 'name' },
  ),
  modelDir: text(
    'folder with an Infinity or a FLUX laid out as the embedded ones, or a FLUX of Diffusers, in place of a name',
    'the path of a folder',
    { placeholder: 'dir' },
  ),
  ...JUDGE_OPTIONS,
  holdOut: value<VerifierOption>(
    `verifiers that look on, never guide, and say whether the winner is better: a,b, or ${ENSEMBLE_MEMBERS} for all installed ones but the oracle`,
    isVerifiers,
    `'${ENSEMBLE_MEMBERS}', a name, a loaded verifier, or a list of them`,
    { kind: 'names', formerly: 'report' },
  ),
  precision: PRECISION,
  memory: value<number | string>(
    'memory that runs may hold together in keys, values and pictures, such as 2GB',
    (given) => parseMemory(given) !== null,
    "bytes, or a size such as '2GB'",
    { kind: 'text', usual: '2GiB', placeholder: 'size' },
  ),
};

/** Which verifiers are loaded, and how they judge together. */
export type JudgeOptions = OptionsOf<typeof JUDGE_OPTIONS>;

/** What is loaded before a run, and can be kept for several. */
export type OpenOptions = OptionsOf<typeof OPEN_OPTIONS>;

/** The names where none is given. */
export const DEFAULT_NAMES = { model: 'toybox', verifier: 'clip-score' } as const;

/** An option as a list; throws a UsageError for a list without anything in it or with an empty name. */
export function listVerifiers(option: VerifierOption, what: string): readonly (string | Verifier)[] {
  const list =
    typeof option === 'string'
      ? option.split(',').map((name) => name.trim())
      : Array.isArray(option)
        ? (option as readonly (string | Verifier)[])
        : [option as Verifier];
  if (list.length > 0 && !list.includes('')) return list;
  throw new UsageError(`option '${what}' names nothing at one place: part names by single commas`);
}

/** Options that would do nothing are refused: what is loaded already keeps its threads, device and precision. */
function refuseForLoaded(name: 'device' | 'precision' | 'threads', loaded: boolean): void {
  if (!loaded) return;
  throw new UsageError(`option '${name}' is for what is loaded by name; what is loaded already has its own`);
}

/** Checks who judges, beyond the rules of the table; `others` are loaded with them. */
export function checkJudges(options: JudgeOptions, ...others: readonly unknown[]): void {
  const { verifier, ensemble: rule, weights, threads, device } = options;
  const judges = verifier === undefined ? [] : listVerifiers(verifier, 'verifier');
  const names = judges.map((each) => (typeof each === 'string' ? each : each.name));
  if (names.length > 0) resolveJury(names, { rule, weights });
  else if (rule !== undefined || weights !== undefined) {
    throw new UsageError(
      "a rule and weights are for several verifiers named by option 'verifier', not for the usual one alone",
    );
  }
  const loaded = [...judges, ...others].every(isObject);
  if (threads !== undefined) refuseForLoaded('threads', loaded);
  if (device !== undefined) refuseForLoaded('device', loaded);
}

/** Checks the options of opening; throws a UsageError that names the first fault. */
export function checkOpenOptions(options: OpenOptions): OpenOptions {
  checkOptions(options, OPEN_OPTIONS);
  const { model, modelDir, holdOut, precision } = options;
  if (model !== undefined && modelDir !== undefined) {
    throw new UsageError("give one of 'model' and 'modelDir', not both: a folder stands in place of a name");
  }
  if (precision !== undefined) refuseForLoaded('precision', isObject(model));
  const observers = holdOut === undefined ? [] : listVerifiers(holdOut, 'holdOut');
  const names = observers.map((each) => (typeof each === 'string' ? each : each.name));
  const twice = firstRepeated(names);
  if (twice !== undefined) throw new UsageError(`option 'holdOut' has the verifier '${twice}' twice`);
  checkJudges(options, model ?? DEFAULT_NAMES.model, ...observers);
  return options;
}
