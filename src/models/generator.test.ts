// The generators that there are, and fakes of those that may come, held to one contract.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FakeDiffusion } from '../../test/fakes/fake-diffusion.js';
import { fakeModel } from '../../test/fakes/fake-model.js';
import { type TinyOptions, tinyStates, writeTinyInfinity } from '../../test/fakes/tiny-infinity.js';
import { Ledger } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { describeGenerator, type OpenedGenerator } from './generator.suite.js';
import { openInfinity } from './infinity/model.js';

const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
const scales = [
  { height: 1, width: 1 },
  { height: 2, width: 2 },
  { height: 3, width: 2 },
  { height: 5, width: 4 },
];
let runtime: Runtime;

beforeAll(async () => {
  runtime = await createRuntime({ threads: 2 });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

/** A tiny Infinity of the 2B style with guidance, or of the 8B style without, where memory is for one prefix at a time. */
function openTiny(style: '2b' | '8b'): () => Promise<OpenedGenerator> {
  const sizes: TinyOptions = style === '8b' ? { patch: 2, channels: 3 } : {};
  const files = writeTinyInfinity(join(folder, style), sizes);
  const defaults = { cfg: style === '8b' ? 1 : 3, temperature: 1 };
  const memory = style === '8b' ? { memory: 1 } : {};
  return async () => {
    const schedule = { scales, rotary: scales };
    const model = await openInfinity(runtime, { name: style, ...files, schedule, defaults, ...memory });
    const generator = await model.prepareStates(tinyStates(5), new Ledger());
    return { generator, close: () => model.close() };
  };
}

const openFake = (solver: 'plain' | 'stochastic') => () =>
  Promise.resolve({
    generator: new FakeDiffusion({ solver, memory: 5000 }),
    close: () => Promise.resolve(),
  });

describeGenerator('Infinity of the 2B style', openTiny('2b'));
describeGenerator('Infinity of the 8B style', openTiny('8b'));
describeGenerator('a diffusion model with a plain solver', openFake('plain'));
describeGenerator('a diffusion model with a stochastic solver', openFake('stochastic'));
describeGenerator('the fake model of other tests', async () => ({
  generator: await fakeModel().prepare('a prompt', new Ledger()),
  close: () => Promise.resolve(),
}));

describe('a readout that is the next forward pass', () => {
  it('is counted once, also where the candidate is pruned after it was looked at', async () => {
    const generator = new FakeDiffusion({ solver: 'plain' });
    const root = generator.begin();
    const noises = await generator.extend(
      [0, 1, 2].map((i) => ({ prefix: root, draw: RandomKey.fromSeed(i) })),
    );
    expect(generator.ledger.record()).toMatchObject({ nfe: 0, forwards: 0, forwardCalls: 0 });
    await generator.decode(noises, 'own');
    expect(generator.ledger.record()).toMatchObject({ nfe: 3, forwards: 3, forwardCalls: 1 });
    const [kept, ...pruned] = noises;
    for (const prefix of pruned) prefix.release();
    if (!kept) throw new Error('no prefix');
    const next = await generator.extend([{ prefix: kept, draw: RandomKey.fromSeed(9) }]);
    expect(generator.ledger.record()).toMatchObject({ nfe: 3, forwards: 3 });
    for (const prefix of [root, kept, ...next]) prefix.release();
    generator.close();
  });
});
