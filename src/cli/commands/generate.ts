// varsearch generate: one search, its picture, its result.json and its page.

import { join } from 'node:path';
import type { Command } from 'commander';

import { UsageError } from '../../core/errors.js';
import { type Catalogs, findWanted } from '../../engine/engine.js';
import type { GenerateOptions, PictureOptions } from '../../engine/options.js';
import { DEFAULTS, splitGenerateOptions } from '../../engine/options.js';
import type { Scale } from '../../models/contract.js';
import { FILE_NAMES, resultFiles } from '../../report/files.js';
import type { GenerateRun } from '../../run/generate.js';
import type { GenerateResult } from '../../run/result.js';
import { resultJson } from '../../run/result.js';
import type { SearchOptions } from '../../search/registry.js';
import { DEFAULT_STRATEGY, resolveSearch } from '../../search/registry.js';
import { generate } from '../../varsearch.js';
import { costRows, firstScales, printCosts } from '../dry-run.js';
import type { DryRunFlags, LoadFlags, OutputFlags, SamplingFlags, SearchFlags } from '../flags.js';
import {
  addDryRunFlags,
  addLoadFlags,
  addOutputFlags,
  addSamplingFlags,
  addSearchFlags,
  openOptions,
  pictureOptions,
} from '../flags.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';
import type { OutputFolder } from '../output-folder.js';
import { chooseFolder, folderName } from '../output-folder.js';
import type { Progress } from '../progress.js';
import { createProgress } from '../progress.js';
import { printSummary, shownPath, showPreview } from '../summary.js';

type Flags = LoadFlags & SamplingFlags & SearchFlags & OutputFlags & DryRunFlags;

/** The prompt, which only a dry run may do without. */
export function requirePrompt(prompt: string | undefined): string {
  if (prompt !== undefined) return prompt;
  throw new UsageError('the prompt is missing: say what to draw, in quotes');
}

/** The scales of a named model, known before it is loaded. */
export function scalesOf(
  flags: LoadFlags & DryRunFlags & SamplingFlags,
  catalogs: Catalogs,
): readonly Scale[] {
  if (flags.scales !== undefined) {
    if (flags.dryRun !== true) {
      throw new UsageError('--scales is for --dry-run: a model has its own schedule');
    }
    return firstScales(flags.scales);
  }
  const entry = catalogs.findModel(flags.model ?? DEFAULTS.model);
  const { size, aspectRatio } = flags;
  if (size === undefined && aspectRatio === undefined) return entry.scales;
  if (entry.scalesOf) return entry.scalesOf(size, aspectRatio);
  throw new UsageError(
    `model '${entry.name}' draws pictures of one size and ratio: leave --size and --aspect-ratio away`,
  );
}

function searchOf(options: PictureOptions): SearchOptions {
  const { strategy, width, candidates, images, budget, keepElected, result } = options;
  return { strategy, width, candidates, images, budget, keepElected, result };
}

/** Fails on whatever can be known to be wrong before anything is loaded. */
function checkEarly(options: GenerateOptions, scales: readonly Scale[], catalogs: Catalogs): void {
  const { open, picture } = splitGenerateOptions(options);
  findWanted(open, catalogs);
  resolveSearch(searchOf(picture), scales);
}

type Ending = 'interrupted' | 'stopped';

/** Keeps the best picture of a search that did not come to its end. */
async function keepUnfinished(run: GenerateRun, folder: OutputFolder, io: CliIo, why: Ending): Promise<void> {
  const found = await run.soFar();
  if (found) {
    folder.write(resultFiles(found));
    const picture = join(folder.path, FILE_NAMES.picture);
    line(io.stderr, `varsearch: ${why}; the best picture so far is ${shownPath(picture, io.cwd)}`);
  } else {
    folder.discard();
    // A failure says its own line.
    if (why === 'interrupted') {
      line(io.stderr, 'varsearch: interrupted before the first picture was finished; nothing was written');
    }
  }
}

async function search(options: GenerateOptions, context: Context): Promise<GenerateResult> {
  const { catalogs, folder, progress, io } = context;
  const run = generate(options, { catalogs });
  try {
    for await (const event of run) progress.show(event);
    return await run.result;
  } catch (error) {
    progress.clear();
    const why = options.signal?.aborted === true ? 'interrupted' : 'stopped';
    await keepUnfinished(run, folder, io, why);
    throw error;
  } finally {
    progress.clear();
  }
}

function report(result: GenerateResult, folder: OutputFolder, flags: OutputFlags, io: CliIo): void {
  if (flags.json === true) {
    line(
      io.stdout,
      JSON.stringify({ folder: folder.path, ...resultJson(result, FILE_NAMES.picture) }, null, 2),
    );
  } else if (flags.quiet !== true) {
    showPreview(result, io);
    printSummary(result, folder.path, io);
  }
}

interface Context {
  readonly catalogs: Catalogs;
  readonly folder: OutputFolder;
  readonly progress: Progress;
  readonly io: CliIo;
}

async function run(prompt: string | undefined, flags: Flags, io: CliIo): Promise<void> {
  const catalogs = await io.catalogs();
  const scales = scalesOf(flags, catalogs);
  if (flags.dryRun === true) {
    printCosts(costRows(searchOf(pictureOptions('', flags)), scales), scales, io, flags.json === true);
    return;
  }
  const options: GenerateOptions = { ...openOptions(flags), ...pictureOptions(requirePrompt(prompt), flags) };
  checkEarly(options, scales, catalogs);
  const { strategy = DEFAULT_STRATEGY, seed = DEFAULTS.seed } = options;
  const folder = chooseFolder(io.cwd, flags.out, folderName(options.prompt, strategy, `seed${seed}`));
  await interruptible(io, async (signal) => {
    const progress = createProgress(io, { quiet: flags.quiet === true });
    const result = await search({ ...options, signal }, { catalogs, folder, progress, io });
    folder.write(resultFiles(result));
    report(result, folder, flags, io);
  });
}

/** Adds the command to the program. */
export function addGenerate(program: Command, io: CliIo): void {
  const command = program
    .command('generate')
    .description('search for the best picture of a prompt')
    .argument('[prompt]', 'what to draw, in quotes');
  addSearchFlags(command);
  addLoadFlags(command);
  addSamplingFlags(command);
  addOutputFlags(command);
  addDryRunFlags(command);
  command.action(async (prompt: string | undefined, flags: Flags) => {
    await run(prompt, flags, io);
  });
}
