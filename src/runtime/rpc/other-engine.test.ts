// Other versions of ONNX Runtime are seen in what npm, pnpm and others leave behind, and what is done about them.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { TestMethods } from './fixtures/methods.js';
import { elsewhere, Line } from './index.js';
import { clashOf, findOtherEngine } from './other-engine.js';

const OWN = (
  JSON.parse(
    readFileSync(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'), 'utf8'),
  ) as { readonly version: string }
).version;

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'varsearch-engines-'));
  vi.spyOn(process, 'cwd').mockReturnValue(project);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(project, { recursive: true });
});

/** Puts a file into the project's packages. */
function put(path: string, text: string): void {
  const file = join(project, 'node_modules', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const engine = (version: string): string => JSON.stringify({ name: 'onnxruntime-node', version });
const npmList = (entries: Readonly<Record<string, string>>): string =>
  JSON.stringify(
    {
      packages: Object.fromEntries(
        Object.entries(entries).map(([path, version]) => [`node_modules/${path}`, { version }]),
      ),
    },
    null,
    2,
  );
const NESTED = '@huggingface/transformers/node_modules/onnxruntime-node';

describe('another engine', () => {
  it('is none in this project, nor where ours is installed again', () => {
    expect(findOtherEngine()).toBeUndefined();
    put('onnxruntime-node/package.json', engine(OWN));
    put('.package-lock.json', npmList({ 'onnxruntime-node': OWN, 'onnxruntime-node-tools': '1.0.0' }));
    expect(findOtherEngine()).toBeUndefined();
  });

  it.each([
    [
      'npm, for all',
      () => put('.package-lock.json', npmList({ sharp: '0.33.0', 'onnxruntime-node': '1.24.3' })),
    ],
    ['npm, for one package', () => put('.package-lock.json', npmList({ [NESTED]: '1.24.3' }))],
    [
      'pnpm',
      () => put('.pnpm/onnxruntime-node@1.24.3/node_modules/onnxruntime-node/package.json', engine('1.24.3')),
    ],
    ['others, for all', () => put('onnxruntime-node/package.json', engine('1.24.3'))],
    ['others, for Transformers.js', () => put(`${NESTED}/package.json`, engine('1.24.3'))],
  ])('is found where it was put by %s', (_, install) => {
    install();
    expect(findOtherEngine()).toMatchObject({ version: '1.24.3' });
    vi.mocked(process.cwd).mockReturnValue(join(project, 'src', 'deep'));
    expect(findOtherEngine()?.place).toContain(join(project, 'node_modules'));
  });

  it('makes ours live in a process, unless the user wants a thread', async () => {
    const words = { worker: 'The worker', closed: 'Closed.', remedy: 'Again.' };
    const whereIsIt = async (): Promise<number> => {
      const line = new Line<TestMethods>(elsewhere(import.meta.url, 'fixtures/worker'), words);
      try {
        return (await line.call('facts')).process;
      } finally {
        await line.close();
      }
    };
    vi.stubEnv('VARSEARCH_ENGINE', undefined);
    expect(await whereIsIt()).toBe(process.pid);
    put('onnxruntime-node/package.json', engine('1.24.3'));
    expect(await whereIsIt()).not.toBe(process.pid);
    vi.stubEnv('VARSEARCH_ENGINE', 'thread');
    expect(await whereIsIt()).toBe(process.pid);
  });

  it('is named when the two clash in a thread, with what to do', () => {
    put('onnxruntime-node/package.json', engine('1.24.3'));
    const place = join(project, 'node_modules', 'onnxruntime-node');
    const linux = new Error(
      "libonnxruntime.so.1: version `VERS_1.30.0' not found (required by binding.node)",
    );
    expect(clashOf(linux)).toMatchObject({
      name: 'RuntimeError',
      cause: linux,
      message:
        `this process has loaded version 1.24.3 (${place}) of onnxruntime-node, and varsearch needs ${OWN}: ` +
        'VARSEARCH_ENGINE=process keeps the two apart, or install one version of it',
    });
    expect(clashOf(new Error('The model is broken'))).toBeUndefined();
    expect(clashOf('no error')).toBeUndefined();
  });
});
