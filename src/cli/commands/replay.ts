// varsearch replay: makes a picture again from its own recipe and says whether it came out the same.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';

import { cannotRead } from '../../core/file-faults.js';
import { OPEN_OPTIONS } from '../../engine/options.js';
import { resultFiles } from '../../report/files.js';
import { describeScores } from '../../report/words.js';
import { RECIPE_OPTIONS, type ReplayResult } from '../../run/replay.js';
import { replay } from '../../varsearch.js';
import { EXIT } from '../exit.js';
import { addFlags, addOutputFlags, type Flags, given, type OutputFlags } from '../flags.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { line, plain } from '../io.js';
import { openFolder } from '../output-folder.js';
import { createProgress } from '../progress.js';
import { printReport, shownPath, showPreview } from '../summary.js';

type ReplayFlags = Flags & OutputFlags & { readonly anyModel?: true };

function readPicture(file: string, cwd: string): Uint8Array {
  try {
    return readFileSync(resolve(cwd, file));
  } catch (cause) {
    throw cannotRead(file, cause);
  }
}

/** One line that says how the replay went. */
function verdict(file: string, { identical, edited, differences, recipe, result }: ReplayResult): string {
  if (identical) {
    return `${file} was made again, every pixel the same (${describeScores(result.winner)})`;
  }
  if (edited) {
    return `${file} is not the picture that its recipe was written for: somebody has changed its pixels`;
  }
  if (differences.length > 0) {
    return `${file} came out different; it was made with other files: ${differences.join('; ')}`;
  }
  const now = result.versions;
  const changed = Object.keys(now).filter((name) => now[name] !== recipe.versions[name]);
  const versions = changed.map(
    (name) => `${name} ${recipe.versions[name] ?? '?'} then, ${now[name] ?? '?'} now`,
  );
  return `${file} came out different${versions.length > 0 ? `; so are the versions: ${versions.join('; ')}` : ''}`;
}

async function makeAgain(file: string, flags: ReplayFlags, io: CliIo): Promise<ReplayResult> {
  const bytes = readPicture(file, io.cwd);
  const catalogs = await io.catalogs();
  const { anyModel } = flags;
  return await interruptible(io, async (signal) => {
    const progress = createProgress(io, { quiet: flags.quiet === true });
    const run = replay(
      bytes,
      { ...given(flags, OPEN_OPTIONS), anyModel, name: plain(file), signal },
      { catalogs },
    );
    try {
      for await (const event of run) progress.show(event);
      return await run.result;
    } finally {
      progress.clear();
    }
  });
}

async function run(file: string, flags: ReplayFlags, io: CliIo): Promise<number> {
  const folder = flags.out === undefined ? null : openFolder(resolve(io.cwd, flags.out));
  const replayed = await makeAgain(file, flags, io).catch((error: unknown) => {
    folder?.discard();
    throw error;
  });
  folder?.write(resultFiles(replayed.result));
  const { identical, edited, differences, recipe, result } = replayed;
  const text = plain(verdict(file, replayed));
  if (flags.json === true) {
    const { prompt } = recipe.options;
    const { standing, report, winner } = result;
    const { scores } = winner;
    const outcome = {
      identical,
      edited,
      differences,
      prompt,
      standing,
      scores,
      ...(report ? { report } : {}),
    };
    line(io.stdout, JSON.stringify({ format: 2, file, ...outcome }, null, 2));
  } else if (identical && flags.quiet !== true) {
    showPreview(result, io);
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
    .option('--any-model', 'go on although model or verifier are not the ones that made the picture');
  const usual = Object.fromEntries(RECIPE_OPTIONS.map((name) => [name, "the recipe's"]));
  addFlags(command, OPEN_OPTIONS, { usual });
  addOutputFlags(command, 'folder for the new picture and its page (default: only compare)');
  command.action(async (file: string, flags: ReplayFlags) => {
    exit(await run(file, flags, io));
  });
}
