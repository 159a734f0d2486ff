// Makes a picture again from the recipe that its file carries, and says whether every byte came out the same.

import { OtherFilesError, UsageError } from '../core/errors.js';
import { formatCount, formatLarge } from '../core/format.js';
import { given as present } from '../core/given.js';
import type { Image } from '../core/image.js';
import { isObject } from '../core/options.js';
import { type Catalogs, isEntry } from '../engine/catalogs.js';
import { findWanted } from '../engine/catalogs.js';
import { type Engine, type EngineHashes, memoryOf } from '../engine/engine.js';
import type { OpenOptions } from '../engine/options.js';
import type { ModelEntry } from '../models/catalog.js';
import type { ImageModel } from '../models/contract.js';
import { PRECISION } from '../models/precision.js';
import { DEVICES } from '../runtime/index.js';
import type { Estimate } from '../search/cost.js';
import { type AnySearch, type AnyStrategy, estimate, isStrategyName } from '../search/registry.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import { resolveJury } from '../verifiers/jury.js';
import type { GenerateEvent } from './generate.js';
import { startGenerate } from './generate.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import { asPictureOptions, checkPictureOptions, partPicture } from './options.js';
import { checkPlan } from './plan.js';
import type { Recipe } from './recipe.js';
import { compareHashes, decodeWithRecipe, type HashComparison, hashPixels } from './recipe.js';
import type { GenerateResult } from './result.js';

