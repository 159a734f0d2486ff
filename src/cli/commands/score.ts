// varsearch score: the best of pictures that exist already.

import type { Command } from 'commander';
import { Option } from 'commander';

import { UsageError } from '../../core/errors.js';
import type { OptionTable } from '../../core/options.js';
import { DEFAULT_NAMES } from '../../engine/options.js';
import { SCORE_OPTIONS, type ScoreOptions } from '../../score/options.js';
import type { ScoreResult } from '../../score/score.js';
import { score } from '../../score/score.js';
import { addFlags, type Flags, given } from '../flags.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { readPromptsFile } from '../prompts-file.js';
import { printBest, printCsv, printJson, printScores, selected } from '../score-output.js';
import { createScoreProgress } from '../score-progress.js';
import { parseWhole } from '../values.js';

interface Own {
  readonly prompts?: string;
  readonly sort: boolean;
  readonly top?: number;
  readonly best?: true;
  readonly json?: true;
  readonly csv?: true;
  readonly quiet?: true;
}

type ScoreFlags = Flags & Own;

/** The options that have flags: paths start from where the command was typed. */
const FLAGGED: OptionTable = Object.fromEntries(
  Object.entries(SCORE_OPTIONS).filter(([name]) => name !== 'cwd'),
);

const MORE = `
An image is a file, a folder (its own pictures, not those of folders in it), or a quoted pattern such as 'out/**/*.png'.

Examples:
  varsearch score a.png b.png --prompt "two green hearts"
  varsearch score drafts --prompt "a red star" --verifier clip-score,aesthetic --ensemble rank --top 3
  varsearch score 'out/**/picture.png' --csv > scores.csv
  cp "$(varsearch score drafts --prompt "a red star" --best)" final.png`;

function optionsOf(images: readonly string[], flags: ScoreFlags, io: CliIo): ScoreOptions {
  const { prompts, top } = flags;
  if (top !== undefined && top < 1) throw new UsageError(`--top must be at least 1, got ${top}`);
  if (images.length === 0 && prompts === undefined) {
    throw new UsageError('the pictures are missing: name files, folders or quoted patterns');
  }
  const listed = prompts === undefined ? [] : readPromptsFile(prompts, io.cwd);
  return {
    images: [...images, ...listed],
    cwd: io.cwd,
    ...given(flags, FLAGGED),
  };
}

async function scoreAll(options: ScoreOptions, flags: ScoreFlags, io: CliIo): Promise<ScoreResult> {
  const catalogs = await io.catalogs();
  return await interruptible(io, async (signal) => {
    const progress = createScoreProgress(io, flags.quiet === true);
    const run = score({ ...options, signal }, { catalogs });
    try {
      for await (const event of run) progress.show(event);
      return await run.result;
    } finally {
      progress.clear();
    }
  });
}

async function run(images: readonly string[], flags: ScoreFlags, io: CliIo): Promise<void> {
  const result = await scoreAll(optionsOf(images, flags, io), flags, io);
  const pictures = selected(result, { sort: flags.sort, top: flags.top });
  if (flags.best === true) printBest(result, io);
  else if (flags.json === true) printJson(result, pictures, io);
  else if (flags.csv === true) printCsv(result, pictures, io);
  else printScores(result, pictures, io);
}

/** Adds the command to the program. */
export function addScore(program: Command, io: CliIo): void {
  const command = program
    .command('score')
    .description('score pictures that exist already, and find the best')
    .argument('[image...]', 'files, folders or quoted patterns')
    .option('--prompts <file>', 'pictures with a prompt each: CSV or JSON lines with image and prompt');
  // There is no model that could have a usual one.
  addFlags(command, FLAGGED, { usual: { verifier: DEFAULT_NAMES.verifier } });
  command
    .option('--top <n>', 'only the n best of each prompt', parseWhole)
    .option('--no-sort', 'in the order given instead of best first')
    .addOption(
      new Option('--best', 'print only the path of the best picture').conflicts(['json', 'csv', 'top']),
    )
    .addOption(new Option('--json', 'print the scores as JSON').conflicts('csv'))
    .option('--csv', 'print the scores as CSV')
    .option('--quiet', 'no progress, and no warnings but of files left out')
    .addHelpText('after', MORE)
    .action(async (images: readonly string[], flags: ScoreFlags) => {
      await run(images, flags, io);
    });
}
