// FLUX from the command line: a search, its picture, its replay, what it would cost, and what it refuses. On a tiny model of
// random weights in a folder, and on the embedded one where its weights are there.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runCli } from '../src/cli/program.js';
import { builtInCatalogs, decodePicture } from '../src/index.js';
import { findModel } from '../src/models/catalog.js';
import type { ResultJson } from '../src/run/result.js';
import type { CliOutcome } from './fakes/cli.js';
import {
  OWN_NAMES,
  tinyFluxTensors,
  WITH_TEXT,
  writeFluxText,
  writeOfficialFlux,
} from './fixtures/tiny-flux.js';

const folder = mkdtempSync(join(tmpdir(), 'varsearch-flux-cli-'));
beforeAll(() => {
  writeOfficialFlux(join(folder, 'tiny'), tinyFluxTensors({ texts: WITH_TEXT }));
  writeFluxText(join(folder, 'tiny'), OWN_NAMES);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs a command line with the built-in catalogues. */
async function run(...words: string[]): Promise<CliOutcome> {
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
  const code = await runCli(words, {
    stdout: output('stdout'),
    stderr: output('stderr'),
    env: {},
    cwd: folder,
    catalogs: builtInCatalogs,
    onInterrupt: () => () => undefined,
  });
  return { code, ...written };
}

const TINY = ['--model-dir', join(folder, 'tiny')];
const JUDGED = [...TINY, '--verifier', 'clip-score'];
const resultOf = (name: string): ResultJson =>
  JSON.parse(readFileSync(join(folder, name, 'result.json'), 'utf8')) as ResultJson;

describe('generate with a FLUX', () => {
  it('searches at random where nothing is said, and its picture is made again from its recipe', async () => {
    const options = ['--steps', '2', '--size', '16x16', '--shift', '2', '--budget', '6', '--seed', '5'];
    const { code, stdout, stderr } = await run(
      'generate',
      'a red star',
      ...JUDGED,
      ...options,
      '--out',
      'here',
    );
    expect(stderr).not.toContain('varsearch:');
    expect(code).toBe(0);
    expect(stdout).toContain('Random search, 3 images: 3 pictures, 6 NFE');
    const { options: resolved, schedule, ledger, hashes } = resultOf('here');
    expect(resolved.modelOptions).toEqual({
      steps: 2,
      guidance: 3.5,
      cfg: 1,
      shift: 2,
      solver: 'plain',
      size: '16x16',
    });
    expect(resolved.search).toEqual({ strategy: 'random', images: 3 });
    expect(schedule).toMatchObject({ unit: 'step', steps: { length: 3 } });
    expect(ledger).toMatchObject({ nfe: 6, forwards: 6, imagesDecoded: 3, imagesVerified: 3 });
    expect(ledger.transformerFlops).toBe(3 * schedule.steps.reduce((sum, { flops }) => sum + flops, 0));
    expect(Object.keys(hashes.model)).toEqual(
      expect.arrayContaining(['transformer', 'autoencoder', 'config', 't5', 'clipText']),
    );
    const { text } = await decodePicture(readFileSync(join(folder, 'here', 'picture.png')), 'it');
    expect(text['parameters']).toMatch(
      /^a red star\nSteps: 2, .*CFG scale: 1, Distilled CFG Scale: 3\.5, Seed: 5, Size: 16x16/,
    );
    const again = await run('replay', 'here/picture.png', ...TINY);
    expect(again.stdout).toContain('every pixel the same');
    expect(again.code).toBe(0);
  });

  it('elects step by step where every step draws', async () => {
    const sizes = ['--width', '2', '--candidates', '2,2,1', '--steps', '2', '--size', '8x8'];
    const words = ['generate', 'a red star', ...JUDGED, '--strategy', 'beam', ...sizes];
    const { code, stdout } = await run(...words, '--solver', 'stochastic', '--out', 'beam');
    expect(stdout).toContain('Beam search, width 2, 2, 2, 1 candidates, elected rollouts kept: 6 pictures');
    expect(code).toBe(0);
    const { ledger } = resultOf('beam');
    // The last step draws nothing and is no round: 4 pictures of two steps, then of each of the two elected one more.
    expect(ledger.nfe).toBe(4 * 2 + 2 * 2);
  });

  it.each([
    ['beam', [], /step 2 \(t = 1\.00\) draws no random numbers, so that .* search at random/],
    ['gto', [], /step 2 \(t = 1\.00\) draws no random numbers/],
    [
      'gto',
      ['--candidates', '3', '--solver', 'stochastic'],
      /step 6 \(t = 0\.\d\d\) draws no random numbers/,
    ],
    ['random', ['--top-k', '2'], /tiny does not take --top-k: it takes steps, guidance/],
    ['random', ['--size', '1M'], /--size must be a width and a height such as 1024x768/],
    ['random', ['--size', '18x18'], /multiples of 4 pixels, not 18x18/],
    ['random', ['--steps', '0'], /--steps must be a whole number from 1 to 1000/],
    ['random', ['--dry-run', '--scales', '2'], /--scales is for models with scales: tiny takes --steps/],
  ] as const)('refuses %s with %j in one line, and writes nothing', async (strategy, more, message) => {
    const before = readdirSync(folder);
    const { code, stderr } = await run('generate', 'a red star', ...JUDGED, '--strategy', strategy, ...more);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('without any weights', () => {
  it('a dry run counts a search of the embedded and of the official FLUX', async () => {
    const counted = async (...words: string[]) =>
      JSON.parse((await run('generate', '--dry-run', '--json', ...words)).stdout) as {
        schedule: { unit: string; steps: readonly unknown[] };
        runs: readonly { nfe: number; images: number; flops: number; search: object }[];
      };
    const flow = await counted('--model', 'toybox-flow');
    expect(flow.schedule).toMatchObject({ unit: 'step', steps: { length: 17 } });
    expect(flow.runs[0]?.search).toEqual({ strategy: 'random', images: 15 });
    const dev = await counted(
      '--model',
      'flux1-dev',
      '--strategy',
      'random',
      '--images',
      '96',
      '--steps',
      '30',
    );
    expect(dev.runs[0]).toMatchObject({ nfe: 2880, images: 96 });
    expect((dev.runs[0]?.flops ?? 0) / 96 / 30 / 1e12).toBeCloseTo(74.385, 3);
  });

  it('models are listed with their licences', async () => {
    const { stdout } = await run('models');
    expect(stdout).toMatch(/toybox-flow +16 steps to t = 0\.\d\d +Apache-2\.0/);
    expect(stdout).toMatch(/flux1-dev +28 steps to t = 0\.\d\d +FLUX\.1 \[dev\] Non-Commercial \(gated\)/);
    expect(stdout).toMatch(/flux1-schnell +4 steps to t = 0\.25 +Apache-2\.0 \(gated\)/);
  });
});

describe.skipIf(findModel('toybox-flow').installed() !== true)(
  'the embedded FLUX (where its weights are)',
  () => {
    it('draws, and draws the same again', async () => {
      const words = ['generate', 'a red star', '--model', 'toybox-flow', '--budget', '16', '--out', 'flow'];
      expect((await run(...words)).stdout).toContain('Random search, 1 image: 1 pictures, 16 NFE');
      const again = await run('replay', 'flow/picture.png');
      expect(again.stdout).toContain('every pixel the same');
      const { stderr } = await run(
        'generate',
        'a purple unicorn',
        '--model',
        'toybox-flow',
        '--budget',
        '16',
        '--out',
        'unicorn',
      );
      expect(stderr).toContain('unicorn');
    });
  },
);