/** How a picture is made again. */
export interface ReplayOptions {
  /** Goes on although the files of model or verifier are not the ones that made the picture. @default false */
  readonly anyModel?: boolean | undefined;
  /** Lets a recipe name verifiers that send the picture and the prompt to somebody, such as an endpoint. @default false */
  readonly allowEndpoint?: boolean | undefined;
  /** Lets a recipe ask for a search above REPLAY_LIMITS. @default false */
  readonly allowLarge?: boolean | undefined;
  /** The strategy that searched, where it is one of your own: a recipe has its name alone. */
  readonly strategy?: AnyStrategy | undefined;
  /** Name of the picture for messages. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a recipe may ask for without a word of whoever replays it: about a day of a processor for the official models. */
export const REPLAY_LIMITS = { images: 1000, nfe: 20_000, flops: 1e17 } as const;

/** What is about to be run, said before anything is loaded. */
export interface ReplayPlan {
  readonly type: 'plan';
  readonly model: string;
  readonly judges: readonly string[];
  readonly search: AnySearch;
  readonly cost: Estimate;
}

/** What happens during a replay: the plan first, where model and verifiers are looked up by name. */
export type ReplayEvent = ReplayPlan | GenerateEvent;

/** What came out of a replay. */
export interface ReplayResult {
  readonly recipe: Recipe;
  /** The picture as it was made now. */
  readonly image: Image;
  /** True when every byte of it is that of the file. */
  readonly identical: boolean;
  /** True when the pixels of the file are not those that the recipe was written for: somebody edited it. */
  readonly edited: boolean;
  /** Files of model and verifier that are not the ones that made the picture (only with `anyModel`). */
  readonly differences: readonly string[];
  /** Files that were not compared, since the recipe has no hashes of them: older versions took down fewer. */
  readonly uncompared: readonly string[];
  /** The whole new run, where the recipe was that of a complete one. */
  readonly result: GenerateResult;
}

/** A replay in progress. */
export type ReplayRun = Run<ReplayEvent, ReplayResult>;

/** The options of opening that a recipe fills in. */
export const RECIPE_OPTIONS: readonly (keyof OpenOptions)[] = [
  'model',
  'verifier',
  'ensemble',
  'weights',
  'precision',
  'device',
];

/** The model and judges that a recipe asks for, unless the caller has others; other judges come with their own rule. */
export function openOptionsOf({ options, versions }: Recipe, given: OpenOptions): OpenOptions {
  const model = given.model ?? (given.modelDir === undefined ? options.model : undefined);
  const written = options.modelOptions['precision'];
  const precision = given.precision ?? (PRECISION.check(written) && !isObject(model) ? written : undefined);
  const made = DEVICES.find((each) => each === versions['device']);
  const device = given.device ?? (isObject(model) ? undefined : made);
  const open = { ...given, model, ...present({ precision, device }) };
  if (given.verifier !== undefined) return open;
  const { judges, rule, weights } = options.jury;
  const own = rule === 'score' ? {} : { ensemble: given.ensemble ?? rule, weights: given.weights ?? weights };
  return { ...open, verifier: judges, ...own };
}

/** Throws a UsageError where the model was opened in other numbers than the picture was made in. */
function checkPrecision(
  { options: { modelOptions } }: Recipe,
  model: ImageModel,
  name = 'the picture',
): void {
  const then = modelOptions['precision'];
  const now = model.resolve(modelOptions)['precision'];
  if (now === then) return;
  const word = (precision: unknown): string => (PRECISION.check(precision) ? precision : 'float32');
  throw new UsageError(
    `${name} was made in ${word(then)}, and the model is opened in ${word(now)}: open it with option 'precision'`,
  );
}

/** Differences that a message names: a recipe may make up any number of them. */
const MOST_NAMED = 5;

/** The differences of files in one text. */
export function describeDifferences(differences: readonly string[]): string {
  const rest = differences.length - MOST_NAMED;
  return [...differences.slice(0, MOST_NAMED), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

function compareFiles(recipe: Recipe, found: EngineHashes, options: ReplayOptions): HashComparison {
  const model = compareHashes(recipe.hashes.model, found.model);
  const jury = compareHashes(recipe.hashes.jury, found.jury);
  const judgeOf = (file: string): string => file.split('/')[0] ?? '';
  const known = new Set(Object.keys(recipe.hashes.jury).map(judgeOf));
  // A judge of whom the recipe knows no file at all is another judge.
  const others = jury.unknown.filter((file) => !known.has(judgeOf(file)));
  const differences = [
    ...model.differences,
    ...jury.differences,
    ...others.map((file) => `${file} (made without it)`),
  ];
  if (differences.length > 0 && options.anyModel !== true) {
    throw new OtherFilesError(
      `${options.name ?? 'the picture'} was made with other files: ${describeDifferences(differences)}; ` +
        'install those, or replay with any model (--any-model) and expect another picture',
    );
  }
  const uncompared = [...model.unknown, ...jury.unknown.filter((file) => !others.includes(file))];
  return { differences, unknown: uncompared };
}

/** Throws a UsageError for a search that is larger than a recipe may ask for by itself. */
function checkCost(cost: Estimate, { allowLarge, name = 'the picture' }: ReplayOptions): void {
  const over = (Object.keys(REPLAY_LIMITS) as (keyof typeof REPLAY_LIMITS)[]).some(
    (unit) => !(cost[unit] <= REPLAY_LIMITS[unit]),
  );
  if (!over || allowLarge === true) return;
  const words = (of: Pick<Estimate, 'images' | 'nfe' | 'flops'>): string =>
    `${formatCount(of.images)} pictures, ${formatCount(of.nfe)} NFE, ${formatLarge(of.flops)}FLOPs`;
  throw new UsageError(
    `the recipe of ${name} asks for a search of ${words(cost)}: above ${words(REPLAY_LIMITS)} ` +
      "it needs your word (option 'allowLarge', --allow-large)",
  );
}

/**
 * What a recipe asks for, looked up without loading anything. Throws a UsageError where it names what is in no catalogue, what
 * sends pictures away, or more work than it may; null where the model is loaded already and costs are known later.
 */
export function planReplay(
  recipe: Recipe,
  catalogs: Catalogs,
  context: { readonly given: OpenOptions; readonly options: ReplayOptions },
): ReplayPlan | null {
  const { given, options } = context;
  const { name = 'the picture' } = options;
  const wanted = openOptionsOf(recipe, given);
  if (typeof wanted.model === 'string' && given.model === undefined) {
    const known = catalogs.models.some((entry) => entry.name === wanted.model);
    if (!known) {
      throw new UsageError(
        `${name} was made by the model '${wanted.model}', which does not come with varsearch: ` +
          "if it is a folder of yours, name it (option 'modelDir', --model-dir)",
      );
    }
  }
  const { model, judges } = findWanted(wanted, catalogs);
  const away = judges.find((each) => isEntry<VerifierEntry>(each) && each.sendsAway === true);
  if (away && given.verifier === undefined && options.allowEndpoint !== true) {
    throw new UsageError(
      `the recipe of ${name} asks for the verifier '${away.name}', which sends pictures and the prompt to your endpoint: ` +
        "that needs your word (option 'allowEndpoint', --allow-endpoint), or judges of yours (option 'verifier', --verifier)",
    );
  }
  if (!isEntry<ModelEntry>(model)) return null;
  const strategy = ownStrategyOf(recipe, options);
  const { modelOptions, search: sizes } = partPicture(asPictureOptions(recipe.options, strategy));
  const schedule = model.schedule(modelOptions);
  const jury = resolveJury(
    judges.map((each) => each.name),
    { rule: wanted.ensemble, weights: wanted.weights },
  );
  const { search } = checkPlan(sizes, { schedule, jury, memory: memoryOf(wanted) });
  const cost = estimate(search, schedule, strategy);
  checkCost(cost, options);
  return { type: 'plan', model: model.name, judges: judges.map((each) => each.name), search, cost };
}

/** The strategy of a recipe where it is none of this package; throws a UsageError where the caller has another or none. */
function ownStrategyOf(
  { options }: Recipe,
  { strategy, name = 'the picture' }: ReplayOptions,
): AnyStrategy | undefined {
  const wanted = options.search.strategy;
  if (isStrategyName(wanted)) return undefined;
  if (strategy?.name === wanted) return strategy;
  const given = strategy === undefined ? '' : `, not '${strategy.name}'`;
  throw new UsageError(
    `${name} was made by the strategy '${wanted}', which does not come with varsearch: replay() has to be given that strategy${given}`,
  );
}

/** Runs the recipe to its end; a recipe of an interrupted run only until its picture is there again. */
async function makeAgain(
  recipe: Recipe,
  engine: Engine,
  { options, emit }: { readonly options: ReplayOptions; readonly emit: (event: GenerateEvent) => void },
): Promise<GenerateResult> {
  const { signal } = options;
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const again = asPictureOptions(recipe.options, ownStrategyOf(recipe, options));
  const picture = { ...again, signal: either };
  const open = (): Promise<Engine> => Promise.resolve(engine);
  const accept = ({ cost }: { readonly cost: Estimate }): void => {
    checkCost(cost, options);
  };
  const context = { open, accept };
  const { complete, completed: completes = false, candidate: wanted } = recipe;
  const run = startGenerate(picture, complete ? context : { ...context, wanted, completes });
  for await (const event of run) {
    emit(event);
    if (complete || completes || event.type !== 'judged') continue;
    if (!event.candidates.some(({ id }) => id === recipe.candidate)) continue;
    const found = await run.soFar();
    stop.abort();
    await run.result.catch(() => undefined);
    if (found) return found;
  }
  return await run.result;
}

/** Begins a replay. `plan` looks up what the recipe names, `open` loads it. */
export function startReplay(
  bytes: Uint8Array,
  options: ReplayOptions,
  context: {
    readonly plan?: (recipe: Recipe) => Promise<ReplayPlan | null>;
    readonly open: (recipe: Recipe) => Promise<Engine>;
    readonly close?: (engine: Engine) => Promise<void>;
  },
): ReplayRun {
  return startRun<ReplayEvent, ReplayResult>(async (emit) => {
    const { image: original, recipe } = await decodeWithRecipe(bytes, options.name);
    checkPictureOptions(asPictureOptions(recipe.options, ownStrategyOf(recipe, options)));
    options.signal?.throwIfAborted();
    const plan = await context.plan?.(recipe);
    if (plan) emit(plan);
    const engine = await context.open(recipe);
    try {
      checkPrecision(recipe, engine.model, options.name);
      const { differences, unknown } = compareFiles(recipe, await engine.hashes(), options);
      const result = await makeAgain(recipe, engine, { options, emit });
      const pixels = hashPixels(original);
      return {
        recipe,
        image: result.image,
        identical: hashPixels(result.image) === pixels && sameSize(result.image, original),
        edited: pixels !== recipe.pixels,
        differences,
        uncompared: unknown,
        result,
      };
    } finally {
      await context.close?.(engine);
    }
  });
}

const sameSize = (a: Image, b: Image): boolean => a.width === b.width && a.height === b.height;
