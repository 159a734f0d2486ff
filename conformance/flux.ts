// Runs a FLUX fixture, in either layout: the schedules, one forward of the transformer, the decoder, and a whole run of
// Euler steps at the stored times.

import { CheckpointError } from '../src/core/errors.js';
import { isObject, type JsonObject } from '../src/core/json-file.js';
import { openTowers } from '../src/models/clip/towers.js';
import { type FluxAutoencoder, openFluxAutoencoder } from '../src/models/flux/autoencoder.js';
import { sinusoids } from '../src/models/flux/embedding.js';
import { fluxFolder, type FluxOptions } from '../src/models/flux/folder.js';
import { packLatent, type TokenGrid, unpackLatent } from '../src/models/flux/packing.js';
import { DEV_SHIFT, eulerStep, fluxTimes, type Shift } from '../src/models/flux/schedule.js';
import { type FluxRow, type FluxTransformer, openFluxTransformer } from '../src/models/flux/transformer.js';
import { openT5Weights } from '../src/models/t5/text-encoder.js';
import type { Runtime } from '../src/runtime/index.js';
import type { Outputs, Reference } from './compare.js';

/** True for the config.json of a FLUX fixture. */
export function isFluxFixture(config: JsonObject): boolean {
  return 'schedules' in config && ('ae_params' in config || config['layout'] === 'diffusers');
}

/** Computes every output of the fixture. */
export async function runFluxFixture(
  folder: string,
  config: JsonObject,
  reference: Reference,
  runtime: Runtime,
): Promise<Outputs> {
  const files = fluxFolder(folder, folder);
  const outputs = new Map<string, ArrayLike<number>>();
  addSchedules(config, outputs);
  const transformer = await openFluxTransformer(runtime, files.transformer, files);
  const autoencoder = await openFluxAutoencoder(runtime, files.autoencoder, files.scaling);
  try {
    await addForward(transformer, reference, outputs);
    await addPicture(autoencoder, reference, outputs);
    const { guidance } = config;
    await addRun(
      { transformer, autoencoder, guidance: typeof guidance === 'number' ? guidance : undefined },
      reference,
      outputs,
    );
  } finally {
    transformer.close();
    autoencoder.close();
  }
  if (files.text && reference.has('t5.input_ids')) await addText(files.text, reference, outputs, runtime);
  return outputs;
}

/** The text inputs from token ids, where the folder has text encoders: T5 without a mask, CLIP's pooled state. */
async function addText(
  { t5, clip }: NonNullable<FluxOptions['text']>,
  reference: Reference,
  outputs: Map<string, ArrayLike<number>>,
  runtime: Runtime,
): Promise<void> {
  const [count = 1, length = 0] = reference.shape('t5.input_ids');
  const encoder = await openT5Weights(runtime, t5.weights);
  const ids = Int32Array.from(reference.numbers('t5.input_ids'));
  outputs.set('txt', await encoder.states({ ids, length }));
  encoder.close();
  const towers = await openTowers(runtime, clip.weights, { towers: ['text'] });
  const run = await towers.runText(Int32Array.from(reference.numbers('clip.input_ids')), count);
  outputs.set('y', run.float32('pooler_output'));
  towers.close();
}

function addSchedules(config: JsonObject, outputs: Map<string, ArrayLike<number>>): void {
  const number = (name: string, missing: number): number => {
    const value = config[name];
    return typeof value === 'number' ? value : missing;
  };
  const shift: Shift = {
    base: number('base_shift', DEV_SHIFT.base),
    max: number('max_shift', DEV_SHIFT.max),
  };
  for (const item of config['schedules'] as unknown[]) {
    if (!isObject(item)) continue;
    const { num_steps: steps, image_seq_len: tokens, shift: moved } = item;
    const name = `schedule.${moved === true ? 'shift' : 'noshift'}.seq${String(tokens)}.steps${String(steps)}`;
    outputs.set(name, fluxTimes(Number(steps), Number(tokens), moved === true ? shift : null));
  }
}

