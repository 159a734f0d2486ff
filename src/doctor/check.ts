// Is a model what it should be? Questions whose answers a trained model, put together rightly, cannot miss, and that wrong or
// untrained parts fail. The bounds are far from what the embedded model shows, since nobody has measured the official ones yet.

import { UsageError } from '../core/errors.js';
import { type Image, psnr } from '../core/image.js';
import type { Ledger } from '../core/ledger.js';
import type { OptionValues } from '../core/options.js';
import { RandomKey } from '../core/random.js';
import type { ImageModel } from '../models/contract.js';
import { drawn, pictureBits, surprise } from '../models/infinity/checks.js';
import { InfinityModel } from '../models/infinity/model.js';
import type { Scale } from '../models/infinity/schedule.js';
import { openVaeEncoder } from '../models/vae/encoder.js';
import { openVaeRoundTrip, planesOf } from '../models/vae/round-trip.js';
import { openWeights } from '../runtime/weights/index.js';
import type { Verifier } from '../verifiers/contract.js';
import { ANY_PROMPTS, type Described, describedPictures } from './scenes.js';

/** What a question came to. */
export interface Finding {
  readonly what: string;
  /** null where it could not be asked. */
  readonly passed: boolean | null;
  /** The figures, and what they should be. */
  readonly words: string;
}

/** What is checked, and with what. */
export interface CheckOptions {
  readonly model: ImageModel;
  /** Options of the model's own, such as a small size. */
  readonly modelOptions?: OptionValues;
  /** Whether it draws anything, or the embedded world alone. */
  readonly world: 'toybox' | 'any';
  /** A judge by CLIP of what the model draws; without one it is not looked at. */
  readonly clip: Verifier | null;
  /** Where time, tokens and operations go. */
  readonly ledger: Ledger;
  readonly signal?: AbortSignal | undefined;
}

/** Bounds, and what the embedded model has (2026-11-26). */
const BOUNDS = {
  /** Decibels of the picture in the middle. Embedded: 36. */
  roundTrip: 18,
  /** Bits a bit, without guidance. Embedded: 0.51; untrained: above 1. */
  surprise: 0.97,
  /** Of eight pictures, how many are foreseen better with their own words. Embedded: 8. */
  told: 7,
  /** How much more words say with guidance than without. Embedded: 7 times. */
  guidance: 1.25,
  /** Bits a bit. Embedded: 0.25. */
  entropy: 0.97,
  /** Of eight pictures, how many CLIP finds by their prompts. Embedded: 8. */
  found: 4,
} as const;

/** Asks everything, one finding after another. Throws what stops the model itself, such as a CheckpointError. */
export async function* checkModel(options: CheckOptions): AsyncGenerator<Finding> {
  const { model } = options;
  if (!(model instanceof InfinityModel)) {
    throw new UsageError(`the check knows Infinity, and '${model.name}' is another kind of model`);
  }
  const check = new Check(model, options);
  yield check.sizes();
  const pictures = check.pictures();
  const encoded = await check.encode(pictures);
  yield encoded.finding;
  if (encoded.bits) {
    const free = await check.foresight(pictures, encoded.bits, { cfg: 1 });
    yield* verdictsOfFreedom(free);
    const guided = await check.foresight(pictures, encoded.bits, {});
    yield verdictOfGuidance(free, guided);
  } else {
    yield { what: 'foresight', passed: null, words: 'not asked: the VAE file has no encoder' };
  }
  yield* check.draw();
}

/** How well pictures are foreseen, each with its own words and with another's. */
interface Foresight {
  readonly own: readonly number[];
  readonly other: readonly number[];
  readonly scales: readonly number[];
}

function verdictsOfFreedom({ own, other, scales }: Foresight): Finding[] {
  const mean = average(own);
  const better = own.filter((value, i) => value < (other[i] ?? 0)).length;
  return [
    {
      what: 'trained weights, right VAE',
      passed: mean < BOUNDS.surprise,
      words: `a bit of a picture that is told holds ${digits(mean)} bits for the model (below ${BOUNDS.surprise}; a coin: 1); by scale ${list(scales)}`,
    },
    {
      what: 'text encoder',
      passed: better >= BOUNDS.told && average(other) > mean,
      words: `${better} of ${own.length} pictures are foreseen better with their own words than with others (at least ${BOUNDS.told}): ${digits(mean)} against ${digits(average(other))} bits`,
    },
  ];
}

