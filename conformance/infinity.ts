// Runs an Infinity fixture: the transformer with forced bits, the decoder on the latent, the encoder and its tokeniser.

import { join } from 'node:path';

import { CheckpointError } from '../src/core/errors.js';
import type { JsonObject } from '../src/core/json-file.js';
import { Ledger } from '../src/core/ledger.js';
import { bitsFromGrid } from '../src/models/infinity/codes.js';
import { gridList, parseInfinityConfig } from '../src/models/infinity/folder.js';
import type { InfinityGenerator } from '../src/models/infinity/generator.js';
import { openInfinity } from '../src/models/infinity/model.js';
import type { InfinityPrefix } from '../src/models/infinity/prefix.js';
import { openVaeEncoder } from '../src/models/vae/encoder.js';
import { tokenise } from '../src/models/vae/quantiser.js';
import type { Runtime } from '../src/runtime/index.js';
import type { Outputs, Reference } from './compare.js';

/** True for the config.json of an Infinity fixture. */
export function isInfinityFixture(config: JsonObject): boolean {
  return 'scale_schedule' in config && 'text_lengths' in config;
}

/** Computes every output of the fixture that the model determines. */
export async function runInfinityFixture(
  folder: string,
  config: JsonObject,
  reference: Reference,
  runtime: Runtime,
): Promise<Outputs> {
  const outputs = new Map<string, ArrayLike<number>>();
  const run = parseInfinityConfig(config, join(folder, 'config.json'));
  const lengths = config['text_lengths'] as number[];
  const model = await openInfinity(runtime, {
    name: folder,
    transformer: join(folder, 'transformer.pth'),
    vae: join(folder, 'vae.pth'),
    ...run,
  });
  const features = reference.numbers('text_features') as Float32Array;
  const channels = reference.shape('text_features')[1] ?? 0;
  const logits: Float32Array[][] = [];
  const latents: Float32Array[] = [];
  let start = 0;
  for (const [prompt, length] of lengths.entries()) {
    const states = features.subarray(start * channels, (start + length) * channels);
    start += length;
    const generator = await model.prepareStates({ states, tokens: length }, new Ledger());
    const complete = await forceBits(generator, prompt, lengths.length, reference, logits);
    latents.push(complete.sum.data);
    complete.release();
    generator.close();
  }
  logits.forEach((perPrompt, k) => {
    const { temperature } = run.defaults;
    const tau = typeof temperature === 'number' ? temperature : (temperature[k] ?? 1);
    outputs.set(
      `logits.${k}`,
      joined(perPrompt).map((value) => value / tau),
    );
  });
  outputs.set('latent', joined(latents));
  if (reference.has('latent') && reference.has('decoded')) {
    const [, , height = 0, width = 0] = reference.shape('latent');
    const planes = await model.core.decoder.decode(latents.map((data) => ({ data, height, width })));
    outputs.set(
      'decoded',
      joined(planes).map((value) => Math.min(1, Math.max(-1, value))),
    );
  }
  await model.close();
  if (reference.has('encoder.image')) await runEncoder(folder, config, reference, runtime, outputs);
  return outputs;
}

/** Walks the schedule with the fixture's bits, collecting the logits of every scale; the caller owns the result. */
async function forceBits(
  generator: InfinityGenerator,
  prompt: number,
  prompts: number,
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
    if (batch !== prompts) {
      throw new CheckpointError(reference.source.label, `${name} has ${batch} rows for ${prompts} prompts`);
    }
    const perPrompt = all.length / batch;
    const grid = Array.prototype.slice.call(all, prompt * perPrompt, (prompt + 1) * perPrompt) as number[];
    const next = generator.force(prefix, bitsFromGrid(grid, scale, prefix.family.layout));
    prefix.release();
    prefix = next;
  }
  return prefix;
}

async function runEncoder(
  folder: string,
  config: JsonObject,
  reference: Reference,
  runtime: Runtime,
  outputs: Map<string, ArrayLike<number>>,
): Promise<void> {
  const encoder = await openVaeEncoder(runtime, join(folder, 'vae.pth'));
  const [batch = 0, , height = 0, width = 0] = reference.shape('encoder.image');
  const pixels = reference.numbers('encoder.image') as Float32Array;
  const latents = await encoder.encode(
    Array.from({ length: batch }, (_, i) => ({
      height,
      width,
      data: pixels.slice(i * 3 * height * width, (i + 1) * 3 * height * width),
    })),
  );
  outputs.set('encoder.features', joined(latents.map(({ data }) => data)));
  const scales = gridList(config['encoder_scale_schedule']) ?? gridList(config['scale_schedule']) ?? [];
  const tokenised = latents.map((latent) => tokenise(latent, encoder.channels, scales));
  outputs.set('encoder.quantised', joined(tokenised.map(({ sum }) => sum.data)));
  scales.forEach((_, k) => {
    outputs.set(
      `encoder.bits.${k}`,
      tokenised.flatMap(({ bits }) => [...(bits[k] ?? [])]),
    );
  });
  encoder.close();
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
