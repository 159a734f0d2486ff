// What a run is, worked out from its options: the manifest and the units of work.

import { UsageError } from '../core/errors.js';
import { given } from '../core/given.js';
import { type OptionValues, pick } from '../core/options.js';
import type { Catalogs } from '../engine/catalogs.js';
import { planCells } from './cells.js';
import { juryName, type Lab, type LabOptions, usualHeldOut } from './lab.js';
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
  const models = listOf(options.models ?? 'toybox', 'models');
  const entries = models.map((name) => catalogs.findModel(name));
  const asked = modelOptionsOf(options);
  const idle = Object.keys(asked).find((name) => entries.every((each) => !Object.hasOwn(each.options, name)));
  if (idle !== undefined) throw new UsageError(`none of the models takes the option '${idle}'`);
  const modelOptions = { ...benchmark.modelOptions, ...asked };
  for (const entry of entries) entry.resolve(pick(modelOptions, entry.options));
  const usual = entries[0]?.verifier ?? null;
  if (options.verifiers === undefined && usual === null) {
    throw new UsageError(
      `nobody knows what the model '${entries[0]?.name}' draws, so that it has no usual judge: name one by option 'verifiers'`,
    );
  }
  const juries = listOf(options.verifiers ?? usual ?? '', 'verifiers').map((jury) =>
    juryName(listOf(jury.replaceAll('+', ','), 'verifiers')),
  );
  const heldOut =
    options.holdOut === 'none'
      ? []
      : options.holdOut === undefined
        ? usualHeldOut(models, catalogs)
        : listOf(options.holdOut, 'holdOut');
  const { export: layout = benchmark.evaluator?.layout ?? 'none', signal: _, ...rest } = options;
  const { threads, memory, ensemble, precision, device } = rest;
  return {
    benchmark: benchmark.name,
    list: await benchmark.load(context),
    variants: parseVariants(options.strategies ?? USUAL),
    modelOptions,
    layout: layout === 'none' || options.measure === 'speed' ? null : layout,
    lab: {
      models,
      juries: [...juries, 'none'],
      heldOut,
      ...given({ threads, memory, ensemble, precision, device }),
    },
    options: rest,
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