function verdictOfGuidance(free: Foresight, guided: Foresight): Finding {
  const gain = ({ own, other }: Foresight): number => average(other) - average(own);
  const ratio = gain(guided) / gain(free);
  return {
    what: 'guidance',
    passed: gain(free) > 0 && ratio > BOUNDS.guidance,
    words: `the right words save ${digits(gain(guided))} bits a bit with guidance and ${digits(gain(free))} without (at least ${BOUNDS.guidance} times as much; it is the other way round where the branches are swapped)`,
  };
}

/** A model under examination. */
class Check {
  readonly #model: InfinityModel;
  readonly #options: CheckOptions;
  readonly #values: OptionValues;
  readonly #scales: readonly Scale[];

  constructor(model: InfinityModel, options: CheckOptions) {
    this.#model = model;
    this.#options = options;
    this.#values = options.modelOptions ?? {};
    this.#scales = model.scales(this.#values);
  }

  sizes(): Finding {
    const { depth, width, heads, bits, textChannels, maxScales } = this.#model.core.config;
    const { channels, patch } = this.#model.core.layout;
    return {
      what: 'keys and shapes',
      passed: true,
      words: `${depth} blocks, ${width} wide, ${heads} heads, ${bits} bits a token, text ${textChannels} wide, ${maxScales} levels; VAE with ${channels} channels, patches of ${patch}`,
    };
  }

  pictures(): Described[] {
    const last = this.#scales.at(-1);
    if (!last) throw new RangeError('the schedule has no scales');
    const { core } = this.#model;
    const { patch } = core.layout;
    const size = core.decoder.pictureSize({ height: last.height * patch, width: last.width * patch });
    return describedPictures(size);
  }

