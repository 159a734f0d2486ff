// Makes a picture again from the recipe that its file carries, and says whether every byte came out the same.

import { VarsearchError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import type { Engine, EngineHashes } from '../engine/engine.js';
import type { OpenOptions, ResolvedOptions } from '../engine/options.js';
import { asPictureOptions, checkPictureOptions } from '../engine/options.js';
import type { GenerateEvent } from './generate.js';
import { startGenerate } from './generate.js';
import type { Run } from './live-run.js';
import { startRun } from './live-run.js';
import type { Recipe } from './recipe.js';
import { decodeWithRecipe, hashDifferences, hashPixels } from './recipe.js';
import type { GenerateResult } from './result.js';

/** How a picture is made again. */
export interface ReplayOptions {
  /** Goes on although the files of model or verifier are not the ones that made the picture. @default false */
  readonly anyModel?: boolean | undefined;
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

/** The model and verifiers that a recipe asks for, unless the caller has others; other verifiers come with their own rule. */
export function openOptionsOf({ options }: Recipe, given: OpenOptions): OpenOptions {
  const model = given.model ?? options.model;
  if (given.verifier !== undefined) return { ...given, model };
  // Recipes of single verifiers, and those of before there were ensembles, have no rule.
  const rule = options.ensemble as ResolvedOptions['ensemble'] | undefined;
  if (!rule) return { ...given, model, verifier: [options.verifier] };
  return {
    ...given,
    model,
    verifier: options.verifier,
    ensemble: given.ensemble ? { ...rule, ...given.ensemble } : rule,
  };
}

function compareFiles(recipe: Recipe, found: EngineHashes, options: ReplayOptions): readonly string[] {
  const differences = [
    ...hashDifferences(recipe.hashes.model, found.model),
    ...hashDifferences(recipe.hashes.verifier, found.verifier),
  ];
  if (differences.length > 0 && options.anyModel !== true) {
    throw new VarsearchError(
      `${options.name ?? 'the picture'} was made with other files: ${differences.join('; ')}; ` +
        'install those, or replay with any model (--any-model) and expect another picture',
    );
  }
  return differences;
}

/** Runs the recipe to its end; a recipe of an interrupted run only until its picture is there again. */
async function makeAgain(
  recipe: Recipe,
  engine: Engine,
  signal: AbortSignal | undefined,
  emit: (event: GenerateEvent) => void,
): Promise<GenerateResult> {
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const picture = { ...asPictureOptions(recipe.options), signal: either };
  const run = startGenerate(picture, { open: () => Promise.resolve(engine) });
  for await (const event of run) {
    emit(event);
    if (recipe.complete || event.type !== 'scored') continue;
    if (!event.nodes.some(({ id }) => id === recipe.node)) continue;
    const found = await run.soFar(recipe.node);
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
    checkPictureOptions(asPictureOptions(recipe.options));
    options.signal?.throwIfAborted();
    const engine = await context.open(recipe);
    try {
      const differences = compareFiles(recipe, await engine.hashes(), options);
      const result = await makeAgain(recipe, engine, options.signal, emit);
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
