// varsearch generate: one search, its picture, its result.json and its page.

import { join } from 'node:path';
import type { Command } from 'commander';

import { UsageError } from '../../core/errors.js';
import type { Catalogs } from '../../engine/catalogs.js';
import { OPEN_OPTIONS } from '../../engine/options.js';
import { MODEL_OPTIONS } from '../../models/options.js';
import { FILE_NAMES, resultFiles } from '../../report/files.js';
import { describeJudged } from '../../report/words.js';
import type { GenerateRun } from '../../run/generate.js';
import {
  DEFAULT_SEED,
  type GenerateOptions,
  PICTURE_OPTIONS,
  splitGenerateOptions,
  STRATEGY_OPTION,
} from '../../run/options.js';
import { checkPlans } from '../../run/plan.js';
import type { GenerateResult } from '../../run/result.js';
import { resultJson } from '../../run/result.js';
import { resolveSearch, SEARCH_OPTIONS, type SearchOptions } from '../../search/registry.js';
import { BUDGET } from '../../search/sizes.js';
import { generate } from '../../varsearch.js';
import { costRows, printCosts } from '../dry-run.js';
import { addFlags, addOutputFlags, type Flags, given, type OutputFlags, takersOf } from '../flags.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';
import type { OutputFolder } from '../output-folder.js';
import { chooseFolder, folderName } from '../output-folder.js';
import { addDryRunFlags, type DryRunFlags, scheduleOf } from '../plan.js';
import type { Progress } from '../progress.js';
import { createProgress } from '../progress.js';
import { printSummary, shownPath, showPreview } from '../summary.js';

interface FilmFlags {
  /** Writes the film of the winner too. */
  readonly film?: true;
}

type GenerateFlags = Flags & OutputFlags & DryRunFlags & FilmFlags;

/** The prompt, which only a dry run may do without. */
export function requirePrompt(prompt: string | undefined): string {
  if (prompt !== undefined) return prompt;
  throw new UsageError('the prompt is missing: say what to draw, in quotes');
}

type Ending = 'interrupted' | 'stopped';

/** Keeps the best picture of a search that did not come to its end. */
async function keepUnfinished(
  run: GenerateRun,
  { folder, io, metadata }: Pick<Context, 'folder' | 'io' | 'metadata'>,
  why: Ending,
): Promise<void> {
  const found = await run.soFar();
  if (found) {
    folder.write(await resultFiles(found, { metadata }));
    const picture = join(folder.path, FILE_NAMES.picture);
    const kind = describeJudged(found.winner, found.schedule);
    line(io.stderr, `varsearch: ${why}; the best ${kind} so far is ${shownPath(picture, io.cwd)}`);
  } else {
    folder.discard();
    // A failure says its own line.
    if (why === 'interrupted') {
      line(io.stderr, 'varsearch: interrupted before the first picture was finished; nothing was written');
    }
  }
}

async function search(options: GenerateOptions, context: Context): Promise<GenerateResult> {
  const { catalogs, progress } = context;
  const run = generate(options, { catalogs });
  try {
    for await (const event of run) progress.show(event);
    return await run.result;
  } catch (error) {
    progress.clear();
    const why = options.signal?.aborted === true ? 'interrupted' : 'stopped';
    await keepUnfinished(run, context, why);
    throw error;
  } finally {
    progress.clear();
  }
}

async function report(
  result: GenerateResult,
  { folder, budget }: { readonly folder: OutputFolder; readonly budget: number | undefined },
  flags: OutputFlags,
  io: CliIo,
): Promise<void> {
  if (flags.json === true) {
    line(
      io.stdout,
      JSON.stringify({ folder: folder.path, ...resultJson(result, FILE_NAMES.picture) }, null, 2),
    );
  } else if (flags.quiet !== true) {
    await showPreview(result, io);
    printSummary(result, { folder: folder.path, budget }, io);
  }
}

interface Context {
  readonly catalogs: Catalogs;
  readonly folder: OutputFolder;
  readonly progress: Progress;
  readonly io: CliIo;
  /** Whether pictures carry their recipe. */
  readonly metadata: boolean;
}

async function run(prompt: string | undefined, flags: GenerateFlags, io: CliIo): Promise<void> {
  const catalogs = await io.catalogs();
  const open = given(flags, OPEN_OPTIONS);
  const modelOptions = given(flags, MODEL_OPTIONS);
  const asked = { ...given(flags, STRATEGY_OPTION), ...given(flags, SEARCH_OPTIONS) } as SearchOptions;
  const schedule = scheduleOf(flags, { open, modelOptions }, catalogs);
  if (flags.dryRun === true) {
    printCosts(costRows(asked, schedule), schedule, io, flags.json === true);
    return;
  }
  const { seed = DEFAULT_SEED, ...picture } = given(flags, PICTURE_OPTIONS);
  const options: GenerateOptions = {
    ...open,
    ...modelOptions,
    ...asked,
    ...picture,
    seed,
    // Its page shows it.
    film: true,
    prompt: requirePrompt(prompt),
  };
  checkPlans(splitGenerateOptions(options).open, { modelOptions, searches: [asked] }, catalogs);
  const { strategy: name } = resolveSearch(asked, schedule);
  const folder = chooseFolder(io.cwd, flags.out, folderName(options.prompt, name, `seed${seed}`));
  const work = interruptible(io, async (signal) => {
    const progress = createProgress(io, { quiet: flags.quiet === true });
    const { metadata } = flags;
    const result = await search({ ...options, signal }, { catalogs, folder, progress, io, metadata });
    if (flags.film === true && !result.pictures.film) {
      line(io.stderr, `varsearch: no film is written: the model '${result.options.model}' forgets its steps`);
    }
    folder.write(await resultFiles(result, { metadata, film: flags.film }));
    await report(result, { folder, budget: given(flags, { budget: BUDGET }).budget }, flags, io);
  });
  await work.finally(() => folder.close());
}

/** Adds the command to the program. */
export function addGenerate(program: Command, io: CliIo): void {
  const command = program
    .command('generate')
    .description('search for the best picture of a prompt')
    .argument('[prompt]', PICTURE_OPTIONS.prompt.words + ', in quotes');
  addFlags(command, STRATEGY_OPTION);
  addFlags(command, SEARCH_OPTIONS, { takers: takersOf });
  addFlags(command, { ...OPEN_OPTIONS, ...PICTURE_OPTIONS, ...MODEL_OPTIONS });
  addOutputFlags(command);
  command.option('--film', `also write ${FILE_NAMES.film}: the picture step by step, as an animation`);
  addDryRunFlags(command);
  command.action(async (prompt: string | undefined, flags: GenerateFlags) => {
    await run(prompt, flags, io);
  });
}
