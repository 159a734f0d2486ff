// Prompts of the user's own: a text with a prompt a line, CSV with a column prompt (and one of kinds), or JSON lines with these keys.

import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';

import { parseCsv } from '../../core/csv.js';
import { UsageError } from '../../core/errors.js';
import { cannotRead } from '../../core/file-faults.js';
import { decodeText } from '../../core/text-file.js';
import { type Benchmark, numbered, type PromptList } from './benchmark.js';
import { sha256Of } from './fetched.js';

interface Line {
  readonly text: string;
  readonly kind: string;
}

/** Columns and keys that hold a prompt's kind. */
const KINDS: readonly string[] = ['kind', 'category', 'tag'];

type Reader = (text: string, file: string) => readonly Line[];

const READERS: Readonly<Record<string, Reader>> = {
  '.csv': fromCsv,
  '.tsv': fromCsv,
  '.jsonl': fromJson,
  '.ndjson': fromJson,
  '.txt': fromText,
};

/** The benchmark of a file; null for what is no file's name, by its ending. */
export function promptFile(path: string): Benchmark | null {
  const read = READERS[extname(path).toLowerCase()];
  if (!read) return null;
  const file = basename(path);
  return {
    name: file,
    description: `the prompts of ${file}`,
    load: () => Promise.resolve().then(() => listIn(path, read)),
  };
}

function listIn(path: string, read: Reader): PromptList {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw cannotRead(path, cause);
  }
  const prompts = numbered(read(decodeText(bytes, path), path));
  if (prompts.length === 0) throw new UsageError(`${path} holds no prompts`);
  return { prompts, source: basename(path), licence: 'of the file', sha256: sha256Of(bytes) };
}

/** The endings of files of prompts. */
export const PROMPT_ENDINGS: readonly string[] = Object.keys(READERS);

const linesOf = (text: string): readonly string[] => text.replace(/^\ufeff/, '').split(/\r\n?|\n/);

function fromText(text: string): readonly Line[] {
  return linesOf(text)
    .map((line) => ({ text: line.trim(), kind: '' }))
    .filter((line) => line.text !== '');
}

function fromCsv(text: string, file: string): readonly Line[] {
  const [head, ...rows] = parseCsv(text, file);
  const names = (head?.cells ?? []).map((name) => name.toLowerCase());
  const prompt = names.findIndex((name) => name === 'prompt' || name === 'prompts');
  const kind = names.findIndex((name) => KINDS.includes(name));
  if (prompt < 0) {
    throw new UsageError(`${file} has the columns ${names.join(', ')}: it needs one called prompt`);
  }
  return rows.map(({ cells, line }) =>
    checked({ prompt: cells[prompt], kind: cells[kind] }, `line ${line} of ${file}`),
  );
}

function fromJson(text: string, file: string): readonly Line[] {
  return linesOf(text).flatMap((line, i) => {
    if (line.trim() === '') return [];
    const where = `line ${i + 1} of ${file}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new UsageError(`${where} is not JSON: every line has to be {"prompt": ...}`, { cause });
    }
    const object = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    const kind = KINDS.map((name) => object[name]).find((each) => each !== undefined);
    return [checked({ prompt: object['prompt'], kind }, where)];
  });
}

function checked(
  { prompt, kind = '' }: { readonly prompt?: unknown; readonly kind?: unknown },
  where: string,
): Line {
  if (typeof prompt === 'string' && prompt.trim() !== '' && typeof kind === 'string') {
    return { text: prompt.trim(), kind: kind.trim() };
  }
  throw new UsageError(`${where} lacks the prompt, or its kind is no text`);
}
