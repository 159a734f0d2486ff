// varsearch compare: strategies of one model, or models with the strategies that suit them, at the same budget: one page and one
// table.

import type { Command } from 'commander';
import { Option } from 'commander';

import { UsageError } from '../../core/errors.js';
import type { Catalogs } from '../../engine/catalogs.js';
import { OPEN_OPTIONS } from '../../engine/options.js';
import { MODEL_OPTIONS } from '../../models/options.js';
import { compareFiles, compareJson, strategyFiles } from '../../report/files.js';
import { comparedSearches, type CompareResult } from '../../run/compare.js';
import {
  COMPARE_MODELS,
  COMPARE_ONLY,
  COMPARE_SEARCH_OPTIONS,
  type CompareOptions,
  DEFAULT_SEED,
  PICTURE_OPTIONS,
  splitCompareOptions,
} from '../../run/options.js';
import { checkPlans } from '../../run/plan.js';
import { STRATEGIES } from '../../search/registry.js';
import { compare } from '../../varsearch.js';
import { printCosts, rowOf } from '../dry-run.js';
import { addFlags, addOutputFlags, type Flags, given, type OutputFlags, takersOf } from '../flags.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';
import type { OutputFolder } from '../output-folder.js';
import { chooseFolder, folderName } from '../output-folder.js';
import { addDryRunFlags, type DryRunFlags, scheduleOf } from '../plan.js';
import { createProgress } from '../progress.js';
import { printComparison, shownPath } from '../summary.js';
import { requirePrompt } from './generate.js';

type CompareFlags = Flags & OutputFlags & DryRunFlags;

/** Writes what is there of a comparison: the runs that are not yet on the disk, and the page over all. */
async function keep(
  compared: CompareResult,
  { folder, metadata }: Pick<Context, 'folder' | 'metadata'>,
): Promise<void> {
  const unfinished = compared.results.filter(({ complete }) => !complete);
  const { several } = compared;
  for (const result of unfinished) folder.write(await strategyFiles(result, { metadata, several }));
  folder.write(await compareFiles(compared));
}

interface Context {
  readonly catalogs: Catalogs;
  readonly folder: OutputFolder;
  readonly io: CliIo;
  readonly quiet: boolean;
  /** Whether pictures carry their recipe. */
  readonly metadata: boolean;
}

async function searchAll(
  options: CompareOptions,
  { catalogs, folder, io, quiet, metadata }: Context,
): Promise<CompareResult> {
  const run = compare(options, { catalogs });
  const several = namesModels(options);
  let progress = createProgress(io, { quiet });
  try {
    for await (const event of run) {
      if (event.type === 'begin') {
        const title = several ? `${event.model} ${event.strategy}` : event.strategy;
        progress = createProgress(io, { quiet, title: title.padEnd(TITLE_WIDTH) });
      }
      if ((event.type === 'skipped' || event.type === 'limited') && !quiet) {
        const what = event.type === 'skipped' ? 'is left out' : 'gets less than the budget';
        line(io.stderr, `varsearch: ${event.strategy} on ${event.model} ${what}: ${event.why}`);
      }
      if (event.type === 'progress') progress.show(event.event);
      if (event.type === 'end') {
        progress.clear();
        const result = run.finished[event.index];
        if (result) folder.write(await strategyFiles(result, { metadata, several }));
      }
    }
    return await run.result;
  } catch (error) {
    progress.clear();
    const found = await run.soFar();
    if (found) await keep(found, { folder, metadata });
    else folder.discard();
    const what = found ? `what was finished is in ${shownPath(folder.path, io.cwd)}` : 'nothing was written';
    line(io.stderr, `varsearch: ${options.signal?.aborted === true ? 'interrupted' : 'stopped'}; ${what}`);
    throw error;
  }
}

/** Whether models were named, in place of the one of the other commands. */
const namesModels = ({ models, modelDirs }: CompareOptions): boolean => (models ?? modelDirs) !== undefined;

const TITLE_WIDTH = Math.max(...STRATEGIES.map(({ name }) => name.length));

async function run(prompt: string | undefined, flags: CompareFlags, io: CliIo): Promise<void> {
  const catalogs = await io.catalogs();
  const open = given(flags, OPEN_OPTIONS);
  const modelOptions = given(flags, MODEL_OPTIONS);
  const { seed = DEFAULT_SEED, ...picture } = given(flags, PICTURE_OPTIONS);
  const only = { ...given(flags, COMPARE_ONLY), ...given(flags, COMPARE_MODELS) };
  const sizes = given(flags, COMPARE_SEARCH_OPTIONS);
  const options = {
    ...open,
    ...modelOptions,
    ...sizes,
    ...only,
    ...picture,
    seed,
    // Pages show it.
    film: true,
    // A dry run draws nothing.
    prompt: prompt ?? (flags.dryRun === true ? 'nothing' : requirePrompt(prompt)),
  } as CompareOptions;
  const wanted = splitCompareOptions(options);
  const several = namesModels(options);
  const { budget } = options;
  if (!several && budget !== undefined) {
    const schedule = scheduleOf(flags, { open, modelOptions }, catalogs);
    const searches = comparedSearches(wanted.picture);
    if (flags.dryRun === true) {
      const rows = searches.map((search) => rowOf(search, schedule));
      printCosts(rows, schedule, io, flags.json === true);
      return;
    }
    checkPlans(wanted.open, { modelOptions, searches }, catalogs);
  } else if (flags.dryRun === true) {
    throw new UsageError(
      '--dry-run counts the evaluations of one model: give --budget, and --model in place of --models',
    );
  }
  const folder = chooseFolder(
    io.cwd,
    flags.out,
    folderName(options.prompt, several ? 'models-compared' : 'compared', `seed${seed}`),
  );
  const quiet = flags.quiet === true;
  const { metadata } = flags;
  const compared = await interruptible(io, async (signal) => {
    const found = await searchAll({ ...options, signal }, { catalogs, folder, io, quiet, metadata });
    folder.write(await compareFiles(found));
    return found;
  }).finally(() => folder.close());
  if (flags.json === true) {
    line(io.stdout, JSON.stringify({ folder: folder.path, ...compareJson(compared) }, null, 2));
  } else if (!quiet) printComparison(compared, folder.path, io);
}

/** Adds the command to the program. */
export function addCompare(program: Command, io: CliIo): void {
  const { strategies, ...rest } = COMPARE_ONLY;
  const command = program
    .command('compare')
    .description(
      'run strategies, or models with the strategies that suit them, at the same budget, side by side',
    )
    .argument('[prompt]', `${PICTURE_OPTIONS.prompt.words}, in quotes`);
  addFlags(command, { ...rest, ...COMPARE_MODELS });
  command.addOption(
    new Option('--strategies <names...>', `${strategies.words} (default: ${strategies.usual})`).choices([
      ...(strategies.choices ?? []),
    ]),
  );
  addFlags(command, COMPARE_SEARCH_OPTIONS, { takers: takersOf });
  addFlags(command, { ...OPEN_OPTIONS, ...PICTURE_OPTIONS, ...MODEL_OPTIONS });
  addOutputFlags(command);
  addDryRunFlags(command);
  command.action(async (prompt: string | undefined, flags: CompareFlags) => {
    await run(prompt, flags, io);
  });
}
