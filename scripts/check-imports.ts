// Checks the direction of imports (import-rules.ts), that rooms with doors are entered by them, and that there are no cycles,
// not even of types alone. Tests that lie beside the source may import from everywhere; nothing but tests may import them.
// Run with `npx tsx scripts/check-imports.ts`; it exits 1 and prints the lines at fault.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

import { type Room, RULES, type Rules } from './import-rules.js';

/** An import that breaks a rule. */
export interface Violation {
  readonly file: string;
  readonly line: number;
  /** What is imported, as it is written. */
  readonly specifier: string;
  readonly message: string;
}

interface Import {
  readonly line: number;
  readonly specifier: string;
  /** The file of the repository that is meant; null for packages. */
  readonly target: string | null;
}

/** Holds source files, given by path and text, to the rules. */
export function checkImports(sources: ReadonlyMap<string, string>, rules: Rules): Violation[] {
  const imports = new Map([...sources].map(([file, text]) => [file, importsOf(file, text, sources)]));
  const faults = [...imports].flatMap(([file, list]) => [
    ...(roomOf(file, rules)
      ? []
      : [{ file, line: 1, specifier: file, message: 'is in no room of import-rules.ts' }]),
    ...list.flatMap((each) => {
      const message = faultOf(file, each, { sources, rules });
      return message === null ? [] : [{ file, line: each.line, specifier: each.specifier, message }];
    }),
  ]);
  return [...faults, ...cyclesOf(imports)];
}

function importsOf(file: string, text: string, sources: ReadonlyMap<string, string>): Import[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName: specifier, pos }) => ({
    line: text.slice(0, pos).split('\n').length,
    specifier,
    target: specifier.startsWith('.') ? resolve(file, specifier, sources) : null,
  }));
}

/** The file that a relative import means: `./a.js` is written for `./a.ts`. */
function resolve(file: string, specifier: string, sources: ReadonlyMap<string, string>): string {
  const path = posix.join(posix.dirname(file), specifier);
  const candidates = [path, path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx')];
  return candidates.find((candidate) => sources.has(candidate)) ?? path;
}

interface Known {
  readonly sources: ReadonlyMap<string, string>;
  readonly rules: Rules;
}

function faultOf(file: string, { specifier, target }: Import, { sources, rules }: Known): string | null {
  if (target === null) {
    const gate = rules.gates.find(
      ({ package: name }) => specifier === name || specifier.startsWith(`${name}/`),
    );
    if (!gate || gate.only.includes(file)) return null;
    return `only ${gate.only.join(', ')} may import ${gate.package}: ${gate.why}`;
  }
  if (/\.[jt]sx?$/.test(target) && !sources.has(target)) return 'does not exist';
  if (isTest(file)) return null;
  if (isTest(target)) return 'is a test: only tests may import it';
  const room = roomOf(file, rules);
  if (!room) return null;
  if (![room.path, ...room.may].some((path) => target.startsWith(path))) {
    return `${room.path} may import ${room.may.length > 0 ? room.may.join(', ') : 'nothing'}`;
  }
  const { path, doors } = roomOf(target, rules) ?? room;
  if (room.path === path || room.testsInside || !doors || doors.includes(target)) return null;
  return `is no door of ${path}: ${doors.join(', ')}`;
}

function roomOf(file: string, { rooms }: Rules): Room | undefined {
  return rooms.find(({ path }) => file.startsWith(path));
}

function isTest(file: string): boolean {
  return /\.(test|suite)\.tsx?$/.test(file);
}

/** One violation for every cycle that a walk through all files comes upon, at the import that closes it. */
function cyclesOf(imports: ReadonlyMap<string, readonly Import[]>): Violation[] {
  const found: Violation[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    path.push(file);
    for (const { line, specifier, target } of imports.get(file) ?? []) {
      if (target === null || done.has(target)) continue;
      const start = path.indexOf(target);
      if (start < 0) visit(target);
      else {
        found.push({
          file,
          line,
          specifier,
          message: `closes a cycle: ${[...path.slice(start), target].join(' -> ')}`,
        });
      }
    }
    path.pop();
    done.add(file);
  };
  for (const file of imports.keys()) {
    if (!done.has(file)) visit(file);
  }
  return found;
}

const FOLDERS = ['src', 'conformance', 'test', 'bench', 'training', 'scripts'];

/** All TypeScript files of the repository at `root`, by path from there. */
export function readSources(root: string): Map<string, string> {
  const sources = new Map<string, string>();
  for (const folder of FOLDERS.filter((name) => existsSync(join(root, name)))) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
      sources.set(
        posix.normalize(path.slice(root.length).replaceAll('\\', '/')).replace(/^\//, ''),
        readFileSync(path, 'utf8'),
      );
    }
  }
  return sources;
}

function main(): void {
  const sources = readSources(fileURLToPath(new URL('..', import.meta.url)));
  const violations = checkImports(sources, RULES);
  for (const { file, line, specifier, message } of violations) {
    console.error(`${file}:${line}: '${specifier}' ${message}`);
  }
  if (violations.length > 0) process.exitCode = 1;
  else console.log(`imports of ${sources.size} files point one way, without cycles`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
