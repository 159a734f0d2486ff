// Published lists, fetched from a server of the test's own and checked; and files of prompts.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { DRAWBENCH, DRAWBENCH_COPY } from './drawbench.js';
import { fetchFile, sha256Of } from './fetched.js';
import { GENEVAL, GENEVAL_FILE } from './geneval.js';
import { promptFile } from './prompt-file.js';
import { COMPBENCH, COMPBENCH_FILES } from './t2i-compbench.js';

const SHARED = new URL('../../../../shared/benchmarks/', import.meta.url);

/** A server that gives the same bytes for every address that fits, and counts. */
async function serving(bytes: string | Uint8Array | null, fits = /./) {
  const asked: string[] = [];
  const server = createServer((request, answer) => {
    const url = decodeURIComponent(request.url?.slice(1) ?? '');
    asked.push(url);
    const has = bytes !== null && fits.test(url);
    answer.statusCode = has ? 200 : 404;
    answer.end(has ? bytes : 'nothing');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const cache = mkdtempSync(join(tmpdir(), 'bench-lists-'));
  return {
    asked,
    context: { cache, mirror: (url: string) => `http://127.0.0.1:${port}/${encodeURIComponent(url)}` },
  };
}

it('fetches a file once, checks it, and fetches it again where the cache was damaged', async () => {
  const { asked, context } = await serving('a\nb\n');
  const told: string[] = [];
  const file = { name: 'x.txt', url: 'https://example.org/x', licence: 'MIT', sha256: sha256Of('a\nb\n') };
  const all = { ...context, tell: (message: string) => told.push(message) };
  await fetchFile(file, all);
  await fetchFile(file, all);
  expect(asked).toHaveLength(1);
  expect(told).toEqual(['fetching https://example.org/x (licence: MIT)']);
  writeFileSync(join(context.cache, 'x.txt'), 'other');
  expect(Buffer.from(await fetchFile(file, all)).toString()).toBe('a\nb\n');
  expect(asked).toHaveLength(2);
});

it('says in one line what cannot be fetched, and what is another file', async () => {
  const other = await serving('{}');
  await expect(GENEVAL.load(other.context)).rejects.toThrow(/is not the file that this version .* knows/);
  const absent = await serving(null);
  await expect(GENEVAL.load(absent.context)).rejects.toThrow('the server answers 404');
});

it('reads DrawBench, whose commas are quoted, and refuses a sheet with other counts', async () => {
  const sizes = { Colors: 25, Conflicting: 10, Counting: 19, 'DALL-E': 20, Descriptions: 20 };
  const more = {
    'Gary Marcus et al. ': 10,
    Misspellings: 10,
    Positional: 20,
    'Rare Words': 7,
    Reddit: 38,
    Text: 21,
  };
  const rows = Object.entries({ ...sizes, ...more }).flatMap(([kind, size]) =>
    Array.from({ length: size }, (_, i) => `"prompt ${i}, of ""${kind}""","${kind}"`),
  );
  const sheet = (lines: readonly string[]) => ['"Prompts","Category"', ...lines].join('\n');
  // The copy that is pinned is gone.
  const { asked, context } = await serving(sheet(rows), /google/);
  const { prompts, source } = await DRAWBENCH.load(context);
  expect([asked[0], asked[1], source]).toEqual([DRAWBENCH_COPY.url, source, expect.stringMatching(/google/)]);
  await DRAWBENCH.load(context);
  expect(asked).toHaveLength(2);
  expect(prompts).toHaveLength(200);
  expect(prompts[94]).toEqual({
    index: 94,
    text: 'prompt 0, of "Gary Marcus et al. "',
    kind: 'Gary Marcus et al.',
  });
  const short = DRAWBENCH.load((await serving(sheet(rows.slice(1)), /google/)).context);
  await expect(short).rejects.toThrow('has 24 prompts of Colors in place of 25');
  // Bytes that are not the copy's are not taken for it, and say so where the sheet is gone as well.
  const forged = DRAWBENCH.load((await serving(sheet(rows), /githubusercontent/)).context);
  await expect(forged).rejects.toThrow(
    /drawbench\.csv is not the file that this version .*; nor another place: cannot fetch .*google.*404; or give a file of your own/,
  );
});

const readShared = (path: string): Uint8Array | null => {
  try {
    return readFileSync(new URL(path, SHARED));
  } catch {
    // These copies are beside the developers' checkout, and nowhere else.
    return null;
  }
};

describe.skipIf(readShared('geneval/evaluation_metadata.jsonl') === null)('the published lists', () => {
  const cache = mkdtempSync(join(tmpdir(), 'bench-shared-'));

  it('are read as they are', async () => {
    const copy = (name: string, path: string): void => {
      writeFileSync(join(cache, name), readShared(path) ?? '');
    };
    copy(GENEVAL_FILE.name, 'geneval/evaluation_metadata.jsonl');
    for (const { name, kind } of COMPBENCH_FILES) copy(name, `t2i-compbench/${kind}_val.txt`);
    const geneval = await GENEVAL.load({ cache });
    expect([geneval.prompts.length, geneval.metadata?.length]).toEqual([553, 553]);
    const { prompts } = await COMPBENCH.load({ cache });
    expect(prompts).toHaveLength(2400);
    expect(prompts.filter(({ text }) => /[\r\n]/.test(text))).toEqual([]);
  });
});

describe('files of prompts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-prompts-'));
  const load = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return promptFile(path)?.load();
  };
  const two = [
    { index: 0, text: 'a red star', kind: 'one' },
    { index: 1, text: 'two hearts, big', kind: '' },
  ];

  it.each([
    ['a.txt', '\ufeffa red star\r\n\r\n two hearts, big', ['', '']],
    ['a.csv', 'category,Prompt\none,a red star\n,"two hearts, big"\n', ['one', '']],
    ['a.jsonl', '{"prompt":"a red star","kind":"one"}\n{"prompt":"two hearts, big"}', ['one', '']],
  ])('are read: %s', async (name, text, kinds) => {
    const found = await load(name, text);
    expect(found?.prompts).toEqual(two.map((prompt, i) => ({ ...prompt, kind: kinds[i] })));
  });

  it('are refused with the line that is wrong', async () => {
    await expect(load('b.jsonl', '{"prompt":"a"}\n{"text":"b"}')).rejects.toThrow('line 2 of');
    await expect(load('b.csv', 'text\na')).rejects.toThrow('it needs one called prompt');
    await expect(load('b.txt', '\n')).rejects.toThrow('holds no prompts');
    expect(promptFile('toybench')).toBeNull();
  });
});
