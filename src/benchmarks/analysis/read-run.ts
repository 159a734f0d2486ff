// Reads the folder of one run: its manifest and its lines, whatever moment the run is at. A line that is torn or damaged is left out
// and told.

import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { UsageError } from '../../core/errors.js';
import { cannotRead } from '../../core/file-faults.js';
import { BENCH_FILES } from '../manifest.js';
import type { Manifest, PictureRecord, SpeedRecord } from '../record.js';
import { cellKey, isManifest, isPicture, isSpeed } from './checks.js';

/** What the folder of a run holds. */
export interface RunFolder {
  /** As it was named. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly pictures: readonly PictureRecord[];
  readonly speeds: readonly SpeedRecord[];
  /** What was left out, in sentences. */
  readonly notes: readonly string[];
}

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

async function readManifest(folder: string, path: string): Promise<Manifest> {
  const file = join(path, BENCH_FILES.manifest);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    if (!isMissing(cause)) throw cannotRead(file, cause);
    throw new UsageError(
      `${folder} is not the folder of a benchmark run: it has no ${BENCH_FILES.manifest}; give folders that 'varsearch bench' wrote`,
      { cause },
    );
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(
      `${folder}/${BENCH_FILES.manifest} is not JSON: it is damaged, run the benchmark again`,
      {
        cause,
      },
    );
  }
  const format = (value as { readonly format?: unknown } | null)?.format;
  if (format !== 1) {
    throw new UsageError(
      `${folder}/${BENCH_FILES.manifest} is of format ${String(format)}, this version of varsearch reads format 1`,
    );
  }
  if (isManifest(value)) return value;
  throw new UsageError(
    `${folder}/${BENCH_FILES.manifest} is no manifest of a benchmark run: parts of it are missing`,
  );
}

interface Lines<T> {
  readonly records: readonly T[];
  readonly notes: readonly string[];
}

/** The lines of a file that are what they should be; none where there is no file. */
async function readLines<T>(
  path: string,
  shown: string,
  check: (value: unknown) => value is T,
): Promise<Lines<T>> {
  const isThere = await stat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw cannotRead(shown, error);
    },
  );
  const records: T[] = [];
  const bad: number[] = [];
  let number = 0;
  if (isThere) {
    const input = createReadStream(path, 'utf8');
    try {
      for await (const line of createInterface({ input, crlfDelay: Infinity })) {
        number++;
        if (line.trim() === '') continue;
        const value = parse(line);
        if (check(value)) records.push(value);
        else bad.push(number);
      }
    } catch (cause) {
      throw cannotRead(shown, cause);
    }
  }
  return { records, notes: bad.length > 0 ? [badLines(shown, bad, number)] : [] };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // What it should have been is not known: the caller counts it among the damaged.
    return undefined;
  }
}

function badLines(shown: string, bad: readonly number[], last: number): string {
  const [first] = bad;
  if (bad.length === 1 && first === last) {
    return `The last line of ${shown} is torn, as of a run that was ended in the middle of it: it is left out.`;
  }
  const several = bad.length > 1 ? `${bad.length} lines of ${shown} are` : `A line of ${shown} is`;
  return `${several} damaged or torn (the first is line ${String(first)}) and left out.`;
}

/** Records of this run's work alone, each unit once. */
function own<T extends PictureRecord | SpeedRecord>(
  lines: Lines<T>,
  { benchmark, cells, prompts, seeds }: Manifest,
  shown: string,
): Lines<T> {
  const keys = new Set(cells.map(cellKey));
  const texts = new Map(prompts.map(({ index, text }) => [index, text]));
  const seen = new Set<string>();
  let [foreign, twice] = [0, 0];
  const records = lines.records.filter((record) => {
    const { prompt, seed } = record;
    const isOwn =
      record.benchmark === benchmark.name &&
      keys.has(cellKey(record)) &&
      texts.get(prompt.index) === prompt.text &&
      seeds.includes(seed);
    const unit = `${prompt.index} ${seed} ${cellKey(record)}`;
    if (!isOwn) foreign++;
    else if (seen.has(unit)) twice++;
    else {
      seen.add(unit);
      return true;
    }
    return false;
  });
  const notes = [
    ...lines.notes,
    ...(foreign > 0
      ? [`${foreign} lines of ${shown} are of no work that its manifest names, and left out.`]
      : []),
    ...(twice > 0 ? [`${twice} lines of ${shown} are of work that stands there before, and left out.`] : []),
  ];
  return { records, notes };
}

/** Reads a run; throws a UsageError that names the folder where it is none. `path` is where `folder` is. */
export async function readRun(folder: string, path = folder): Promise<RunFolder> {
  const manifest = await readManifest(folder, path);
  const read = async <T extends PictureRecord | SpeedRecord>(
    name: string,
    check: (value: unknown) => value is T,
  ): Promise<Lines<T>> => {
    const shown = `${folder}/${name}`;
    return own(await readLines(join(path, name), shown, check), manifest, shown);
  };
  const pictures = await read(BENCH_FILES.pictures, isPicture);
  const speeds = await read(BENCH_FILES.speed, isSpeed);
  return {
    folder,
    manifest,
    pictures: pictures.records,
    speeds: speeds.records,
    notes: [...pictures.notes, ...speeds.notes],
  };
}
