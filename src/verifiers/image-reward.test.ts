import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { changedCopy } from '../../test/fixtures/changed-copy.js';
import { greyPicture, patternPicture } from '../../test/fixtures/pictures.js';
import {
  tinyImageRewardTensors,
  tinyMedConfig,
  writeTinyImageReward,
} from '../../test/fixtures/tiny-image-reward.js';
import { clipTokenizerJson } from '../../test/fixtures/tiny-tokenizers.js';
import { writeTorchFile } from '../../test/fixtures/torch-file.js';
import { RuntimeError } from '../core/errors.js';
import { Ledger } from '../core/ledger.js';
import { createRuntime } from '../runtime/index.js';
import { cutWarning } from './contract.js';
import { openImageRewardVerifier } from './image-reward.js';
import { describeVerifier, type VerifierCase } from './verifier.suite.js';

const root = mkdtempSync(join(tmpdir(), 'image-reward-'));
const folder = mkdtempSync(join(root, 'tiny-'));
writeTinyImageReward(folder);
afterAll(() => {
  rmSync(root, { recursive: true });
});

const broken = (change: (at: string) => void): string => changedCopy(folder, root, change);

function fault(what: string, says: RegExp, change: (at: string) => void): VerifierCase['faults'][number] {
  return { what, says, open: (runtime) => openImageRewardVerifier(runtime, broken(change)) };
}

const rewrite = (at: string, change: (tensors: ReturnType<typeof tinyImageRewardTensors>) => void): void => {
  const tensors = tinyImageRewardTensors();
  change(tensors);
  writeTorchFile(join(at, 'ImageReward.pt'), tensors);
};
const writeMed = (at: string, changes: Record<string, unknown>): void => {
  writeFileSync(join(at, 'med_config.json'), JSON.stringify({ ...tinyMedConfig(), ...changes }));
};

describeVerifier('image-reward', {
  open: (runtime) => openImageRewardVerifier(runtime, folder),
  prompts: ['the red stars', 'a blue cat, left of the ring'],
  pictures: [
    patternPicture(32, 32),
    patternPicture(48, 32, 3),
    greyPicture(32, 32, 200),
    patternPicture(64, 64, 5),
  ],
  faults: [
    fault('no weights', /ImageReward\.pt: does not exist/, (at) => {
      rmSync(join(at, 'ImageReward.pt'));
    }),
    fault('no med_config.json', /med_config\.json: does not exist: .*THUDM/, (at) => {
      rmSync(join(at, 'med_config.json'));
    }),
    fault('weights that are no model', /ImageReward\.pt: is a web page/, (at) => {
      writeFileSync(join(at, 'ImageReward.pt'), '<html>');
    }),
    fault('weights of another model', /is no ImageReward: it has no tensor 'blip\./, (at) => {
      writeTorchFile(join(at, 'ImageReward.pt'), new Map());
    }),
    fault('a missing tensor', /no tensor .*crossattention\.self\.value\.bias/, (at) => {
      rewrite(at, (tensors) =>
        tensors.delete('blip.text_encoder.encoder.layer.1.crossattention.self.value.bias'),
      );
    }),
    fault('no head', /has no linear head/, (at) => {
      rewrite(at, (tensors) => {
        for (const name of tensors.keys()) if (name.startsWith('mlp.')) tensors.delete(name);
      });
    }),
    fault('a configuration of another size', /'hidden_size' is 96, but the weights have 128/, (at) => {
      writeMed(at, { hidden_size: 96 });
    }),
    fault('another activation', /'hidden_act' is "relu"/, (at) => {
      writeMed(at, { hidden_act: 'relu' });
    }),
    fault(
      'heads that do not divide the width',
      /'num_attention_heads' \(3\) does not divide the width 128/,
      (at) => {
        writeMed(at, { num_attention_heads: 3 });
      },
    ),
    fault(
      'prompts longer than the positions',
      /positions for 40 tokens, and prompts are padded to 64/,
      (at) => {
        writeFileSync(join(at, 'config.json'), '{"max_length": 64}');
      },
    ),
    fault('a damaged tokenizer', /tokenizer\.json: is not valid JSON/, (at) => {
      writeFileSync(join(at, 'tokenizer.json'), '{');
    }),
  ],
});

