import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { changedCopy } from '../../test/fixtures/changed-copy.js';
import { greyPicture, patternPicture } from '../../test/fixtures/pictures.js';
import { tinyClipTensors, writeTinyClip } from '../../test/fixtures/tiny-clip.js';
import { Ledger } from '../core/ledger.js';
import { createRuntime } from '../runtime/index.js';
import { writeSafetensors } from '../runtime/weights/index.js';
import { openClipScore } from './clip-score.js';
import { describeVerifier } from './verifier.suite.js';

const root = mkdtempSync(join(tmpdir(), 'clip-score-'));
const folder = mkdtempSync(join(root, 'tiny-'));
writeTinyClip(folder);
afterAll(() => {
  rmSync(root, { recursive: true });
});

const broken = (change: (at: string) => void): string => changedCopy(folder, root, change);

describeVerifier('clip-score', {
  open: (runtime) => openClipScore(runtime, { folder }),
  prompts: ['the red stars', 'a blue cat'],
  pictures: [
    patternPicture(32, 32),
    patternPicture(48, 32, 3),
    greyPicture(32, 32, 200),
    patternPicture(64, 64, 5),
  ],
  faults: [
    {
      what: 'no such folder',
      open: (runtime) => openClipScore(runtime, { folder: join(root, 'nowhere') }),
      says: /nowhere.* does not exist/,
    },
    {
      what: 'no weights',
      open: (runtime) =>
        openClipScore(runtime, { folder: broken((at) => rmSync(join(at, 'model.safetensors'))) }),
      says: /holds no checkpoint/,
    },
    {
      what: 'weights that are no model',
      open: (runtime) =>
        openClipScore(runtime, {
          folder: broken((at) => writeFileSync(join(at, 'model.safetensors'), '<html>')),
        }),
      says: /model\.safetensors: is a web page/,
    },
    {
      what: 'a damaged tokenizer',
      open: (runtime) =>
        openClipScore(runtime, { folder: broken((at) => writeFileSync(join(at, 'tokenizer.json'), '{')) }),
      says: /tokenizer\.json: is not valid JSON/,
    },
  ],
});

describe('clip-score', () => {
  it('is 2.5 times the cosine, and 0 where that is negative', async () => {
    const runtime = await createRuntime({ threads: 1 });
    const score = async (at: string): Promise<number> => {
      const verifier = await openClipScore(runtime, { folder: at });
      const judge = await verifier.prepare('the red stars', new Ledger());
      const [value = NaN] = await judge.score([patternPicture(32, 32)]);
      await verifier.close();
      return value;
    };
    // The cosine 0.300740 was recomputed in float64 with NumPy, see models/clip/clip.test.ts.
    expect(await score(folder)).toBeCloseTo(2.5 * 0.30074, 4);
    const turned = broken((at) => {
      const tensors = tinyClipTensors();
      const projection = tensors.get('text_projection.weight');
      projection?.data.forEach((x, i) => (projection.data[i] = -x));
      writeSafetensors(join(at, 'model.safetensors'), tensors);
    });
    expect(await score(turned)).toBe(0);
    const damaged = broken((at) => {
      const tensors = tinyClipTensors();
      tensors.get('visual_projection.weight')?.data.fill(NaN);
      writeSafetensors(join(at, 'model.safetensors'), tensors);
    });
    await expect(score(damaged)).rejects.toThrow(/embeddings are not finite numbers/);
    await runtime.close();
  });
});
