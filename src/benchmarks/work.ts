// What a run is, worked out from its options: the manifest and the units of work.

import { resolve } from 'node:path';

import { UsageError } from '../core/errors.js';
import { given } from '../core/given.js';
import { type OptionValues, pick } from '../core/options.js';
import { firstRepeated } from '../core/repeated.js';
import type { Catalogs } from '../engine/catalogs.js';
import type { ModelEntry } from '../models/catalog.js';
import { planCells } from './cells.js';
import { juryName, type Lab, type LabOptions, usualHeldOut, verifiersOf } from './lab.js';
import type { ListContext, PromptList } from './lists/benchmark.js';
import { findBenchmark } from './lists/catalog.js';
import { manifestOf } from './manifest.js';
import { type BenchOptions, budgetsOf, listOf, modelOptionsOf } from './options.js';
import type { Manifest } from './record.js';
import { choosePrompts, parseRanges } from './spread.js';
import { parseVariants, type Variant } from './variants.js';

/** What a run is asked for, looked up and with its defaults filled in, as plain data; nothing is loaded yet. */
export interface Asked {
  /** The benchmark's name. */
  readonly benchmark: string;
  readonly list: PromptList;
  readonly variants: readonly Variant[];
  readonly modelOptions: OptionValues;
  /** Layout of kept pictures; null where none are kept. */
  readonly layout: string | null;
  readonly lab: LabOptions;
  readonly options: Omit<BenchOptions, 'signal'>;
}

/** The strategies where none is named. */
const USUAL = 'single,random,gto,beam';

/** Looks up what the options name, and gets the prompts. */
export async function lookUp(
  options: BenchOptions,
  catalogs: Catalogs,
  context: ListContext,
): Promise<Asked> {
  const benchmark = findBenchmark(options.benchmark);
  const { models, folders, entries } = modelsOf(options, catalogs);
  const asked = modelOptionsOf(options);
  const idle = Object.keys(asked).find((name) => entries.every((each) => !Object.hasOwn(each.options, name)));
  if (idle !== undefined) throw new UsageError(`none of the models takes the option '${idle}'`);
  const modelOptions = { ...benchmark.modelOptions, ...asked };
  for (const entry of entries) entry.resolve(pick(modelOptions, entry.options));
  const { export: layout = benchmark.evaluator?.layout ?? 'none', signal: _, ...rest } = options;
  const { threads, memory, ensemble, precision, device, clipDir } = rest;
  const lab: LabOptions = {
    models,
    juries: [...juriesOf(options, entries), 'none'],
    heldOut: heldOutOf(options, entries, catalogs),
    // Workers are in a folder of their own.
    ...given({ folders, clipDir: clipDir === undefined ? undefined : resolve(clipDir) }),
    ...given({ threads, memory, ensemble, precision, device }),
  };
  const variants = parseVariants(options.strategies ?? USUAL);
  // Before anything is fetched or started: what is wrong is said at once.
  verifiersOf(lab, catalogs);
  return {
    benchmark: benchmark.name,
    list: await benchmark.load(context),
    variants,
    modelOptions,
    layout: layout === 'none' || options.measure === 'speed' ? null : layout,
    lab,
    options: rest,
  };
}

/** The juries that are named, or the usual judge of the first model. */
function juriesOf({ verifiers }: BenchOptions, [first]: readonly ModelEntry[]): readonly string[] {
  const asked = verifiers ?? first?.verifier ?? null;
  if (asked === null) {
    throw new UsageError(
      `nobody knows what the model '${first?.name}' draws, so that it has no usual judge: name one by option 'verifiers'`,
    );
  }
  return listOf(asked, 'verifiers').map((jury) => juryName(listOf(jury.replaceAll('+', ','), 'verifiers')));
}

function heldOutOf(
  { holdOut }: BenchOptions,
  entries: readonly ModelEntry[],
  catalogs: Catalogs,
): readonly string[] {
  if (holdOut === undefined) return usualHeldOut(entries, catalogs);
  return holdOut === 'none' ? [] : listOf(holdOut, 'holdOut');
}

interface Models {
  readonly models: readonly string[];
  /** Of those that come from a folder. */
  readonly folders: Readonly<Record<string, string>> | undefined;
  readonly entries: readonly ModelEntry[];
}

/** The models that are named, and those of the folders, which are called as their folders are. */
function modelsOf({ models, modelDirs }: BenchOptions, catalogs: Catalogs): Models {
  const names = models === undefined && modelDirs !== undefined ? [] : listOf(models ?? 'toybox', 'models');
  const named = names.map((name) => catalogs.findModel(name));
  const paths = modelDirs === undefined ? [] : listOf(modelDirs, 'modelDirs').map((path) => resolve(path));
  const found = paths.map((path) => catalogs.modelIn(path));
  const entries = [...named, ...found];
  const twice = firstRepeated(entries.map(({ name }) => name));
  if (twice !== undefined) {
    throw new UsageError(`two models are called '${twice}', as their folders are: rename a folder`);
  }
  return {
    models: entries.map(({ name }) => name),
    folders:
      paths.length === 0 ? undefined : Object.fromEntries(found.map(({ name }, i) => [name, paths[i] ?? ''])),
    entries,
  };
}

/** Plans the cells of what was asked, on what is loaded. */
export async function planRun(lab: Lab, asked: Asked, signal?: AbortSignal): Promise<Manifest> {
  const { benchmark, list, variants, modelOptions, options } = asked;
  const { models, heldOut } = asked.lab;
  const juries = asked.lab.juries.filter((jury) => jury !== 'none');
  const prompts = choosePrompts(list.prompts, options.prompts);
  const seeds = parseRanges(options.seeds ?? '1', 'seeds');
  const budgets = budgetsOf(options);
  const [first] = prompts;
  if (!first) throw new UsageError(`the benchmark '${benchmark}' has no prompts`);
  const { planned, skipped } = await planCells(lab, {
    models,
    variants,
    juries,
    budgets,
    modelOptions,
    prompt: first.text,
    signal,
  });
  return manifestOf({
    measures: options.measure ?? 'quality',
    benchmark: { name: benchmark, source: list.source, sha256: list.sha256 },
    prompts,
    seeds,
    cells: planned.map(({ cell }) => cell),
    plans: planned.map(({ plan }) => plan),
    skipped,
    variants: Object.fromEntries(
      variants.map(({ label, strategy, sizes }) => [label, { strategy, ...sizes }]),
    ),
    heldOut,
    ...(asked.layout === null ? {} : { exports: asked.layout }),
    modelOptions,
    ...(lab.device === 'cpu' ? {} : { device: lab.device }),
    options: {
      models: models.join(),
      strategies: variants.map(({ label }) => label).join(),
      verifiers: juries.join(),
      holdOut: heldOut.length === 0 ? 'none' : heldOut.join(),
      [OPTION_OF[budgets[0]?.unit ?? 'NFE']]: budgets.map(({ most }) => most).join(),
      seeds: options.seeds ?? '1',
      prompts: options.prompts ?? 'all',
      measure: options.measure ?? 'quality',
      ...given({ ensemble: options.ensemble, device: options.device, export: asked.layout ?? undefined }),
      ...modelOptions,
    },
    weights: await lab.hashes(),
  });
}

const OPTION_OF = { NFE: 'budgets', FLOPs: 'budgetFlops', seconds: 'budgetSeconds' } as const;
