// Writes the part of docs/reference.md that lists commands and options: what `--help` prints, so that it is said once. Run with
// `npm run reference` after a change of them; test/docs.test.ts holds the page to it.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { CliIo } from '../src/cli/io.js';
import { runCli } from '../src/cli/program.js';
import { builtInCatalogs } from '../src/engine/catalogs.js';

const page = fileURLToPath(new URL('../docs/reference.md', import.meta.url));
const BEGIN = '<!-- made by `npm run reference` -->';
const END = '<!-- end of what is made -->';

/** What a command line prints, where nobody looks: 100 columns and no colours. */
async function printed(...words: string[]): Promise<string> {
  let text = '';
  const io: CliIo = {
    stdout: { write: (part) => (text += part) },
    stderr: { write: (part) => (text += part) },
    env: {},
    cwd: '.',
    catalogs: builtInCatalogs,
    onInterrupt: () => () => undefined,
  };
  await runCli(words, io);
  return text.trim();
}

/** The names of all commands, as the program lists them. */
export async function commandNames(): Promise<readonly string[]> {
  const [, list = ''] = (await printed('--help')).split('\nCommands:\n');
  const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name);
  return names.filter((name) => name !== 'help' && name !== 'varsearch');
}

/** The help of a command. */
export const helpOf = (command: string): Promise<string> => printed(command, '--help');

/** The page with its lists made anew. */
export async function makeReference(text: string): Promise<string> {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${page} lacks '${BEGIN}' or '${END}'`);
  const parts = ['```text', await printed('--help'), '```'];
  for (const name of await commandNames()) {
    parts.push('', `### varsearch ${name}`, '', '```text', await helpOf(name), '```');
  }
  return `${before}${BEGIN}\n\n${parts.join('\n')}\n\n${END}${after}`;
}

/** The page as it is. */
export const readReference = (): string => readFileSync(page, 'utf8');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(page, await makeReference(readReference()));
}
