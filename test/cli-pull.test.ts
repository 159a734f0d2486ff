import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { runCli } from '../src/cli/program.js';
import { progressWords, Rate } from '../src/cli/pull-progress.js';
import { assetPath } from '../src/core/assets.js';
import { builtInCatalogs } from '../src/engine/catalogs.js';
import { findModel } from '../src/models/catalog.js';
import { openWeights } from '../src/runtime/weights/index.js';
import { temporaryFolder } from './fakes/cli.js';
import { COMMIT, type FakeHub, startHub } from './fakes/hub-server.js';

const toybox = (...parts: string[]): Buffer => readFileSync(assetPath('toybox', ...parts));

/** The embedded model under the official names: small, and of the same layout. */
function officialFiles(): Record<string, Record<string, Uint8Array | string>> {
  const encoder = openWeights(assetPath('toybox', 'text-encoder'));
  const first = 'model-00001-of-00002.safetensors';
  const second = 'model-00002-of-00002.safetensors';
  const map = { ...Object.fromEntries(encoder.names.map((name) => [name, first])), 'decoder.x': second };
  encoder.close();
  return {
    'FoundationVision/Infinity': {
      'infinity_2b_reg.pth': toybox('transformer.pth'),
      'infinity_vae_d32reg.pth': toybox('vae.pth'),
    },
    'google/flan-t5-xl': {
      'config.json': toybox('text-encoder', 'config.json'),
      'tokenizer.json': toybox('text-encoder', 'tokenizer.json'),
      'tokenizer_config.json': toybox('text-encoder', 'tokenizer_config.json'),
      'model.safetensors.index.json': JSON.stringify({ weight_map: map }),
      [first]: toybox('text-encoder', 'model.safetensors'),
    },
  };
}

let hub: FakeHub;
let folder: string;

beforeEach(async () => {
  folder = temporaryFolder();
  const repos = Object.entries(officialFiles()).map(([repo, files]) => [repo, { files }] as const);
  hub = await startHub(Object.fromEntries(repos));
  vi.stubEnv('VARSEARCH_MODELS', join(folder, 'models'));
  vi.stubEnv('HF_HOME', folder);
  vi.stubEnv('HF_HUB_CACHE', '');
  vi.stubEnv('HF_TOKEN', '');
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function cli(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(words, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    env: process.env,
    cwd: folder,
    catalogs: builtInCatalogs,
    onInterrupt: () => () => undefined,
  });
  return { code, ...written };
}

const infinity = () => join(folder, 'hub', 'models--FoundationVision--Infinity');

describe('varsearch pull', () => {
  it('brings a model that is then found by its name, its encoder by the shard that it needs', async () => {
    expect(findModel('infinity-2b').installed()).toMatch(
      /^infinity_2b_reg\.pth of FoundationVision\/Infinity, .* are missing: 'varsearch pull infinity-2b' fetches them, or put them into/,
    );
    const { code, stdout, stderr } = await cli('pull', 'infinity-2b');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^infinity-2b is here \([\d.]+ MB came\)\n$/);
    expect(stderr).toMatch(/6\/6 model-00001-of-00002\.safetensors {2}[\d.]+ MB of .*\(100%\)/);
    expect(hub.requests.some(({ path }) => path.includes('00002-of-00002'))).toBe(false);
    const entry = findModel('infinity-2b');
    expect(entry.installed()).toBe(true);
    // What is half here says so.
    expect(findModel('infinity-8b').installed()).toMatch(
      /^it is half pulled and lacks infinity_8b_weights\//,
    );
    const model = await entry.load({ threads: 1 });
    const hashes = await model.hashes();
    expect(Object.keys(hashes)).toContain('textEncoder/model-00001-of-00002.safetensors');
    expect(Object.keys(hashes)).not.toContain('textEncoder/model-00002-of-00002.safetensors');
    await model.close();
    expect((await cli('pull', 'infinity-2b')).stdout).toBe('infinity-2b was here already\n');
  });

  it('leaves a model that is half pulled alone, with the way on', async () => {
    hub.fault = ({ path }) => (path === 'infinity_vae_d32reg.pth' ? { status: 404 } : null);
    const failed = await cli('pull', 'infinity-2b', '--quiet');
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(/has no infinity_vae_d32reg\.pth of FoundationVision\/Infinity \(404\)/);
    const run = await cli('generate', 'a red star', '--model', 'infinity-2b', '--memory', '64GB');
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(
      /^loading infinity-2b\nvarsearch: model 'infinity-2b' is not installed: it is half pulled and lacks infinity_vae_d32reg\.pth of [^\n]*'varsearch pull infinity-2b' goes on where it stopped\n$/,
    );
    hub.fault = () => null;
    expect((await cli('pull', 'infinity-2b')).code).toBe(0);
    expect(findModel('infinity-2b').installed()).toBe(true);
  });

  it('goes by the folder that the user has filled before the cache', async () => {
    const own = join(folder, 'models', 'infinity-2b');
    mkdirSync(join(own, 'text-encoder'), { recursive: true });
    writeFileSync(join(own, 'infinity_2b_reg.pth'), 'not a checkpoint');
    await cli('pull', 'infinity-2b');
    await expect(findModel('infinity-2b').load({ threads: 1 })).rejects.toThrow(own);
    rmSync(own, { recursive: true });
    expect(findModel('infinity-2b').installed()).toBe(true);
    truncateSync(join(infinity(), 'snapshots', COMMIT, 'infinity_2b_reg.pth'), 1_000_000);
    await expect(findModel('infinity-2b').load({ threads: 1 })).rejects.toThrow(/infinity_2b_reg\.pth: /);
  });

  it('lists what there is, and says what it does not know', async () => {
    const { stdout } = await cli('pull');
    for (const name of ['infinity-125m', 'infinity-2b', 'infinity-8b', 'infinity-8b-512', 'llava']) {
      expect(stdout).toMatch(new RegExp(`^${name} +not installed +(over )?[\\d.]+ [GM]B`, 'm'));
    }
    expect((await cli('pull', 'toybox')).stderr).toMatch(/'toybox' has no files to fetch: it is here/);
    const unknown = await cli('pull', 'infinity');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/there is nothing called 'infinity' to pull: choose from infinity-125m/);
  });
});

describe('the progress of a pull', () => {
  it('tells the rate of late and the time that is left', () => {
    const rate = new Rate();
    rate.add(0, 0);
    expect(rate.perSecond).toBeNull();
    for (let second = 1; second <= 40; second++) rate.add(second * (second < 20 ? 1e6 : 2e6), second * 1000);
    expect(rate.perSecond).toBeCloseTo(2e6, -1);
    expect(progressWords(1.2e9, 8.82e9, 12e6)).toBe('1.20 GB of 8.82 GB (14%), 12.0 MB/s, 10 min 35 s left');
    expect(progressWords(0, 10, null)).toBe('0 B of 10 B (0.0%)');
  });
});
