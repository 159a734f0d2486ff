// varsearch cache and varsearch convert: what is kept of large models, and how to be rid of it.

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { GraphBuilder } from '../src/runtime/graph/index.js';
import { GraphCache } from '../src/runtime/index.js';
import { cliBench } from './fakes/cli.js';
import { fakeModel } from './fakes/fake-model.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
  vi.stubEnv('VARSEARCH_CACHE', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Makes an entry of a few bytes; gives its folder. */
async function makeEntry(name: string): Promise<string> {
  const checkpoint = join(folder, `${name}.pth`);
  writeFileSync(checkpoint, name);
  const g = new GraphBuilder(name);
  g.output('y', g.weight('w', new Float32Array(100), [100]));
  return dirname(await new GraphCache(join(folder, 'graphs'), { from: 0 }).ready(g.build(), checkpoint));
}

it('says where nothing is kept yet, and where nothing is to be', async () => {
  const { stdout, code } = await cliBench().run('cache');
  expect([stdout, code]).toEqual([
    `no ready graphs in ${join(folder, 'graphs')}: the first use of a large model makes its own\n`,
    0,
  ]);
  vi.stubEnv('VARSEARCH_CACHE', 'off');
  expect((await cliBench().run('cache')).stdout).toBe("VARSEARCH_CACHE is 'off': nothing is kept\n");
  expect(JSON.parse((await cliBench().run('cache', '--json')).stdout)).toMatchObject({ folder: null });
});

it('lists entries with their size, their state and where they come from', async () => {
  await makeEntry('whole');
  await makeEntry('stale');
  truncateSync(join(await makeEntry('broken'), 'weights-0.bin'), 7);
  writeFileSync(join(folder, 'stale.pth'), 'changed');
  const { stdout } = await cliBench().run('cache');
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^graph +size +made +state +from$/);
  expect(lines[1]).toMatch(/^broken .*damaged: weights-0.bin has 7 bytes, not 400 .*broken.pth$/);
  expect(lines[2]).toMatch(/^stale .*stale: .*stale.pth has changed .*stale.pth$/);
  expect(lines[3]).toMatch(/^whole +1\.\d\d kB +\d{4}-\d\d-\d\d +ready +.*whole.pth$/);
  expect(lines[4]).toMatch(/ kB in .*graphs; all can be made again: varsearch cache --clear$/);
  const { entries } = JSON.parse((await cliBench().run('cache', '--json')).stdout) as { entries: unknown[] };
  expect(entries).toHaveLength(3);
});

it('is cleared', async () => {
  await makeEntry('whole');
  expect((await cliBench().run('cache', '--clear')).stdout).toMatch(/^removed 1\.\d\d kB from .*graphs\n$/);
  expect((await cliBench().run('cache')).stdout).toContain('no ready graphs');
});

it.each([
  [[], /name a model, or give its folder by option --model-dir, one of them|name a model/],
  [['toybox', '--model-dir', 'x'], /one of them/],
  [['nonsense'], /unknown model 'nonsense'/],
  [['toybox', '--precision', 'int3'], /Allowed choices are float32, float16, int8/],
])('convert %j is refused', async (words, message) => {
  const { code, stderr } = await cliBench().run('convert', ...words);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

it('convert opens a model once, and says what that has made', async () => {
  const { code, stdout } = await cliBench().run('convert', 'toybox');
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^toybox can be opened: nothing had to be made .*\n$/),
  ]);
  // With what a search would load later, such as a decoder of previews.
  const { catalogs, run } = cliBench();
  const loadAll = vi.fn(() => Promise.resolve());
  const model = { ...fakeModel(), loadAll };
  vi.spyOn(catalogs.findModel('toybox'), 'load').mockResolvedValue(model);
  expect((await run('convert', 'toybox')).code).toBe(0);
  expect([loadAll.mock.calls.length, model.closed()]).toEqual([1, true]);
  vi.stubEnv('VARSEARCH_CACHE', 'off');
  expect((await cliBench().run('convert', 'toybox')).stderr).toMatch(/'off', so that nothing would be kept/);
});