describe('image-reward', () => {
  /** The scores of two pictures for each prompt. */
  const scores = async (at: string, ...prompts: string[]): Promise<number[][]> => {
    const runtime = await createRuntime({ threads: 1 });
    try {
      const verifier = await openImageRewardVerifier(runtime, at);
      const found: number[][] = [];
      for (const prompt of prompts) {
        const judge = await verifier.prepare(prompt, new Ledger());
        found.push(await judge.score([patternPicture(32, 32), patternPicture(40, 64, 2)]));
      }
      return found;
    } finally {
      await runtime.close();
    }
  };

  it('is the reward of an independent computation', async () => {
    // Recomputed in float64 with NumPy from the same weights, pixels and token ids, layer by layer with the padding.
    const [stars, cat] = await scores(folder, 'the red stars', 'a blue cat, left of the ring');
    expect(stars?.[0]).toBeCloseTo(-1.078723, 5);
    expect(cat?.[0]).toBeCloseTo(-1.143988, 5);
  });

  it('cuts prompts at 35 tokens, the special ones included', async () => {
    const fits = 'star '.repeat(33);
    const [short, whole, long] = await scores(folder, 'star '.repeat(32), fits, `${fits} blue ring`);
    expect(long).toEqual(whole);
    expect(short).not.toEqual(whole);
  });

  it('tells what of a prompt it does not see, and sees [ENC] as a token', async () => {
    const runtime = await createRuntime({ threads: 1 });
    const verifier = await openImageRewardVerifier(runtime, folder);
    const prepare = (prompt: string) => verifier.prepare(prompt, new Ledger());
    expect((await prepare('star '.repeat(33))).cut).toBeUndefined();
    const judge = await prepare(`${'star '.repeat(33)} blue ring`);
    expect(judge.cut).toEqual({ tokens: 35, unseen: 'blue ring' });
    expect(cutWarning('image-reward', judge.cut ?? { tokens: 0, unseen: '' }, { cut: 2, of: 9 })).toBe(
      "the verifier 'image-reward' reads the first 35 tokens of a prompt (2 of 9 prompts are longer; the first of them is " +
        'meant) and does not see "blue ring"',
    );
    await runtime.close();
    const [plain, token] = await scores(folder, 'a star', 'a star [ENC]');
    expect(token).not.toEqual(plain);
  });

  it('takes lengths, mean and deviation from a config.json where there is one', async () => {
    const usual = (await scores(folder, 'a cat'))[0]?.[0] ?? NaN;
    const other = broken((at) => {
      writeFileSync(join(at, 'config.json'), '{"reward_mean": 1, "reward_std": 2, "max_length": 12}');
    });
    // Padding has no effect, so that the raw reward is the same.
    const raw = usual * 1.0333394966054072 + 0.16717362830052426;
    expect((await scores(other, 'a cat'))[0]?.[0]).toBeCloseTo((raw - 1) / 2, 5);
  });

  it('says when tokenizer or weights do not fit', async () => {
    const tokens = broken((at) => {
      writeFileSync(join(at, 'tokenizer.json'), JSON.stringify(clipTokenizerJson()));
    });
    await expect(scores(tokens, 'a cat')).rejects.toThrow(
      /Token id 52\d is outside .* tokenizer belongs to another/,
    );
    const damaged = broken((at) => {
      rewrite(at, (tensors) => tensors.get('mlp.layers.4.weight')?.data.fill(NaN));
    });
    await expect(scores(damaged, 'a cat')).rejects.toThrow(RuntimeError);
  });
});
