// Makes a picture again from the recipe that its file carries, and says whether every byte came out the same.

import { OtherFilesError, UsageError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import type { Engine, EngineHashes } from '../engine/engine.js';
import type { OpenOptions } from '../engine/options.js';
import { type AnyStrategy, isStrategyName } from '../search/registry.js';
import type { GenerateEvent } from './generate.js';
import { startGenerate } from './generate.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import { asPictureOptions, checkPictureOptions } from './options.js';
import type { Recipe } from './recipe.js';
import { decodeWithRecipe, hashDifferences, hashPixels } from './recipe.js';
import type { GenerateResult } from './result.js';

/** How a picture is made again. */
export interface ReplayOptions {
  /** Goes on although the files of model or verifier are not the ones that made the picture. @default false */
  readonly anyModel?: boolean | undefined;
  /** The strategy that searched, where it is one of your own: a recipe has its name alone. */
  readonly strategy?: AnyStrategy | undefined;
  /** Name of the picture for messages. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

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
  /** The whole new run, where the recipe was that of a complete one. */
  readonly result: GenerateResult;
}

/** What happens during a replay. */
export type ReplayRun = Run<GenerateEvent, ReplayResult>;

/** The options of opening that a recipe fills in. */
export const RECIPE_OPTIONS: readonly (keyof OpenOptions)[] = ['model', 'verifier', 'ensemble', 'weights'];

/** The model and judges that a recipe asks for, unless the caller has others; other judges come with their own rule. */
export function openOptionsOf({ options }: Recipe, given: OpenOptions): OpenOptions {
  const model = given.model ?? (given.modelDir === undefined ? options.model : undefined);
  if (given.verifier !== undefined) return { ...given, model };
  const { judges, rule, weights } = options.jury;
  const own = rule === 'score' ? {} : { ensemble: given.ensemble ?? rule, weights: given.weights ?? weights };
  return { ...given, model, verifier: judges, ...own };
}

function compareFiles(recipe: Recipe, found: EngineHashes, options: ReplayOptions): readonly string[] {
  const differences = [
    ...hashDifferences(recipe.hashes.model, found.model),
    ...hashDifferences(recipe.hashes.jury, found.jury),
  ];
  if (differences.length > 0 && options.anyModel !== true) {
    throw new OtherFilesError(
      `${options.name ?? 'the picture'} was made with other files: ${differences.join('; ')}; ` +
        'install those, or replay with any model (--any-model) and expect another picture',
    );
  }
  return differences;
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
  const run = startGenerate(picture, recipe.complete ? { open } : { open, wanted: recipe.candidate });
  for await (const event of run) {
    emit(event);
    if (recipe.complete || event.type !== 'judged') continue;
    if (!event.candidates.some(({ id }) => id === recipe.candidate)) continue;
    const found = await run.soFar();
    stop.abort();
    await run.result.catch(() => undefined);
    if (found) return found;
  }
  return await run.result;
}

/** Begins a replay. `open` loads what the recipe names. */
export function startReplay(
  bytes: Uint8Array,
  options: ReplayOptions,
  context: {
    readonly open: (recipe: Recipe) => Promise<Engine>;
    readonly close?: (engine: Engine) => Promise<void>;
  },
): ReplayRun {
  return startRun<GenerateEvent, ReplayResult>(async (emit) => {
    const { image: original, recipe } = decodeWithRecipe(bytes, options.name);
    checkPictureOptions(asPictureOptions(recipe.options, ownStrategyOf(recipe, options)));
    options.signal?.throwIfAborted();
    const engine = await context.open(recipe);
    try {
      const differences = compareFiles(recipe, await engine.hashes(), options);
      const result = await makeAgain(recipe, engine, { options, emit });
      const pixels = hashPixels(original);
      return {
        recipe,
        image: result.image,
        identical: hashPixels(result.image) === pixels && sameSize(result.image, original),
        edited: pixels !== recipe.pixels,
        differences,
        result,
      };
    } finally {
      await context.close?.(engine);
    }
  });
}

const sameSize = (a: Image, b: Image): boolean => a.width === b.width && a.height === b.height;
