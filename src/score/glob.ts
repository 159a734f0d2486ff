// File patterns, for when no shell has expanded them: *, ?, [a-z], [!a-z], {a,b} and **, which stands for any number of
// folders. As in a shell, hidden files have to be named, and ** does not follow links. Node has its own only from 22 on.

import { readdir, stat } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';

import { UsageError } from '../core/errors.js';

/** Where a pattern starts from, and how to stop looking. */
export interface GlobOptions {
  readonly cwd: string;
  readonly signal?: AbortSignal | undefined;
}

/** More alternatives than anybody writes: nested braces multiply. */
const MOST_ALTERNATIVES = 1000;

/** Any number of characters; all other tokens accept or refuse one. */
const STAR = Symbol('star');
type Token = typeof STAR | ((character: string) => boolean);

/** True when a path holds a character that patterns are made of. */
export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

/** The files and folders that a pattern stands for, as paths that begin like the pattern; in no particular order. */
export async function expandPattern(pattern: string, options: GlobOptions): Promise<string[]> {
  const found = new Set<string>();
  for (const alternative of expandBraces(withSlashes(pattern))) {
    const { root } = parse(alternative);
    const segments = alternative
      .slice(root.length)
      .split('/')
      .filter((segment) => segment !== '');
    for await (const path of walk(root, segments, options)) found.add(path);
  }
  return [...found];
}

/** On Windows the backslash parts folders; elsewhere it takes a character's meaning as a pattern away. */
function withSlashes(pattern: string): string {
  return sep === '\\' ? pattern.replaceAll('\\', '/') : pattern;
}

/** `a{b,c}d` as `abd` and `acd`; braces without a comma stay as they are. */
export function expandBraces(pattern: string): string[] {
  const group = findBraces(pattern);
  if (!group) return [pattern];
  const { before, choices, after } = group;
  const ends = expandBraces(after);
  const all = choices.flatMap(expandBraces).flatMap((choice) => ends.map((end) => before + choice + end));
  if (all.length > MOST_ALTERNATIVES) {
    throw new UsageError(`the pattern ${pattern} has more than ${MOST_ALTERNATIVES} alternatives`);
  }
  return all;
}

interface Braces {
  readonly before: string;
  readonly choices: readonly string[];
  readonly after: string;
}

/** The first pair of braces with a comma between them. */
function findBraces(pattern: string): Braces | null {
  for (let open = pattern.indexOf('{'); open >= 0; open = pattern.indexOf('{', open + 1)) {
    if (pattern[open - 1] === '\\') continue;
    let depth = 0;
    let from = open + 1;
    const choices: string[] = [];
    for (let at = open; at < pattern.length; at++) {
      const character = pattern[at];
      if (character === '\\') at++;
      else if (character === '{') depth++;
      else if (character === ',' && depth === 1) {
        choices.push(pattern.slice(from, at));
        from = at + 1;
      } else if (character === '}' && --depth === 0) {
        if (choices.length === 0) break;
        choices.push(pattern.slice(from, at));
        return { before: pattern.slice(0, open), choices, after: pattern.slice(at + 1) };
      }
    }
  }
  return null;
}

async function* walk(
  folder: string,
  segments: readonly string[],
  options: GlobOptions,
): AsyncGenerator<string, void, void> {
  const [segment, ...rest] = segments;
  options.signal?.throwIfAborted();
  if (segment === undefined) return;
  if (segment === '**') {
    yield* walk(folder, rest.length === 0 ? ['*'] : rest, options);
    for (const entry of await entriesOf(folder, options)) {
      if (entry.isDirectory() && !entry.name.startsWith('.')) {
        yield* walk(join(folder, entry.name), segments, options);
      }
    }
    return;
  }
  for (const name of await namesOf(folder, segment, options)) {
    const path = join(folder, name);
    if (rest.length === 0) yield path;
    else yield* walk(path, rest, options);
  }
}

/** The names in a folder that a segment stands for; one without wildcards is looked up, whatever the folder lists. */
async function namesOf(folder: string, segment: string, options: GlobOptions): Promise<string[]> {
  if (!isPattern(segment)) {
    const name = segment.replace(/\\(.)/g, '$1');
    const exists = await stat(resolve(options.cwd, folder, name)).then(
      () => true,
      (error: unknown) => absentOrThrow(error, false),
    );
    return exists ? [name] : [];
  }
  const tokens = tokensOf(segment);
  const names = (await entriesOf(folder, options)).map(({ name }) => name);
  return names.filter((name) => name.startsWith('.') === segment.startsWith('.') && matches(tokens, name));
}

type Entry = Awaited<ReturnType<typeof readEntries>>[number];
const readEntries = (folder: string) => readdir(folder, { withFileTypes: true });

/** What is in a folder; nothing where there is no such folder. */
async function entriesOf(folder: string, { cwd, signal }: GlobOptions): Promise<readonly Entry[]> {
  signal?.throwIfAborted();
  return readEntries(resolve(cwd, folder)).catch((error: unknown) => absentOrThrow(error, []));
}

function absentOrThrow<T>(error: unknown, absent: T): T {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return absent;
  throw error;
}

/** A segment of a path as tokens. An unclosed [ stands for itself. */
function tokensOf(segment: string): Token[] {
  const parts = segment.match(/\\.|\*+|\?|\[[!^]?\]?[^\]]*\]|[^]/gu) ?? [];
  return parts.map((part): Token => {
    if (part.startsWith('*')) return STAR;
    if (part === '?') return () => true;
    if (part.length > 2 && part.startsWith('[')) return classOf(part.slice(1, -1));
    const literal = part.length > 1 && part.startsWith('\\') ? part.slice(1) : part;
    return (character) => character === literal;
  });
}

/** What stands between brackets: characters and ranges, all others after ! or ^. */
function classOf(text: string): (character: string) => boolean {
  const negated = /^[!^]/.test(text);
  const ranges = [...text.slice(negated ? 1 : 0).matchAll(/([^])-([^])|([^])/gu)].map(
    ([, from, to, one = '']) => [from ?? one, to ?? one] as const,
  );
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== negated;
}

/** Whether a name fits. A mismatch goes back to the last star only, so that no pattern takes long. */
function matches(tokens: readonly Token[], name: string): boolean {
  const characters = Array.from(name);
  let [token, at, afterStar, retry] = [0, 0, -1, 0];
  while (at < characters.length) {
    const current = tokens[token];
    if (current === STAR) {
      afterStar = ++token;
      retry = at;
    } else if (current?.(characters[at] ?? '')) {
      token++;
      at++;
    } else if (afterStar >= 0) {
      token = afterStar;
      at = ++retry;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === STAR);
}
