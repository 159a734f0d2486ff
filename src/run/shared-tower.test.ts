// Several verifiers over one CLIP, as a whole search and its report use them: every picture goes through the image tower once.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { fakeCatalogs } from '../../test/fakes/catalogs.js';
import { TINY_CLIP, writeTinyClip } from '../../test/fixtures/tiny-clip.js';
import { tinyAestheticTensors } from '../../test/fixtures/tiny-image-reward.js';
import { writeTorchFile } from '../../test/fixtures/torch-file.js';
import type { Catalogs } from '../engine/catalogs.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { openVarsearch } from '../varsearch.js';
import { openAesthetic } from '../verifiers/aesthetic.js';
import type { VerifierEntry, VerifierLoadOptions } from '../verifiers/catalog.js';
import { clipScore } from '../verifiers/clip-score.js';
import type { Verifier } from '../verifiers/contract.js';

const folder = mkdtempSync(join(tmpdir(), 'tower-'));
writeTinyClip(folder);
const head = join(folder, 'head.pth');
writeTorchFile(head, tinyAestheticTensors(TINY_CLIP.embedding));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** CLIPScore and two Aesthetic Scores over the same tiny CLIP, and the runtimes that were made for them. */
function tinyCatalogs(): Catalogs & { readonly runtimes: readonly Runtime[] } {
  const fakes = fakeCatalogs();
  const share = ({ clips }: VerifierLoadOptions): ReturnType<NonNullable<typeof clips>['open']> => {
    if (!clips) throw new Error('the verifiers were not given a pool');
    return clips.open(folder, { weights: 'model.safetensors' });
  };
  const entry = (name: string, open: (options: VerifierLoadOptions) => Promise<Verifier>): VerifierEntry => ({
    ...fakes.findVerifier('clip-score'),
    name,
    load: async (options = {}) => ({ ...(await open(options)), name }),
  });
  const beauty = (options: VerifierLoadOptions): Promise<Verifier> =>
    openAesthetic({ openClip: () => share(options), head });
  const verifiers = [
    entry('score', async (options) => clipScore(await share(options))),
    entry('beauty', beauty),
    entry('held-out', beauty),
  ];
  const findVerifier: Catalogs['findVerifier'] = (name) => {
    const found = verifiers.find((each) => each.name === name);
    return found ?? fakes.findVerifier(name);
  };
  const runtimes: Runtime[] = [];
  const create = async (): Promise<Runtime> => {
    const runtime = await createRuntime({ threads: 1 });
    runtimes.push(runtime);
    return runtime;
  };
  return { ...fakes, verifiers, findVerifier, createRuntime: create, runtimes };
}

it('runs the image tower once for every group of pictures, whoever asks, the report included', async () => {
  const runsOf = async (verifier: string, holdOut?: string): Promise<number> => {
    const catalogs = tinyCatalogs();
    const options = holdOut === undefined ? { verifier } : { verifier, holdOut };
    const varsearch = await openVarsearch(options, { catalogs });
    const result = await varsearch.generate({ prompt: 'a cat', strategy: 'gto', candidates: 4 }).result;
    const members = verifier.split(',').length;
    expect(result.ledger).toMatchObject({ imagesDecoded: 16, imagesVerified: 16 * members });
    if (holdOut !== undefined) expect(result.report?.rows.map((row) => row.verifier)).toContain('held-out');
    expect(catalogs.runtimes).toHaveLength(1);
    const stats = await catalogs.runtimes[0]?.stats();
    await varsearch.close();
    return stats?.runs ?? NaN;
  };
  const alone = await runsOf('score');
  // One run of the text tower, and one of the image tower a group: four rounds of four pictures that fit into one group each.
  expect(alone).toBe(1 + 4);
  expect(await runsOf('score,beauty')).toBe(alone);
  expect(await runsOf('score,beauty', 'held-out')).toBe(alone);
});
