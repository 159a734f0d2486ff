// varsearch compare: every strategy at the same budget, one page and one table.

import type { Command } from 'commander';
import { Option } from 'commander';

import { UsageError } from '../../core/errors.js';
import { given } from '../../core/given.js';
import { type Catalogs, findWanted } from '../../engine/engine.js';
import type { CompareOptions } from '../../engine/options.js';
import { DEFAULTS, splitCompareOptions } from '../../engine/options.js';
import { compareFiles, compareJson, strategyFiles } from '../../report/files.js';
import type { CompareResult } from '../../run/compare.js';
import type { StrategyName } from '../../search/registry.js';
import { optionsFor, resolveSearch, STRATEGIES } from '../../search/registry.js';
import { compare } from '../../varsearch.js';
import { printCosts, rowOf } from '../dry-run.js';
import type { DryRunFlags, LoadFlags, OutputFlags, SamplingFlags, SearchFlags } from '../flags.js';
import {
  addDryRunFlags,
  addLoadFlags,
  addOutputFlags,
  addRoundFlags,
  addSamplingFlags,
  openOptions,
  pictureOptions,
} from '../flags.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';
import type { OutputFolder } from '../output-folder.js';
import { chooseFolder, folderName } from '../output-folder.js';
import { createProgress } from '../progress.js';
import { printComparison, shownPath } from '../summary.js';
import { parseWhole } from '../values.js';
import { requirePrompt, scalesOf } from './generate.js';

type Flags = LoadFlags &
  SamplingFlags &
  Pick<SearchFlags, 'width' | 'keepElected' | 'result'> &
  OutputFlags &
  DryRunFlags & { readonly budget?: number; readonly strategies?: StrategyName[] };

function requireBudget({ budget }: Flags): number {
  if (budget !== undefined) return budget;
  throw new UsageError(
    "option 'budget' is missing: say how many function evaluations each strategy may spend",
  );
}

function optionsOf(prompt: string, flags: Flags): CompareOptions {
  const { strategies } = flags;
  return {
    ...openOptions(flags),
    ...pictureOptions(prompt, flags),
    ...given({ strategies }),
    budget: requireBudget(flags),
  };
}

/** Writes what is there of a comparison: the runs that are not yet on the disk, and the page over all. */
function keep(compared: CompareResult, folder: OutputFolder): void {
  for (const result of compared.results) if (!result.complete) folder.write(strategyFiles(result));
  folder.write(compareFiles(compared));
}

interface Context {
  readonly catalogs: Catalogs;
  readonly folder: OutputFolder;
  readonly io: CliIo;
  readonly quiet: boolean;
}

async function searchAll(
  options: CompareOptions,
  { catalogs, folder, io, quiet }: Context,
): Promise<CompareResult> {
  const run = compare(options, { catalogs });
  let progress = createProgress(io, { quiet });
  try {
    for await (const event of run) {
      if (event.type === 'begin') progress = createProgress(io, { quiet, title: event.strategy.padEnd(6) });
      if (event.type === 'progress') progress.show(event.event);
      if (event.type === 'end') {
        progress.clear();
        folder.write(strategyFiles(event.result));
      }
    }
    return await run.result;
  } catch (error) {
    progress.clear();
    const found = await run.soFar();
    if (found) keep(found, folder);
    else folder.discard();
    const what = found ? `what was finished is in ${shownPath(folder.path, io.cwd)}` : 'nothing was written';
    line(io.stderr, `varsearch: ${options.signal?.aborted === true ? 'interrupted' : 'stopped'}; ${what}`);
    throw error;
  }
}

async function run(prompt: string | undefined, flags: Flags, io: CliIo): Promise<void> {
  const catalogs = await io.catalogs();
  const scales = scalesOf(flags, catalogs);
  const strategies = flags.strategies ?? STRATEGIES;
  const { width, keepElected, result } = flags;
  const sizes = { width, keepElected, result, budget: requireBudget(flags) };
  const searches = strategies.map((strategy) => optionsFor(strategy, sizes));
  if (flags.dryRun === true) {
    printCosts(
      searches.map((search) => rowOf(search, scales)),
      scales,
      io,
      flags.json === true,
    );
    return;
  }
  const options = optionsOf(requirePrompt(prompt), flags);
  findWanted(splitCompareOptions(options).open, catalogs);
  for (const search of searches) resolveSearch(search, scales);
  const seed = `seed${options.seed ?? DEFAULTS.seed}`;
  const folder = chooseFolder(io.cwd, flags.out, folderName(options.prompt, 'compared', seed));
  const quiet = flags.quiet === true;
  const compared = await interruptible(io, (signal) =>
    searchAll({ ...options, signal }, { catalogs, folder, io, quiet }),
  );
  folder.write(compareFiles(compared));
  if (flags.json === true) {
    line(io.stdout, JSON.stringify({ folder: folder.path, ...compareJson(compared) }, null, 2));
  } else if (!quiet) printComparison(compared, folder.path, io);
}

/** Adds the command to the program. */
export function addCompare(program: Command, io: CliIo): void {
  const command = program
    .command('compare')
    .description('run every strategy at the same budget, side by side')
    .argument('[prompt]', 'what to draw, in quotes')
    .option('--budget <nfe>', 'function evaluations that each strategy may spend', parseWhole)
    .addOption(
      new Option('--strategies <names...>', 'which to compare (default: all)').choices([...STRATEGIES]),
    )
    .option('--width <n>', 'beams that beam search keeps', parseWhole);
  addRoundFlags(command);
  addLoadFlags(command);
  addSamplingFlags(command);
  addOutputFlags(command);
  addDryRunFlags(command);
  command.action(async (prompt: string | undefined, flags: Flags) => {
    await run(prompt, flags, io);
  });
}
