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
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
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

/** The engine's package, and the library in it: too large to be packed for a test. */
const ENGINE = 'onnxruntime-node';
const BINARIES = join(ENGINE, 'bin', 'napi-v6', process.platform, process.arch);
const isLibrary = (name: string): boolean => !name.endsWith('.node');
const BUNDLED = [ENGINE, 'onnxruntime-common'];

/**
 * The packages of the copy: links to the project's own, but for the bundled ones, which npm packs. The engine has an install script
 * again that fails, as its own does without network, and empty files in the place of its libraries.
 */
function layPackages(): void {
  const [from, to] = [project, copy].map((folder) => join(folder, 'node_modules')) as [string, string];
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (!BUNDLED.includes(name) && name !== '.package-lock.json')
      {symlinkSync(join(from, name), join(to, name), 'junction');}
  }
  cpSync(join(from, 'onnxruntime-common'), join(to, 'onnxruntime-common'), { recursive: true });
  const binaries = join(from, ENGINE, 'bin');
  cpSync(join(from, ENGINE), join(to, ENGINE), { recursive: true, filter: (source) => source !== binaries });
  mkdirSync(join(to, BINARIES), { recursive: true });
  for (const name of readdirSync(join(from, BINARIES))) {
    if (isLibrary(name)) writeFileSync(join(to, BINARIES, name), '');
    else cpSync(join(from, BINARIES, name), join(to, BINARIES, name));
  }
  const file = join(to, ENGINE, 'package.json');
  const engine = JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>;
  const needs = { ...engine['dependencies'], 'global-agent': '^4.1.3' };
  writeFileSync(file, JSON.stringify({ ...engine, scripts: { postinstall: 'exit 1' }, dependencies: needs }));
}

/** Puts the engine's libraries in the place of the empty files. */
function fillEngine(): void {
  const to = join(installed, 'node_modules', BINARIES);
  for (const name of readdirSync(to).filter(isLibrary)) {
    rmSync(join(to, name));
    symlinkSync(join(project, 'node_modules', BINARIES, name), join(to, name));
  }
}

beforeAll(async () => {
  const left = new Set(['node_modules', 'dist', 'out', '.git', '.work'].map((name) => join(project, name)));
  cpSync(project, copy, { recursive: true, filter: (source) => !left.has(source) });
  layPackages();
  // What an older build has left behind must not go out.
  mkdirSync(join(copy, 'dist', 'src', 'gone'), { recursive: true });
  writeFileSync(join(copy, 'dist', 'src', 'gone', 'gone.js'), '');
  await run(copy, 'npm', 'pack', '--pack-destination', base);

  const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }');
  for (const name of Object.keys(dependencies)) if (!BUNDLED.includes(name)) link(name);
  const packed = readdirSync(base).filter((name) => name.endsWith('.tgz'));
  expect(packed).toHaveLength(1);
  // Offline, npm fails where a dependency is missing or the link's version is not the one that package.json wants; and it fails
  // where an install script does.
  const words = ['--offline', '--no-audit', '--no-fund', '--no-package-lock'];
  await run(user, 'npm', 'install', join(base, packed[0] ?? ''), ...words);
  fillEngine();
}, 900_000);
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});

describe('the package', { timeout: 180_000 }, () => {
  it('has its compiled sources, its weights, its schemas and its papers, and nothing else', () => {
    const sources = filesOf(join(project, 'src')).filter(
      (name) => /\.tsx?$/.test(name) && !/\.(test|suite)\.tsx?$|(^|\/)fixtures\//.test(name),
    );
    const compiled = sources.flatMap((name) =>
      ['.js', '.d.ts'].map((ending) => `dist/src/${name.replace(/\.tsx?$/, ending)}`),
    );
    const data = ['assets', 'schemas'].flatMap((part) =>
      filesOf(join(project, part)).map((name) => `${part}/${name}`),
    );
    const papers = ['LICENSE', 'NOTICE', 'README.md', 'package.json'];
    const ours = filesOf(installed).filter((name) => !name.startsWith('node_modules/'));
    expect(ours).toEqual([...compiled, ...data, ...papers].toSorted());
    // No tests and no developers' tools, wherever they may have come from.
    const tools = /(^|\/)(test|fixtures|fakes|golden|bench|training|conformance|scripts)\/|\.(test|suite)\./;
    expect(ours.filter((name) => tools.test(name))).toEqual([]);
  });

  it('carries the engine, without a script that npm would run', () => {
    expect(readdirSync(join(installed, 'node_modules')).toSorted()).toEqual(BUNDLED.toSorted());
    const engine = JSON.parse(
      readFileSync(join(installed, 'node_modules', ENGINE, 'package.json'), 'utf8'),
    ) as Record<string, unknown>;
    expect(engine).not.toHaveProperty('scripts');
    expect(Object.keys(engine['dependencies'] as object)).toEqual(['onnxruntime-common']);
    // A clone has it from the lock file, which says nothing of the script either: `npm ci` then runs none.
    const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, object>>;
    };
    expect(lock.packages[`node_modules/${ENGINE}`]).not.toHaveProperty('hasInstallScript');
  });

  it('is in order by the rules of publint', async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages).toEqual([]);
  });

  it('says on an old Node.js which one it needs, by its command and by its import', async () => {
    const old = join(base, 'old.mjs');
    writeFileSync(old, "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });");
    const words = ['--import', pathToFileURL(old).href];
    const fault =
      'varsearch needs Node.js 20.10 or newer, and this is 18.20.4: install a newer one (nodejs.org)';
    const command = join(installed, 'dist', 'src', 'cli', 'main.js');
    await expect(run(user, process.execPath, ...words, command, 'models')).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: `${fault}\n`,
    });
    writeFileSync(join(user, 'old.js'), "import('varsearch').catch((error) => console.log(error.message));");
    expect((await run(user, process.execPath, ...words, 'old.js')).trim()).toBe(fault);
  });

  it('runs in the realms of test runners: threads and processes with a context of their own', async () => {
    for (const name of ['vitest', 'vite']) link(name);
    const spec = `
      import { generate } from 'varsearch';
      test('a picture', async () => {
        const options = { prompt: 'a red star', strategy: 'random', images: 1, seed: 1, threads: 1 };
        const { signal } = new AbortController();
        const runs = [options, { ...options, signal }].map((each) => generate(each).result);
        for (const { standing } of await Promise.all(runs)) expect(standing.score).toBeGreaterThan(1);
        await expect(generate({ ...options, modelDir: 'none' }).result).rejects.toThrow(/none/);
      });
    `;
    writeFileSync(join(user, 'realm.spec.mjs'), spec);
    const projects = ['vmThreads', 'vmForks'].map((pool) => ({
      test: { name: pool, pool, globals: true, include: ['realm.spec.mjs'], testTimeout: 60_000 },
    }));
    writeFileSync(
      join(user, 'vitest.config.mjs'),
      `export default ${JSON.stringify({ test: { projects } })};`,
    );
    const vitest = join(project, 'node_modules', 'vitest', 'vitest.mjs');
    const report = await run(user, process.execPath, vitest, 'run', '--reporter=json');
    expect(JSON.parse(report)).toMatchObject({ numPassedTests: 2, numTotalTests: 2 });
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
