// varsearch replay: makes a picture again from its own recipe and says whether it came out the same.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';

import { VarsearchError } from '../../core/errors.js';
import { cannotRead } from '../../core/file-faults.js';
import { formatCount, formatLarge } from '../../core/format.js';
import { OPEN_OPTIONS } from '../../engine/options.js';
import type { Versions } from '../../engine/versions.js';
import { resultFiles } from '../../report/files.js';
import { describeScores, describeSearch } from '../../report/words.js';
import {
  describeDifferences,
  RECIPE_OPTIONS,
  REPLAY_LIMITS,
  type ReplayPlan,
  type ReplayResult,
} from '../../run/replay.js';
import { realFile } from '../../score/files.js';
import { replay } from '../../varsearch.js';
import { checkOut, warnOfThreads } from '../checks.js';
import { EXIT } from '../exit.js';
import {
  addFlags,
  addForce,
  addOutputFlags,
  addPreview,
  type Flags,
  given,
  type OutputFlags,
} from '../flags.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { line, plain } from '../io.js';
import { openFolder } from '../output-folder.js';
import { createProgress } from '../progress.js';
import { printReport, shownPath, showPreview } from '../summary.js';

interface Own {
  readonly anyModel?: true;
  readonly allowEndpoint?: true;
  readonly allowLarge?: true;
}

type ReplayFlags = Flags & OutputFlags & Own & { readonly force?: true; readonly preview?: boolean };

async function readPicture(file: string, cwd: string): Promise<Uint8Array> {
  return await readFile(await realFile(file, cwd)).catch((cause: unknown) => {
    throw cause instanceof VarsearchError ? cause : cannotRead(file, cause);
  });
}

/** One line that says how the replay went. */
function verdict(file: string, replayed: ReplayResult): string {
  const { identical, edited, differences, uncompared, recipe, result } = replayed;
  if (identical) {
    return `${file} was made again, every pixel the same (${describeScores(result.winner)})`;
  }
  if (edited) {
    return `${file} is not the picture that its recipe was written for: somebody has changed its pixels`;
  }
  if (differences.length > 0) {
    return `${file} came out different; it was made with other files: ${describeDifferences(differences)}`;
  }
  const now = result.versions;
  const names = new Set([...Object.keys(now), ...Object.keys(recipe.versions)]);
  // A device is told of where it was not the CPU.
  const cpu = names.has('device') ? { device: 'cpu' } : {};
  const [before, after] = [recipe.versions, now].map((each) => ({ ...cpu, ...each })) as [Versions, Versions];
  const changed = [...names].filter((name) => after[name] !== before[name]);
  const versions = changed.map((name) => `${name} ${before[name] ?? '?'} then, ${after[name] ?? '?'} now`);
  const others = versions.length > 0 ? `; so are the versions: ${versions.join('; ')}` : '';
  const silent =
    uncompared.length > 0
      ? `; its recipe has no hashes to compare of ${describeDifferences(uncompared)}`
      : '';
  return `${file} came out different${others}${silent}`;
}

/** What a recipe asks for, in one line. */
function describePlan({ model, judges, search, cost }: ReplayPlan): string {
  const { images, nfe, flops } = cost;
  return (
    `${model}, judged by ${judges.join(', ')}: ${describeSearch(search)}; ` +
    `${formatCount(images)} pictures, ${formatCount(nfe)} NFE, ${formatLarge(flops)}FLOPs`
  );
}

async function makeAgain(file: string, flags: ReplayFlags, io: CliIo): Promise<ReplayResult> {
  const bytes = await readPicture(file, io.cwd);
  const catalogs = await io.catalogs();
  const { anyModel, allowEndpoint, allowLarge } = flags;
  const quiet = flags.quiet === true;
  return await interruptible(io, async (signal) => {
    let progress = createProgress(io, { quiet });
    const run = replay(
      bytes,
      { ...given(flags, OPEN_OPTIONS), anyModel, allowEndpoint, allowLarge, name: plain(file), signal },
      { catalogs },
    );
    try {
      for await (const event of run) {
        if (event.type !== 'plan') progress.show(event);
        else {
          if (!quiet) line(io.stderr, `replay of ${plain(`${file}: ${describePlan(event)}`)}`);
          progress = createProgress(io, { quiet, loading: event.model });
        }
      }
      return await run.result;
    } finally {
      progress.clear();
    }
  });
}

async function run(file: string, flags: ReplayFlags, io: CliIo): Promise<number> {
  checkOut(flags.out, { cwd: io.cwd, force: flags.force });
  warnOfThreads(given(flags, OPEN_OPTIONS).threads, io);
  const folder = flags.out === undefined ? null : openFolder(resolve(io.cwd, flags.out));
  const replayed = await makeAgain(file, flags, io).catch((error: unknown) => {
    folder?.discard();
    throw error;
  });
  const { metadata } = flags;
  if (folder) {
    try {
      folder.write(await resultFiles(replayed.result, { metadata }));
    } finally {
      folder.close();
    }
  }
  const { identical, edited, differences, uncompared, recipe, result } = replayed;
  const text = plain(verdict(file, replayed));
  if (flags.json === true) {
    const { prompt } = recipe.options;
    const { standing, report, winner } = result;
    const { scores } = winner;
    const outcome = {
      identical,
      edited,
      differences,
      uncompared,
      prompt,
      standing,
      scores,
      ...(report ? { report } : {}),
    };
    line(io.stdout, JSON.stringify({ format: 2, file, ...outcome }, null, 2));
  } else if (identical && flags.quiet !== true) {
    await showPreview(result, io, { wanted: flags.preview });
    line(io.stdout, text);
    if (result.report) printReport(result.report, io);
    if (folder) line(io.stdout, `written to ${shownPath(folder.path, io.cwd)}`);
  }
  if (identical) return EXIT.ok;
  line(io.stderr, `varsearch: ${text}`);
  return EXIT.failure;
}

/** Adds the command to the program; `exit` gets its exit code. */
export function addReplay(program: Command, io: CliIo, exit: (code: number) => void): void {
  const command = program
    .command('replay')
    .description('make a picture again from the recipe in its file')
    .argument('<file>', 'a PNG file written by varsearch')
    .option('--any-model', 'go on although model or verifier are not the ones that made the picture')
    .option(
      '--allow-endpoint',
      'the recipe may name a verifier that sends pictures and the prompt to your endpoint',
    )
    .option(
      '--allow-large',
      `the recipe may ask for more than ${formatCount(REPLAY_LIMITS.images)} pictures, ${formatCount(REPLAY_LIMITS.nfe)} NFE ` +
        `or ${formatLarge(REPLAY_LIMITS.flops)}FLOPs`,
    );
  const usual = Object.fromEntries(RECIPE_OPTIONS.map((name) => [name, "the recipe's"]));
  addFlags(command, OPEN_OPTIONS, { usual });
  addOutputFlags(command, 'folder for the new picture and its page (default: only compare)');
  addForce(command);
  addPreview(command);
  command.action(async (file: string, flags: ReplayFlags) => {
    exit(await run(file, flags, io));
  });
}
