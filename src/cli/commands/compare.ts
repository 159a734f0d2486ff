// varsearch compare: strategies of one model, or models with the strategies that suit them, at the same budget: one page and one
// table.

import type { Command } from 'commander';
import { Option } from 'commander';

import { UsageError } from '../../core/errors.js';
import type { Catalogs } from '../../engine/catalogs.js';
import { OPEN_OPTIONS } from '../../engine/options.js';
import type { Schedule } from '../../models/contract.js';
import { MODEL_OPTIONS } from '../../models/options.js';
import { compareFiles, compareJson, strategyFiles } from '../../report/files.js';
import { chosenStrategies, comparedSearches, type CompareResult } from '../../run/compare.js';
import { foresee } from '../../run/foresee.js';
import {
  budgetOf,
  COMPARE_MODELS,
  COMPARE_ONLY,
  COMPARE_SEARCH_OPTIONS,
  type CompareOptions,
  DEFAULT_SEED,
  partCompare,
  PICTURE_OPTIONS,
  splitCompareOptions,
} from '../../run/options.js';
import { checkPlans } from '../../run/plan.js';
import { parseTime } from '../../run/time.js';
import { estimate, resolveSearch } from '../../search/registry.js';
import { compare } from '../../varsearch.js';
import { printCandidates } from '../candidates.js';
import { checkLarge, checkLong, checkOut, warnOfThreads } from '../checks.js';
import { printCosts, printForeseen, rowOf } from '../dry-run.js';
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
import { createProgress } from '../progress.js';
import { printComparison, shownPath, showPreview } from '../summary.js';
import { requirePrompt } from './generate.js';

type CompareFlags = Flags &
  OutputFlags &
  DryRunFlags & { readonly csv?: true; readonly force?: true; readonly preview?: boolean };

const MORE = `
Examples:
  varsearch compare "a red star above a blue circle" --budget 300
  varsearch compare "two green hearts" --budget 300 --strategies random,beam --seed random --csv > candidates.csv
  varsearch compare "a red star" --models toybox,toybox-flow --budget-flops 2e11
  varsearch compare --budget 1365 --dry-run --model infinity-2b
  varsearch compare --budget-flops 1e17 --dry-run --models infinity-2b,flux1-dev`;

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
  // With several models, each is loaded after the searches of the one before.
  let progress = createProgress(io, { quiet, ...(several ? {} : { loading: loadedName(options) }) });
  try {
    for await (const event of run) {
      if (event.type === 'begin') {
        progress.clear();
        const title = several ? `${event.model} ${event.strategy}` : event.strategy;
        progress = createProgress(io, { quiet, title, limit: parseTime(options.time) });
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

/** What a comparison would run: to be printed, or to be checked before it runs. Throws a UsageError for what is wrong in the options. */
interface Plan {
  print(io: CliIo, json: boolean): void;
  check(): void;
}

function planOf(
  options: CompareOptions,
  { flags, catalogs }: { readonly flags: CompareFlags; readonly catalogs: Catalogs },
): Plan {
  const { open, picture, models } = splitCompareOptions(options);
  const budget = budgetOf(options);
  const { strategies, modelOptions } = partCompare(picture);
  const schedule = (): Schedule => scheduleOf(flags, { open, modelOptions }, catalogs);
  if (models.length === 0 && budget.unit === 'NFE') {
    const searches = comparedSearches(picture);
    return {
      print: (io, json) => {
        const steps = schedule();
        printCosts(
          searches.map((search) => rowOf(search, steps)),
          steps,
          io,
          json,
        );
      },
      check: () => {
        const steps = schedule();
        checkPlans(open, { modelOptions, searches }, catalogs);
        const costs = searches.map((search) => estimate(resolveSearch(search, steps), steps));
        checkLarge(costs, { yes: flags.yes, width: flags['width'] });
      },
    };
  }
  if (flags.scales !== undefined) {
    throw new UsageError(
      '--scales is for --dry-run with --budget, of one model: each has a schedule of its own',
    );
  }
  return {
    print: (io, json) => {
      printForeseen(foresee(options, catalogs), budget, io, json);
    },
    check: () => {
      if (budget.unit === 'seconds') {
        const several = models.length > 0;
        const searches = chosenStrategies(strategies, several).length * Math.max(1, models.length);
        checkLong(budget.most, { searches, yes: flags.yes });
      } else {
        const found = foresee(options, catalogs).flatMap((each) => each.searches);
        checkLarge(
          found.map(({ cost }) => cost),
          { yes: flags.yes, width: flags['width'] },
        );
      }
    },
  };
}

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
  const plan = planOf(options, { flags, catalogs });
  if (flags.dryRun === true) {
    plan.print(io, flags.json === true);
    return;
  }
  plan.check();
  const several = namesModels(options);
  checkOut(flags.out, { cwd: io.cwd, force: flags.force });
  warnOfThreads(open.threads, io);
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
  if (flags.csv === true) printCandidates(compared.results, io.stdout);
  else if (flags.json === true) {
    line(io.stdout, JSON.stringify({ folder: folder.path, ...compareJson(compared) }, null, 2));
  } else if (!quiet) {
    await showPreview(compared.best, io, { wanted: flags.preview, below: 6 + compared.results.length });
    printComparison(compared, folder.path, io);
  }
}

/** Adds the command to the program. */
export function addCompare(program: Command, io: CliIo): void {
  const command = program
    .command('compare')
    .description(
      'run strategies, or models with the strategies that suit them, at the same budget, side by side',
    )
    .argument('[prompt]', `${PICTURE_OPTIONS.prompt.words}, in quotes`);
  addFlags(command, { ...COMPARE_ONLY, ...COMPARE_MODELS });
  addFlags(command, COMPARE_SEARCH_OPTIONS, { takers: takersOf, group: GROUPS.search });
  addFlags(command, { ...PICTURE_OPTIONS, ...MODEL_OPTIONS, ...OPEN_OPTIONS });
  addDryRunFlags(command);
  addOutputFlags(command);
  addPreview(command, 'the best picture');
  addForce(command)
    .addOption(
      new Option('--csv', 'print all candidates as CSV on stdout, and nothing else there').conflicts('json'),
    )
    .addHelpText('after', MORE);
  command.action(async (prompt: string | undefined, flags: CompareFlags) => {
    await run(prompt, flags, io);
  });
}
