// What a command line may not ask for without a word, and what is odd in it: all before anything is loaded.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname, join, resolve } from 'node:path';

import { UsageError } from '../core/errors.js';
import { formatCount, formatDuration, formatLarge } from '../core/format.js';
import { FILE_NAMES } from '../report/files.js';
import { REPLAY_LIMITS } from '../run/replay.js';
import type { Estimate } from '../search/cost.js';
import { type CliIo, line, plain } from './io.js';

/** Names that a run leaves in a folder which it has not written to: its lock, and files that it had begun. */
const LEFT_OVER = /^\.varsearch[.-]/;

/** Endings of files: a folder is hardly called so. */
const FILE_ENDINGS: readonly string[] = ['.png', '.jpg', '.jpeg', '.webp', '.gif', '.json', '.html', '.csv'];

/** Throws a UsageError for what is no folder to write to, or one that has something in it already, unless that may be replaced. */
export function checkOut(
  out: string | undefined,
  { cwd, force = false }: { readonly cwd: string; readonly force?: boolean | undefined },
): void {
  if (out === undefined) return;
  if (out.trim() === '') {
    throw new UsageError('--out names no folder: leave it away for a new one below ./out');
  }
  const path = resolve(cwd, out);
  const folder = isFolder(path);
  const ending = extname(path).toLowerCase();
  if (!folder && FILE_ENDINGS.includes(ending)) {
    const name = out.slice(0, -ending.length);
    throw new UsageError(
      `--out is a folder, and ${out} the name of a file: --out ${name} writes ${join(name, FILE_NAMES.picture)}`,
    );
  }
  if (!folder || force) return;
  const found = readdirSync(path).filter((name) => !LEFT_OVER.test(name));
  if (found.length === 0) return;
  const what = promptIn(path);
  throw new UsageError(
    (what === null
      ? `the folder ${out} has something in it (${found.slice(0, 3).join(', ')}${found.length > 3 ? ', ...' : ''})`
      : `the folder ${out} holds a result already ("${what}")`) +
      ': choose another by --out, or say --force to replace what has the same name',
  );
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // Making the folder will say what is wrong.
    return false;
  }
}

/** The prompt of the result in a folder; null where there is none of ours. */
function promptIn(folder: string): string | null {
  try {
    const result = JSON.parse(readFileSync(join(folder, FILE_NAMES.result), 'utf8')) as {
      readonly prompt?: unknown;
      readonly options?: { readonly prompt?: unknown };
    };
    const prompt = result.options?.prompt ?? result.prompt;
    return typeof prompt === 'string' ? plain(prompt).slice(0, 60) : null;
  } catch {
    // Whatever it is, it is not ours to describe.
    return null;
  }
}

type Size = Pick<Estimate, 'images' | 'nfe' | 'flops'>;

/** A search's size in words. */
export const inWords = ({ images, nfe, flops }: Size): string =>
  `${formatCount(images)} pictures, ${formatCount(nfe)} NFE, ${formatLarge(flops)}FLOPs`;

/** Beams that nobody means: pictures have such a width. */
const PICTURE_WIDTH = 64;

/** Throws a UsageError for searches that together are larger than is begun without a word: above what a recipe may ask for too. */
export function checkLarge(
  costs: readonly Size[],
  { yes = false, width }: { readonly yes?: boolean | undefined; readonly width?: unknown },
): void {
  const sum = (unit: keyof Size): number => costs.reduce((total, cost) => total + cost[unit], 0);
  const all: Size = { images: sum('images'), nfe: sum('nfe'), flops: sum('flops') };
  const over = (Object.keys(REPLAY_LIMITS) as (keyof Size)[]).some((unit) => all[unit] > REPLAY_LIMITS[unit]);
  if (!over || yes) return;
  const hint =
    typeof width === 'number' && width >= PICTURE_WIDTH
      ? ' (--width is the number of beams; the size of pictures is --size)'
      : '';
  throw new UsageError(
    `that is ${inWords(all)}, above ${inWords(REPLAY_LIMITS)}: ` +
      `say --yes if you mean it, or ask for less${hint}; --dry-run shows what searches cost`,
  );
}

/** Seconds that are begun without a word: the day that REPLAY_LIMITS are about. */
export const LONG_SECONDS = 24 * 3600;

/** Throws a UsageError for searches of so many seconds each that together take longer than is begun without a word. */
export function checkLong(
  seconds: number,
  { searches, yes = false }: { readonly searches: number; readonly yes?: boolean | undefined },
): void {
  const all = searches * seconds;
  if (all <= LONG_SECONDS || yes) return;
  throw new UsageError(
    `that is up to ${searches} searches of ${formatDuration(1000 * seconds)} each, together above ${formatDuration(1000 * LONG_SECONDS)}: ` +
      'say --yes if you mean it, or ask for less',
  );
}

/** Warns of threads that the machine has no cores for. */
export function warnOfThreads(
  threads: number | undefined,
  { stderr }: Pick<CliIo, 'stderr'>,
  cores = availableParallelism(),
): void {
  if (threads === undefined || threads <= cores) return;
  line(
    stderr,
    `varsearch: --threads ${threads} are more than the ${cores} cores of this machine, which makes it slower: leave it away for one a core`,
  );
}
