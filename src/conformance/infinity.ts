// Runs an Infinity fixture: the transformer with forced bits, the decoder on the latent, the encoder and its tokeniser.

import { join } from 'node:path';
import { Ledger } from '../core/ledger.js';
import { CheckpointError } from '../core/errors.js';
import { bitsFromGrid } from '../models/infinity/codes.js';
import type { InfinityGenerator } from '../models/infinity/generator.js';
import { openInfinity } from '../models/infinity/model.js';
import type { InfinityPrefix } from '../models/infinity/prefix.js';
import { officialSchedule, type PictureSize, type Schedule } from '../models/infinity/schedule.js';
import { openVaeEncoder } from '../models/vae/encoder.js';
import { tokenise } from '../models/vae/quantiser.js';
import type { Runtime } from '../runtime/index.js';
import type { Outputs, Reference } from './compare.js';

/** The parts of a fixture's config.json that say how it was run. */
export interface InfinityFixture {
  readonly scale_schedule: readonly (readonly [height: number, width: number])[];
  readonly text_lengths: readonly number[];
  readonly cfg: number | readonly number[];
  readonly tau: number | readonly number[];
  readonly cfg_insertion_layer: readonly number[];
  readonly aspect_ratio_h_div_w?: number;
  readonly pn?: string;
  readonly encoder_scale_schedule?: readonly (readonly [height: number, width: number])[] | null;
}

/** True for the config.json of an Infinity fixture. */
export function isInfinityFixture(config: object): config is InfinityFixture {
  return 'scale_schedule' in config && 'text_lengths' in config;
}

/** Computes every output of the fixture that the model determines. */
export async function runInfinityFixture(
  folder: string,
  config: InfinityFixture,
  reference: Reference,
  runtime: Runtime,
): Promise<Outputs> {
  const outputs = new Map<string, ArrayLike<number>>();
  const model = await openInfinity(runtime, {
    name: folder,
    transformer: join(folder, 'transformer.pth'),
    vae: join(folder, 'vae.pth'),
    schedule: fixtureSchedule(config),
    cfgInsertionLayer: config.cfg_insertion_layer,
    defaults: { cfg: config.cfg, temperature: config.tau },
  });
  const features = reference.numbers('text_features') as Float32Array;
  const channels = reference.shape('text_features')[1] ?? 0;
  const logits: Float32Array[][] = [];
  const latents: Float32Array[] = [];
  let start = 0;
  for (const [prompt, length] of config.text_lengths.entries()) {
    const states = features.subarray(start * channels, (start + length) * channels);
    start += length;
    const generator = await model.prepareStates({ states, tokens: length }, new Ledger());
    const complete = await forceBits(generator, prompt, config, reference, logits);
    latents.push(complete.sum.data);
    complete.release();
    generator.close();
  }
  logits.forEach((perPrompt, k) => {
    const tau = Array.isArray(config.tau) ? Number(config.tau[k]) : Number(config.tau);
    outputs.set(`logits.${k}`, joined(perPrompt).map((value) => value / tau));
  });
  outputs.set('latent', joined(latents));
  if (reference.has('latent') && reference.has('decoded')) {
    const [, , height = 0, width = 0] = reference.shape('latent');
    const planes = await model.core.decoder.decode(latents.map((data) => ({ data, height, width })));
    outputs.set('decoded', joined(planes).map((value) => Math.min(1, Math.max(-1, value))));
  }
  await model.close();
  if (reference.has('encoder.image')) await runEncoder(folder, config, reference, runtime, outputs);
  return outputs;
}

/** Walks the schedule with the fixture's bits, collecting the logits of every scale; the caller owns the result. */
async function forceBits(
  generator: InfinityGenerator,
  prompt: number,
  config: InfinityFixture,
  reference: Reference,
  logits: Float32Array[][],
): Promise<InfinityPrefix> {
  let prefix = generator.begin();
  for (const [k, scale] of generator.scales.entries()) {
    await generator.computeForwards([prefix]);
    (logits[k] ??= []).push((prefix.forward as NonNullable<typeof prefix.forward>).logits);
    const name = `bits.${k}`;
    const [batch = 0] = reference.shape(name);
    const all = reference.numbers(name);
    if (batch !== config.text_lengths.length) {
      throw new CheckpointError(reference.source.label, `${name} has ${batch} rows for ${config.text_lengths.length} prompts`);
    }
    const perPrompt = all.length / batch;
    const grid = Array.prototype.slice.call(all, prompt * perPrompt, (prompt + 1) * perPrompt) as number[];
    const next = generator.force(prefix, bitsFromGrid(grid, scale, prefix.family.layout));
    prefix.release();
    prefix = next;
  }
  return prefix;
}

function fixtureSchedule(config: InfinityFixture): Schedule {
  const scales = config.scale_schedule.map(([height, width]) => ({ height, width }));
  // A schedule that is none of the official ones stretches its rotary positions to its own last scale.
  if (config.pn === undefined || config.aspect_ratio_h_div_w === undefined) return { scales, rotary: scales };
  return { scales, rotary: officialSchedule(config.pn as PictureSize, config.aspect_ratio_h_div_w).rotary };
}

async function runEncoder(
  folder: string,
  config: InfinityFixture,
  reference: Reference,
  runtime: Runtime,
  outputs: Map<string, ArrayLike<number>>,
): Promise<void> {
  const encoder = await openVaeEncoder(runtime, join(folder, 'vae.pth'));
  const [batch = 0, , height = 0, width = 0] = reference.shape('encoder.image');
  const pixels = reference.numbers('encoder.image') as Float32Array;
  const latents = await encoder.encode(
    Array.from({ length: batch }, (_, i) => ({ height, width, data: pixels.slice(i * 3 * height * width, (i + 1) * 3 * height * width) })),
  );
  outputs.set('encoder.features', joined(latents.map(({ data }) => data)));
  const scales = (config.encoder_scale_schedule ?? []).map(([h, w]) => ({ height: h, width: w }));
  const tokenised = latents.map((latent) => tokenise(latent, encoder.channels, scales));
  outputs.set('encoder.quantised', joined(tokenised.map(({ sum }) => sum.data)));
  scales.forEach((_, k) => {
    outputs.set(`encoder.bits.${k}`, tokenised.flatMap(({ bits }) => [...(bits[k] ?? [])]));
  });
  await encoder.close();
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