/** The rows of a tensor [batch, ...], each on its own. */
function rowsOf(reference: Reference, name: string): Float32Array[] {
  const [batch = 1] = reference.shape(name);
  const all = Float32Array.from(reference.numbers(name));
  const size = all.length / batch;
  return Array.from({ length: batch }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** What conditions each row, from the text inputs of a part of the fixture. */
function textsOf(reference: Reference, states: string, pooled: string): FluxRow['text'][] {
  const tokens = reference.shape(states)[1] ?? 0;
  const vectors = rowsOf(reference, pooled);
  return rowsOf(reference, states).map((row, i) => ({
    states: row,
    tokens,
    pooled: vectors[i] ?? new Float32Array(0),
  }));
}

async function addForward(
  transformer: FluxTransformer,
  reference: Reference,
  outputs: Map<string, ArrayLike<number>>,
): Promise<void> {
  const times = Array.from(reference.numbers('timesteps'));
  const guidance = reference.has('guidance') ? Array.from(reference.numbers('guidance')) : undefined;
  outputs.set('intermediate.timestep_embedding', sinusoids(times));
  if (guidance) outputs.set('intermediate.guidance_embedding', sinusoids(guidance));
  const texts = textsOf(reference, 'txt', 'y');
  const ids = rowsOf(reference, 'img_ids');
  const rows = rowsOf(reference, 'img').map((latent, i): FluxRow => ({
    latent,
    text: texts[i] as FluxRow['text'],
    time: times[i] ?? 0,
    guidance: guidance?.[i],
  }));
  const alike = ids.every((row) => row.every((value, i) => value === ids[0]?.[i]));
  const predictions = alike
    ? await transformer.predict(rows, ids[0] ?? [])
    : (await Promise.all(rows.map((row, i) => transformer.predict([row], ids[i] ?? [])))).flat();
  outputs.set('prediction', joined(predictions));
}

/** The grid of tokens of a tensor of planes [batch, channels, height, width]. */
function gridOf(reference: Reference, name: string): TokenGrid {
  const [, , height = 0, width = 0] = reference.shape(name);
  return { height: height / 2, width: width / 2 };
}

async function addPicture(
  autoencoder: FluxAutoencoder,
  reference: Reference,
  outputs: Map<string, ArrayLike<number>>,
): Promise<void> {
  const grid = gridOf(reference, 'ae.z');
  const packed = rowsOf(reference, 'ae.z').map((planes) => packLatent(planes, grid));
  outputs.set('ae.image', joined(await autoencoder.decodePlanes(packed, grid)));
}

async function addRun(
  model: {
    readonly transformer: FluxTransformer;
    readonly autoencoder: FluxAutoencoder;
    readonly guidance: number | undefined;
  },
  reference: Reference,
  outputs: Map<string, ArrayLike<number>>,
): Promise<void> {
  const grid = gridOf(reference, 'denoise.noise');
  const texts = textsOf(reference, 'denoise.txt', 'denoise.vec');
  const [ids] = rowsOf(reference, 'denoise.img_ids');
  const times = Array.from(reference.numbers('denoise.timesteps'));
  let latents = rowsOf(reference, 'denoise.noise').map((planes) => packLatent(planes, grid));
  outputs.set('denoise.img_packed', joined(latents));
  for (let step = 0; step + 1 < times.length; step++) {
    const [now = 0, then = 0] = times.slice(step);
    const predictions = await model.transformer.predict(
      latents.map((latent, i) => ({
        latent,
        text: texts[i] as FluxRow['text'],
        time: now,
        guidance: model.guidance,
      })),
      ids ?? [],
    );
    latents = latents.map((latent, i) => eulerStep(latent, predictions[i] as Float32Array, now, then));
    outputs.set(`denoise.prediction.${step}`, joined(predictions));
    outputs.set(`denoise.img.${step + 1}`, joined(latents));
  }
  if (latents.length === 0) throw new CheckpointError(reference.source.label, 'has a run without rows');
  outputs.set('denoise.latent_packed', joined(latents));
  outputs.set('denoise.latent', joined(latents.map((latent) => unpackLatent(latent, grid))));
  outputs.set('denoise.image', joined(await model.autoencoder.decodePlanes(latents, grid)));
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