  /** The bits of the pictures, null where the VAE has no encoder; and whether the VAE brings them back. */
  async encode(
    pictures: readonly Described[],
  ): Promise<{ readonly finding: Finding; readonly bits: readonly (readonly Uint8Array[])[] | null }> {
    const { core } = this.#model;
    const { patch } = core.layout;
    const { runtime } = core;
    const file = core.decoder.file;
    const grids = this.#scales.map(({ height, width }) => ({ height: height * patch, width: width * patch }));
    if (!hasEncoder(file)) {
      return { bits: null, finding: { what: 'VAE', passed: null, words: `${file} holds no encoder` } };
    }
    const encoder = await openVaeEncoder(runtime, file);
    const latents = await encoder.encode(pictures.map(({ image }) => planesOf(image))).finally(() => {
      encoder.close();
    });
    const trip = await openVaeRoundTrip(runtime, file, grids);
    const decibels: number[] = [];
    try {
      for (const { image } of pictures) decibels.push(psnr(image, await trip.reconstruct(image)));
    } finally {
      trip.close();
    }
    const middle = [...decibels].sort((a, b) => a - b)[Math.floor(decibels.length / 2)] ?? 0;
    return {
      bits: latents.map((latent) => pictureBits(latent, this.#scales, core.layout)),
      finding: {
        what: 'VAE',
        passed: middle >= BOUNDS.roundTrip,
        words: `pictures come back with ${middle.toFixed(1)} dB (at least ${BOUNDS.roundTrip}), from ${Math.min(...decibels).toFixed(1)} to ${Math.max(...decibels).toFixed(1)}`,
      },
    };
  }

  async foresight(
    pictures: readonly Described[],
    bits: readonly (readonly Uint8Array[])[],
    more: OptionValues,
  ): Promise<Foresight> {
    const tokens = this.#scales.map(({ height, width }) => height * width);
    const all = tokens.reduce((sum, count) => sum + count, 0);
    const weighted = (values: readonly number[]): number =>
      values.reduce((sum, value, i) => sum + value * (tokens[i] ?? 0), 0) / all;
    const ask = async (words: number, picture: number): Promise<number[]> => {
      const generator = await this.#prepare(pictures[words]?.prompt ?? '', more);
      try {
        return await surprise(generator, bits[picture] ?? []);
      } finally {
        generator.close();
      }
    };
    const own: number[][] = [];
    const other: number[][] = [];
    for (const i of pictures.keys()) {
      own.push(await ask(i, i));
      other.push(await ask((i + 3) % pictures.length, i));
    }
    return {
      own: own.map(weighted),
      other: other.map(weighted),
      scales: tokens.map((_, scale) => average(own.map((values) => values[scale] ?? 0))),
    };
  }

  /** Pictures of the model's own, and what a CLIP says of them. */
  async *draw(): AsyncGenerator<Finding> {
    const { world, clip } = this.#options;
    const prompts = world === 'any' ? ANY_PROMPTS : this.pictures().map(({ prompt }) => prompt);
    const images: Image[] = [];
    const entropies: (readonly number[])[] = [];
    for (const [i, prompt] of prompts.entries()) {
      const generator = await this.#prepare(prompt, {});
      try {
        const made = await drawn(generator, RandomKey.fromSeed(i));
        entropies.push(made.entropies);
        images.push(
          ...(await generator.decode([made.prefix], 'full').finally(() => {
            made.prefix.release();
          })),
        );
      } finally {
        generator.close();
      }
    }
    const scales = this.#scales.map((_, scale) => average(entropies.map((values) => values[scale] ?? NaN)));
    yield verdictOfEntropy(scales);
    yield clip === null
      ? { what: 'pictures', passed: null, words: 'not looked at: no CLIP for such pictures is installed' }
      : await this.#look(clip, prompts, images);
  }

  async #look(clip: Verifier, prompts: readonly string[], images: readonly Image[]): Promise<Finding> {
    const rows: number[][] = [];
    for (const prompt of prompts) {
      const judge = await clip.prepare(prompt, this.#options.ledger);
      try {
        rows.push([...(await judge.score(images, { signal: this.#options.signal }))]);
      } finally {
        judge.close();
      }
    }
    const own = rows.map((row, i) => row[i] ?? 0);
    const shuffled = rows.flatMap((row, i) => row.filter((_, j) => j !== i));
    // Scores end at 0, where all may be alike.
    const found = rows.filter((row, i) => row.every((score, j) => j === i || score < (row[i] ?? 0))).length;
    return {
      what: 'pictures',
      passed: found >= BOUNDS.found && average(own) > average(shuffled),
      words: `${clip.name} finds ${found} of ${prompts.length} pictures by their prompts (at least ${BOUNDS.found}; by chance 1): ${digits(average(own))} for the right prompt, ${digits(average(shuffled))} for others`,
    };
  }

  #prepare(prompt: string, more: OptionValues) {
    this.#options.signal?.throwIfAborted();
    return this.#model.prepare(prompt, this.#options.ledger, { ...this.#values, ...more }, this.#options);
  }
}

function verdictOfEntropy(scales: readonly number[]): Finding {
  const half = Math.floor(scales.length / 2);
  const [early, late] = [average(scales.slice(0, half)), average(scales.slice(half))];
  const mean = average(scales);
  const falls = late < early;
  return {
    what: 'logits',
    passed: mean < BOUNDS.entropy && falls,
    words: `a bit is left open by ${digits(mean)} while drawing (below ${BOUNDS.entropy}; a coin: 1), by scale ${list(scales)}: ${falls ? 'falling' : 'not falling'} from ${digits(early)} in the first half to ${digits(late)} in the second`,
  };
}

/** Whether a VAE's file has the half that reads pictures. */
function hasEncoder(file: string): boolean {
  const weights = openWeights(file);
  try {
    return weights.names.some((name) => /^(vae\.)?encoder\./.test(name));
  } finally {
    weights.close();
  }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function digits(value: number): string {
  return value.toFixed(3);
}

function list(values: readonly number[]): string {
  return values.map((value) => value.toFixed(2)).join(' ');
}
