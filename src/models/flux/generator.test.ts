// FLUX's generator: the shared contract, on a tiny model with either solver, and what is its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TINY_FLUX, tinyFluxTensors, writeOfficialFlux } from '../../../test/fixtures/tiny-flux.js';
import { Ledger } from '../../core/ledger.js';
import { RandomKey } from '../../core/random.js';
import { createRuntime, type Runtime } from '../../runtime/index.js';
import { describeGenerator, type OpenedGenerator } from '../generator.suite.js';
import { FLUX_DEV } from './config.js';
import { fluxFolder } from './folder.js';
import { type FluxModel, openFlux } from './model.js';
import { type FluxFacts, resolveFlux } from './options.js';
import { ancestralStep } from './schedule.js';
import { fluxScheduleOf } from './steps.js';
import type { FluxText } from './transformer.js';

const TEXT_LENGTH = 7;

const folder = mkdtempSync(join(tmpdir(), 'varsearch-flux-generator-'));
let runtime: Runtime;
beforeAll(async () => {
  writeOfficialFlux(join(folder, 'dev'));
  writeOfficialFlux(join(folder, 'schnell'), tinyFluxTensors({ guidance: false }));
  runtime = await createRuntime({ threads: 2 });
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

const spread = (key: RandomKey, count: number): Float32Array =>
  Float32Array.from(key.uniform(count), (u) => 2 * u - 1);
const textOf = (seed: number): FluxText => ({
  states: spread(RandomKey.fromSeed(seed), TEXT_LENGTH * TINY_FLUX.contextWidth),
  tokens: TEXT_LENGTH,
  pooled: spread(RandomKey.fromSeed(seed + 1), TINY_FLUX.vectorWidth),
});
const TEXTS = { text: textOf(1), emptyText: textOf(3) };

const openModel = (name: 'dev' | 'schnell', memory?: number): Promise<FluxModel> =>
  openFlux(runtime, { ...fluxFolder(join(folder, name), name), ...(memory === undefined ? {} : { memory }) });

const opener = (options: Record<string, unknown>, memory?: number) => async (): Promise<OpenedGenerator> => {
  const model = await openModel('dev', memory);
  return {
    generator: model.prepareText(TEXTS, new Ledger(), { steps: 3, ...options }),
    close: () => model.close(),
  };
};

describeGenerator('FLUX with the plain solver', opener({ solver: 'plain' }));
// Memory for one sequence at a time, and both branches of real guidance.
describeGenerator('FLUX with the stochastic solver', opener({ solver: 'stochastic', cfg: 2 }, 1));

describe('a run', () => {
  it('of 96 pictures of 30 steps is 2880 evaluations', () => {
    const facts: FluxFacts = {
      name: 'flux-dev',
      config: FLUX_DEV,
      tokenPixels: 16,
      textLength: 512,
      shift: null,
      defaults: { steps: 28, guidance: 3.5, cfg: 1, height: 1024, width: 1024 },
    };
    const { unit, steps } = fluxScheduleOf(facts, { steps: 30 });
    expect(unit).toBe('step');
    expect(96 * steps.reduce((sum, { nfe }) => sum + nfe, 0)).toBe(2880);
    expect(steps.map(({ draws }) => draws)).toEqual([true, ...Array.from({ length: 30 }, () => false)]);
    const stochastic = fluxScheduleOf(facts, { steps: 30, solver: 'stochastic' }).steps;
    expect(stochastic.map(({ draws }) => draws)).toEqual([...Array.from({ length: 30 }, () => true), false]);
    expect(steps[1]).toMatchObject({ label: 't = 1.00', tokens: 4096, heldBytes: 4096 * 64 * 4 });
  });

  it('is deaf to what the model cannot be told', async () => {
    const schnell = await openModel('schnell');
    expect(() => schnell.resolve({ guidance: 2 })).toThrow(
      /schnell takes no guidance \(it is a FLUX\.1-schnell\)/,
    );
    expect(schnell.resolve({})).toEqual({ steps: 5, cfg: 1, solver: 'plain', size: '24x16' });
    expect(() => schnell.resolve({ size: '24x18' })).toThrow(/multiples of 4 pixels, not 24x18/);
    for (const size of ['24', '0x16', '24x', '24X16', '-24x16', '24x16x3', '9999999x16']) {
      expect(() => schnell.resolve({ size })).toThrow(/'size' must be a width and a height such as 1024x768/);
    }
    expect(() => schnell.resolve({ topK: 1 })).toThrow(/schnell does not take the option 'topK'/);
    expect(() => schnell.prepareText({ text: textOf(1) }, new Ledger(), { cfg: 2 })).toThrow(
      /needs the empty prompt's/,
    );
    expect(() => schnell.resolve({ solver: 'heun' })).toThrow(/'solver' must be one of plain, stochastic/);
    await expect(schnell.prepare('a prompt', new Ledger())).rejects.toThrow(
      /opened without its text encoders/,
    );
    await expect(schnell.prepare(' ', new Ledger())).rejects.toThrow(/the prompt is empty/);
    const facts = { ...schnell.facts, oneSize: true };
    expect(() => resolveFlux({ size: '16x16' }, facts)).toThrow(/draws pictures of 24x16 pixels only/);
    expect(resolveFlux({ size: '24x16' }, facts).size).toBe('24x16');
    await schnell.close();
    const dev = await openModel('dev');
    expect(dev.resolve({ steps: 2 })).toMatchObject({ steps: 2, guidance: 3.5 });
    const unsaid = { ...dev.facts, defaults: { ...dev.facts.defaults, guidance: null } };
    expect(() => resolveFlux({}, unsaid)).toThrow(/say how strong/);
    expect(Object.keys(await dev.hashes())).toEqual(['transformer', 'autoencoder', 'config']);
    await dev.close();
  });
});

describe('real guidance', () => {
  it('goes on from the prediction without the prompt, and costs a second sequence', async () => {
    const model = await openModel('dev');
    const rowsOf = async (cfg: number, texts = TEXTS): Promise<Float32Array> => {
      const generator = model.prepareText(texts, new Ledger(), { steps: 1, cfg });
      const root = generator.begin();
      const [noise] = await generator.extend([{ prefix: root, draw: RandomKey.fromSeed(4) }]);
      const [picture] = await generator.extend([{ prefix: noise!, draw: RandomKey.fromSeed(4) }]);
      const { latent } = picture!;
      for (const prefix of [root, noise!, picture!]) prefix.release();
      generator.close();
      return latent;
    };
    const swapped = { text: TEXTS.emptyText, emptyText: TEXTS.text };
    const [with1, with3, without] = [await rowsOf(1), await rowsOf(3), await rowsOf(1, swapped)];
    with3.forEach((value, i) => {
      expect(value).toBeCloseTo(without[i]! + 3 * (with1[i]! - without[i]!), 4);
    });
    const flops = (cfg: number): number | undefined => fluxScheduleOf(model.facts, { cfg }).steps[1]?.flops;
    expect(flops(3)).toBe(2 * flops(1)!);
    await model.close();
  });
});

describe('the stochastic step', () => {
  it('keeps what a perfect model knows: the picture, and the size of the noise', () => {
    const count = 20000;
    const key = RandomKey.fromSeed(7);
    const [old, fresh] = [key.fold(0), key.fold(1)].map((each) => Float32Array.from(each.normal(count))) as [
      Float32Array,
      Float32Array,
    ];
    const picture = 0.6;
    const [now, then] = [0.7, 0.4];
    const latent = old.map((noise) => (1 - now) * picture + now * noise);
    const prediction = old.map((noise) => noise - picture);
    const next = ancestralStep(latent, prediction, fresh, now, then);
    const mean = next.reduce((a, b) => a + b, 0) / count;
    const deviation = Math.sqrt(next.reduce((a, b) => a + (b - mean) ** 2, 0) / count);
    expect(mean).toBeCloseTo((1 - then) * picture, 1);
    expect(deviation).toBeCloseTo(then, 1);
    const last = ancestralStep(latent, prediction, fresh, now, 0);
    expect(Math.max(...last.map((value) => Math.abs(value - picture)))).toBeLessThan(1e-6);
    // At the very first time all noise is drawn anew.
    const first = ancestralStep(old, prediction, fresh, 1, then);
    first.slice(0, 9).forEach((value, i) => {
      expect(value).toBeCloseTo((1 - then) * picture + then * fresh[i]!, 5);
    });
  });
});
