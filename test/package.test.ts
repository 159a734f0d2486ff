// The package as a user gets it: packed by npm from a copy of the project, installed by npm into an empty folder without the
// network (dependencies are links to the project's own), and used by its two entries.

import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { packageRoot } from '../src/core/assets.js';
import { decodeWithRecipe } from '../src/index.js';

const project = packageRoot();
// Real paths, since npm and Node.js resolve links.
const base = realpathSync(mkdtempSync(join(tmpdir(), 'varsearch-package-')));
const copy = join(base, 'project');
const user = join(base, 'user');
const installed = join(user, 'node_modules', 'varsearch');

/** The environment without what npm tells the scripts that it runs, such as this test: it would take it for its own. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

async function run(cwd: string, program: string, ...words: string[]): Promise<string> {
  return runWith(env, cwd, program, ...words);
}

async function runWith(
  surroundings: NodeJS.ProcessEnv,
  cwd: string,
  program: string,
  ...words: string[]
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, words, {
    cwd,
    env: surroundings,
    maxBuffer: 2 ** 26,
  });
  return stdout;
}

/** The files below a folder, with slashes, in order. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .toSorted();
}

function link(name: string): void {
  const path = join(user, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(project, 'node_modules', name), path, 'junction');
}

beforeAll(async () => {
  const left = new Set(['node_modules', 'dist', 'out', '.git', '.work'].map((name) => join(project, name)));
  cpSync(project, copy, { recursive: true, filter: (source) => !left.has(source) });
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'), 'junction');
  // What an older build has left behind must not go out.
  mkdirSync(join(copy, 'dist', 'src', 'gone'), { recursive: true });
  writeFileSync(join(copy, 'dist', 'src', 'gone', 'gone.js'), '');
  await run(copy, 'npm', 'pack', '--pack-destination', base);

  const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }');
  Object.keys(dependencies).forEach(link);
  const packed = readdirSync(base).filter((name) => name.endsWith('.tgz'));
  expect(packed).toHaveLength(1);
  // Offline, npm fails where a dependency is missing or the link's version is not the one that package.json wants.
  const words = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  await run(user, 'npm', 'install', join(base, packed[0] ?? ''), ...words);
}, 300_000);
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});

describe('the package', { timeout: 180_000 }, () => {
  it('has its compiled sources, its weights and its papers, and nothing else', () => {
    const sources = filesOf(join(project, 'src')).filter(
      (name) => /\.tsx?$/.test(name) && !/\.(test|suite)\.tsx?$|(^|\/)fixtures\//.test(name),
    );
    const compiled = sources.flatMap((name) =>
      ['.js', '.d.ts'].map((ending) => `dist/src/${name.replace(/\.tsx?$/, ending)}`),
    );
    const weights = filesOf(join(project, 'assets')).map((name) => `assets/${name}`);
    const papers = ['LICENSE', 'README.md', 'package.json'];
    expect(filesOf(installed)).toEqual([...compiled, ...weights, ...papers].toSorted());
    // No tests and no developers' tools, wherever they may have come from.
    const tools = /(^|\/)(test|fixtures|fakes|golden|bench|training|conformance|scripts)\/|\.(test|suite)\./;
    expect(filesOf(installed).filter((name) => tools.test(name))).toEqual([]);
  });

  it('makes the same picture by its command and by its import', async () => {
    const command = join(user, 'node_modules', '.bin', 'varsearch');
    const words = ['a red star above a blue circle', '--strategy', 'random', '--images', '2', '--seed', '5'];
    const stdout = await run(user, command, 'generate', ...words, '--out', 'by-command', '--json');
    const { pixels } = JSON.parse(stdout) as { readonly pixels: string };
    const { recipe } = await decodeWithRecipe(readFileSync(join(user, 'by-command', 'picture.png')));
    expect(recipe).toMatchObject({ pixels, complete: true });
    expect(filesOf(join(user, 'by-command'))).toEqual(['index.html', 'picture.png', 'result.json']);

    const program = `
      import { generate } from 'varsearch';
      const options = { prompt: 'a red star above a blue circle', strategy: 'random', images: 2, seed: 5 };
      const { recipe } = await generate(options).result;
      console.log(recipe.pixels);
    `;
    writeFileSync(join(user, 'program.js'), program);
    expect((await run(user, process.execPath, 'program.js')).trim()).toBe(pixels);
  });

  it.each([
    ['process', { VARSEARCH_ENGINE: 'process' }],
    ['process, with telemetry on', { VARSEARCH_ENGINE: 'process', ORT_DISABLE_TELEMETRY: '0' }],
    ['thread', {}],
  ])('leaves nothing in a fresh home, and takes 100 kB of arguments (%s)', async (name, choice) => {
    const fresh = join(base, name);
    const [home, cache, temporary] = ['home', 'cache', 'tmp'].map((folder) => join(fresh, folder));
    for (const folder of [home, cache, temporary]) mkdirSync(folder!, { recursive: true });
    const { ORT_DISABLE_TELEMETRY: _, ...plain } = env;
    const surroundings = { ...plain, HOME: home, XDG_CACHE_HOME: cache, TMPDIR: temporary, ...choice };
    const command = join(user, 'node_modules', '.bin', 'varsearch');
    const words = [
      'a red star'.padEnd(30_000),
      '--strategy',
      'random',
      '--images',
      '1',
      '--out',
      `of ${name}`,
    ];
    await runWith(surroundings, user, command, 'generate', ...words);
    // The telemetry of the engine would read the process's arguments, and overflow: files that are not there make them long.
    if (name === 'thread') {
      const many = Array.from({ length: 1500 }, (_, i) => `${'x'.repeat(60)}${i}.png`);
      await expect(
        runWith(surroundings, user, command, 'score', ...many, join(user, `of ${name}`, 'picture.png')),
      ).rejects.toMatchObject({ code: 1 });
    }
    expect(filesOf(join(user, `of ${name}`))).toContain('picture.png');
    if (!name.endsWith('on')) expect(filesOf(fresh)).toEqual([]);
  });

  it('is a guest: no engine in the process, nothing in its environment, no end of it with a thread', async () => {
    const program = `
      import { isMainThread, parentPort, Worker } from 'node:worker_threads';
      import { generate } from 'varsearch';
      const run = generate({ prompt: 'a red star', strategy: 'random', images: 60, threads: 2 });
      if (isMainThread) {
        const before = JSON.stringify(process.env);
        for await (const { type } of run) if (type === 'judged') break;
        run.result.catch(() => undefined);
        const loaded = process.report.getReport().sharedObjects.filter((path) => path.includes('onnxruntime'));
        const worker = new Worker(new URL(import.meta.url));
        await new Promise((resolve) => worker.once('message', resolve));
        await new Promise((resolve) => setTimeout(resolve, 300));
        await worker.terminate();
        await new Promise((resolve) => setTimeout(resolve, 1500));
        console.log(loaded.length, JSON.stringify(process.env) === before, 'still alive');
        process.exit();
      } else {
        for await (const { type } of run) if (type === 'ready') parentPort.postMessage(type);
      }
    `;
    writeFileSync(join(user, 'guest.js'), program);
    const surroundings = { ...env, VARSEARCH_ENGINE: 'process' };
    expect((await runWith(surroundings, user, process.execPath, 'guest.js')).trim()).toBe(
      '0 true still alive',
    );
  });

  it('has types that a strict program compiles with, and no other entry', async () => {
    link('@types/node');
    const program = `
      import { generate, type GenerateResult } from 'varsearch';
      export const result: GenerateResult = await generate({ prompt: 'a red star', seed: 1 }).result;
      // @ts-expect-error -- seeds are numbers
      generate({ prompt: 'a red star', seed: '1' });
      // @ts-expect-error -- the inside of the package is closed
      await import('varsearch/dist/src/core/random.js');
    `;
    writeFileSync(join(user, 'program.ts'), program);
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
    const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    expect(await run(user, process.execPath, tsc, ...flags, 'program.ts')).toBe('');
  });
});
