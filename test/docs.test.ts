// README and docs: links lead somewhere, command lines are ones that the program takes, and the reference is that of the program.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { commandNames, helpOf, makeReference, readReference } from '../scripts/reference.js';
import { BENCHMARKS } from '../src/benchmarks/index.js';
import { type BenchOptions, checkBenchOptions } from '../src/benchmarks/options.js';
import { lookUp } from '../src/benchmarks/work.js';
import type { CliIo } from '../src/cli/io.js';
import { createProgram } from '../src/cli/program.js';
import { packageRoot } from '../src/core/assets.js';
import { builtInCatalogs } from '../src/engine/catalogs.js';

const root = packageRoot();
const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...docs.map((name) => `docs/${name}`),
];
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** The name by which GitHub links to a heading. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const anchorsOf = (text: string): string[] =>
  [...text.replace(/^```[^]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    anchorOf(heading),
  );

/** The command lines of a page, by the name of their command: those of shell blocks, of examples and within sentences. */
function commandsOf(text: string): readonly { readonly line: string; readonly command: string }[] {
  const blocks = [...text.matchAll(/```(?:sh)?\n([^]*?)```/g)].flatMap(([, block = '']) => block.split('\n'));
  const words = [...text.replace(/```[^]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word);
  return [...blocks, ...words].flatMap((line) => {
    const found = /^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:npm run -s varsearch -- |varsearch )([a-z]+)\b([^#]*)/.exec(
      line,
    );
    return found ? [{ line, command: found[1] ?? '' }] : [];
  });
}

/** The whole command lines of a page's shell blocks, as words; those that ask for help are none. */
function linesOf(text: string): readonly { readonly line: string; readonly words: readonly string[] }[] {
  const blocks = [...text.matchAll(/```sh\n([^]*?)```/g)].map(([, block = '']) =>
    block.replace(/\\\n\s*/g, ''),
  );
  return blocks
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => {
      const [, typed] = /^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:npx )?varsearch ([a-z].*)$/.exec(line) ?? [];
      if (typed === undefined || typed.includes('--help')) return [];
      const [command = ''] = typed.split(/ (?:#|>|&&|\|) ?/);
      const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)];
      return [{ line, words: words.map(([, double, single, bare]) => double ?? single ?? bare ?? '') }];
    });
}

const nowhere: CliIo = {
  stdout: { write: () => undefined },
  stderr: { write: () => undefined },
  env: {},
  cwd: '.',
  catalogs: builtInCatalogs,
  onInterrupt: () => () => undefined,
};

/** Reads a command line as the program does, and gives `act` what the command would get in place of doing it. */
async function parse(words: readonly string[], act: (...args: readonly unknown[]) => void): Promise<void> {
  const program = createProgram(nowhere, () => undefined);
  const all = [...program.commands, ...program.commands.flatMap(({ commands }) => commands)];
  for (const command of all) command.action(act);
  await program.parseAsync(words, { from: 'user' });
}

/** 'read', or what is wrong with a command line. */
async function parsed(words: readonly string[]): Promise<string> {
  try {
    await parse(words, () => undefined);
    return 'read';
  } catch (error) {
    return String(error);
  }
}

/** The options of a run of a benchmark. */
async function benchOptions(words: readonly string[]): Promise<BenchOptions> {
  let options: unknown;
  await parse(words, (benchmark, flags) => {
    options = { benchmark, ...(flags as object) };
  });
  return options as BenchOptions;
}

describe('the documentation', () => {
  it.each(pages)('%s has links that lead somewhere', (page) => {
    const text = read(page).replace(/^```[^]*?^```/gm, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect([target, existsSync(join(root, file))]).toEqual([target, true]);
      // Its findings come when the runs are done.
      if (anchor === undefined || file === 'docs/evidence.md') continue;
      expect(anchorsOf(read(file)), target).toContain(anchor);
    }
  });

  it('has command lines of commands and flags that there are', async () => {
    const helps = new Map<string, string>();
    for (const name of await commandNames()) helps.set(name, await helpOf(name));
    const lines = pages
      .filter((page) => page !== 'docs/reference.md')
      .flatMap((page) => commandsOf(read(page)));
    expect(lines.length).toBeGreaterThan(40);
    for (const { line, command } of lines) {
      const help = helps.get(command);
      expect([line, help !== undefined]).toEqual([line, true]);
      const flags =
        line
          .replace(/"[^"]*"/g, '')
          .replace(/#.*/, '')
          .match(/(?<= )--[a-z][a-z-]*/g) ?? [];
      for (const flag of flags) expect(help, line).toMatch(new RegExp(`(^|\\s)${flag}\\b`));
    }
  });

  it.each(pages)('%s has command lines that the program reads', async (page) => {
    for (const { line, words } of linesOf(read(page))) {
      expect([line, await parsed(words)]).toEqual([line, 'read']);
    }
  });

  it('has runs of benchmarks whose names and options there are', async () => {
    const builtIn = await builtInCatalogs();
    const { findModel } = builtIn;
    // Folders of one's own are nowhere here.
    const modelIn = (folder: string) => ({ ...findModel('infinity-2b'), name: basename(folder) });
    const catalogs = { ...builtIn, modelIn };
    const lines = pages.flatMap((page) => linesOf(read(page))).filter(({ words }) => words[0] === 'bench');
    expect(lines.length).toBeGreaterThan(4);
    for (const { line, words } of lines) {
      const options = checkBenchOptions(await benchOptions(words));
      // Published lists are somewhere else; what a benchmark is decides nothing here but the layout of its pictures.
      const asked = await lookUp({ ...options, benchmark: 'toybench' }, catalogs, {});
      expect([line, asked.variants.length > 0, BENCHMARKS.some(({ name }) => name === words[1])]).toEqual([
        line,
        true,
        true,
      ]);
    }
  });

  it('lists what the program prints: `npm run reference` does it anew', async () => {
    const text = readReference();
    expect(text).toBe(await makeReference(text));
  });
});
