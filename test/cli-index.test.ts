// varsearch index: the page over a folder of runs.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { readHtml } from './fakes/check-html.js';
import { cliBench } from './fakes/cli.js';

it('makes a page over the runs of a folder, and leaves out what is none', async () => {
  const { folder, run } = cliBench();
  await run('generate', 'red <b>', '--candidates', '2', '--out', 'runs/one run', '--quiet');
  await run('compare', 'blue', '--budget', '60', '--out', 'runs/two', '--quiet');
  mkdirSync(join(folder, 'runs', 'three'));
  writeFileSync(join(folder, 'runs', 'three', 'result.json'), '{ "format": 2, ');
  mkdirSync(join(folder, 'runs', 'four'));
  writeFileSync(join(folder, 'runs', 'four', 'result.json'), '{ "format": 9 }');
  const { code, stdout, stderr } = await run('index', 'runs');
  expect([code, stdout]).toEqual([0, `2 runs: ${join('runs', 'index.html')}\n`]);
  expect(stderr).toBe(`varsearch: ${join('runs', 'three', 'result.json')} is left out: it is damaged\n`);
  const page = readFileSync(join(folder, 'runs', 'index.html'), 'utf8');
  const tags = readHtml(page);
  const links = tags.flatMap(({ attributes }) => attributes['href'] ?? []);
  expect(links).toEqual(['#content', 'two/index.html', 'one%20run/index.html']);
  expect(tags.filter(({ name }) => name === 'img')).toHaveLength(2);
  expect(page).toContain('red &lt;b>');
  expect(page).toContain('3 compared');
  // What was made is still there, and the page can be made again.
  expect((await run('index', 'runs')).code).toBe(0);
  expect(readFileSync(join(folder, 'runs', 'two', 'result.json'), 'utf8')).toContain('"results"');
});

it('refuses the folder of a run, whose page it would overwrite, and one without runs', async () => {
  const { folder, run } = cliBench();
  await run('generate', 'red', '--candidates', '2', '--out', 'run', '--quiet');
  const page = readFileSync(join(folder, 'run', 'index.html'), 'utf8');
  expect(await run('index', 'run')).toMatchObject({ code: 2, stdout: '' });
  expect(readFileSync(join(folder, 'run', 'index.html'), 'utf8')).toBe(page);
  mkdirSync(join(folder, 'empty'));
  expect((await run('index', 'empty')).stderr).toMatch(/there are no runs in .*empty/);
  expect((await run('index', 'nowhere')).stderr).toMatch(/there is no folder .*nowhere/);
});
