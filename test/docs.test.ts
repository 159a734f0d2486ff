// README and docs: links lead somewhere, command lines are ones that the program takes, and the reference is that of the program.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { commandNames, helpOf, makeReference, readReference } from '../scripts/reference.js';
import { packageRoot } from '../src/core/assets.js';

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

  it('lists what the program prints: `npm run reference` does it anew', async () => {
    const text = readReference();
    expect(text).toBe(await makeReference(text));
  });
});
