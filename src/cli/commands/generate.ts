// varsearch generate: one search, its picture, its result.json and its page.

import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';

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
  type PictureOptions,
  splitGenerateOptions,
  STRATEGY_OPTION,
} from '../../run/options.js';
import { checkPlans } from '../../run/plan.js';
import type { GenerateResult } from '../../run/result.js';
import { resultJson } from '../../run/result.js';
import { parseTime } from '../../run/time.js';
import { estimate, resolveSearch, SEARCH_OPTIONS, type SearchOptions } from '../../search/registry.js';
import { BUDGET } from '../../search/sizes.js';
import { generate, openVarsearch, type Varsearch } from '../../varsearch.js';
import { candidateFiles, CANDIDATES_FOLDER, printCandidates } from '../candidates.js';
import { checkLarge, checkOut, warnOfThreads } from '../checks.js';
import { costRows, printCosts } from '../dry-run.js';
import {
  addFlags,
  addForce,
  addOutputFlags,
  addPreview,
  type Flags,
  given,
  type OutputFlags,
  takersOf,
} from '../flags.js';
import { GROUPS } from '../groups.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';
import type { OutputFolder } from '../output-folder.js';
import { chooseFolder, folderName } from '../output-folder.js';
import { addDryRunFlags, type DryRunFlags, loadedName, scheduleOf } from '../plan.js';
import type { Progress } from '../progress.js';
import { createProgress } from '../progress.js';
import { printSummary, shownPath, showPreview } from '../summary.js';

type GenerateFlags = Flags &
  OutputFlags &
  DryRunFlags & {
    readonly csv?: true;
    /** Writes the film of the winner too. */
    readonly film?: true;
    readonly force?: true;
    readonly preview?: boolean;
    readonly saveCandidates?: true;
  };

const MORE = `
Examples:
  varsearch generate "three red stars left of a blue circle" --seed 7 --out stars
  varsearch generate "two green hearts" --strategy best-of-n --images 16 --save-candidates
  varsearch generate "a red star" --budget 300 --time 30s --hold-out oracle
  varsearch generate "a red fox in the snow" --model infinity-2b --size 1024x1024 --width 3 --candidates 5
  varsearch generate --dry-run --model infinity-2b --aspect-ratio 16:9

The words that the embedded model can draw: varsearch words`;

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

async function search(begin: () => GenerateRun, context: Searching): Promise<GenerateResult> {
  const { progress, signal } = context;
  const run = begin();
  try {
    for await (const event of run) progress.show(event);
    return await run.result;
  } catch (error) {
    progress.clear();
    const why = signal.aborted ? 'interrupted' : 'stopped';
    await keepUnfinished(run, context, why);
    throw error;
  } finally {
    progress.clear();
  }
}

async function report(
  result: GenerateResult,
  { folder, io }: Pick<Context, 'folder' | 'io'>,
  flags: GenerateFlags,
): Promise<void> {
  if (flags.csv === true) printCandidates([result], io.stdout);
  else if (flags.json === true) {
    line(
      io.stdout,
      JSON.stringify({ folder: folder.path, ...resultJson(result, FILE_NAMES.picture) }, null, 2),
    );
  } else if (flags.quiet !== true) {
    await showPreview(result, io, { wanted: flags.preview });
    const { budget } = given(flags, { budget: BUDGET });
    const saved = flags.saveCandidates === true ? [`${CANDIDATES_FOLDER}/`] : [];
    const { film, ...names } = FILE_NAMES;
    const filmed = flags.film === true && result.pictures.film ? [film] : [];
    const files = [...Object.values(names), ...filmed, ...saved];
    printSummary(result, { folder: folder.path, budget, files }, io);
  }
}

interface Context {
  readonly catalogs: Catalogs;
  readonly folder: OutputFolder;
  readonly io: CliIo;
  /** Whether pictures carry their recipe. */
  readonly metadata: boolean;
}

interface Searching extends Context {
  readonly progress: Progress;
  /** Whether the film of the winner is written too. */
  readonly film: true | undefined;
  readonly signal: AbortSignal;
}

/** Searches and writes the result; where all candidates are wanted, the model stays open to draw them again. */
async function searchAndWrite(
  options: GenerateOptions,
  context: Searching,
  all: boolean,
): Promise<GenerateResult> {
  const { catalogs, folder, io, metadata, film, signal } = context;
  const write = async (result: GenerateResult): Promise<GenerateResult> => {
    if (film === true && !result.pictures.film) {
      line(io.stderr, `varsearch: no film is written: the model '${result.options.model}' forgets its steps`);
    }
    const files = await resultFiles(result, { metadata, film });
    // Those of an earlier run would pass for this one's.
    folder.clear(CANDIDATES_FOLDER);
    folder.write(files);
    return result;
  };
  if (!all) return await write(await search(() => generate(options, { catalogs }), context));
  const { open, picture } = splitGenerateOptions(options);
  const varsearch = await openVarsearch(open, { catalogs });
  try {
    signal.throwIfAborted();
    const result = await write(await search(() => varsearch.generate(picture as PictureOptions), context));
    await writeCandidates(result, varsearch, context);
    return result;
  } finally {
    await varsearch.close();
  }
}

async function writeCandidates(
  result: GenerateResult,
  varsearch: Varsearch,
  { folder, io, metadata, signal }: Searching,
): Promise<void> {
  try {
    for await (const files of candidateFiles(result, varsearch, { metadata, signal })) folder.add(files);
  } catch (error) {
    const what = `the result is in ${shownPath(folder.path, io.cwd)}, without all candidates`;
    line(io.stderr, `varsearch: ${signal.aborted ? 'interrupted' : 'stopped'}; ${what}`);
    throw error;
  }
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
  const resolved = resolveSearch(asked, schedule);
  checkLarge([estimate(resolved, schedule)], { yes: flags.yes, width: flags['width'] });
  checkOut(flags.out, { cwd: io.cwd, force: flags.force });
  warnOfThreads(open.threads, io);
  const name = folderName(options.prompt, resolved.strategy, `seed${seed}`);
  const folder = chooseFolder(io.cwd, flags.out, name);
  const work = interruptible(io, async (signal) => {
    const progress = createProgress(io, {
      quiet: flags.quiet === true,
      loading: loadedName(open),
      limit: parseTime(picture.time),
    });
    const context = { catalogs, folder, io, metadata: flags.metadata, film: flags.film, progress, signal };
    const result = await searchAndWrite({ ...options, signal }, context, flags.saveCandidates === true);
    await report(result, context, flags);
  });
  await work.finally(() => folder.close());
}

/** Adds the command to the program. */
export function addGenerate(program: Command, io: CliIo): void {
  const command = program
    .command('generate')
    .description('search for the best picture of a prompt')
    .argument('[prompt]', PICTURE_OPTIONS.prompt.words + ', in quotes');
  addFlags(command, STRATEGY_OPTION, { group: GROUPS.search });
  addFlags(command, SEARCH_OPTIONS, { takers: takersOf, group: GROUPS.search });
  addFlags(command, { ...PICTURE_OPTIONS, ...MODEL_OPTIONS, ...OPEN_OPTIONS });
  addDryRunFlags(command);
  addOutputFlags(command);
  addForce(command);
  addPreview(command);
  command
    .option('--film', `also write ${FILE_NAMES.film}: the picture step by step, as an animation`)
    .option('--save-candidates', `write all whole pictures into the folder ${CANDIDATES_FOLDER}, by number`)
    .addOption(
      new Option('--csv', 'print all candidates as CSV on stdout, and nothing else there').conflicts('json'),
    )
    .addHelpText('after', MORE);
  command.action(async (prompt: string | undefined, flags: GenerateFlags) => {
    await run(prompt, flags, io);
  });
}
