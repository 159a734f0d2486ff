// What a trained Infinity shows and an untrained or wrongly assembled one does not, from the model's own numbers: how sure it is
// of its bits, and how well it foresees the bits of a picture that it is told about.

import type { Draw } from '../../core/random.js';
import type { LatentPlanes } from '../vae/decoder.js';
import { tokenise } from '../vae/quantiser.js';
import { bitsFromGrid, type CodeLayout } from './codes.js';
import type { InfinityGenerator } from './generator.js';
import type { InfinityPrefix } from './prefix.js';
import type { Scale } from './schedule.js';

/** The bits of every scale of a picture's latent, in token order [tokens, D]. */
export function pictureBits(
  latent: LatentPlanes,
  scales: readonly Scale[],
  layout: CodeLayout,
): Uint8Array[] {
  const { channels, patch } = layout;
  const grids = scales.map(({ height, width }) => ({ height: height * patch, width: width * patch }));
  const { bits } = tokenise(latent, channels, grids);
  return scales.map((scale, i) => bitsFromGrid(bits[i] ?? [], scale, layout));
}

/**
 * How many bits of information a bit of the picture holds for the model, scale by scale: 1 for one that tosses coins, less for
 * one that foresees it, more for one that is sure of the wrong thing. Guided as the generator is, without temperature.
 */
export async function surprise(generator: InfinityGenerator, bits: readonly Uint8Array[]): Promise<number[]> {
  const found: number[] = [];
  let prefix: InfinityPrefix = generator.begin();
  try {
    for (const own of bits) {
      await generator.computeForwards([prefix]);
      const logits = prefix.forward?.logits ?? new Float32Array(0);
      found.push(mean(own, (bit, i) => -Math.log2(Math.max(probability(logits, i, bit), TINIEST))));
      const next = generator.force(prefix, own);
      prefix.release();
      prefix = next;
    }
    return found;
  } finally {
    prefix.release();
  }
}

/** A probability below it counts as it, so that one bit does not outweigh a picture. */
const TINIEST = 1e-6;

/** A picture drawn scale by scale. */
export interface Drawn {
  /** The complete prefix, which the caller releases. */
  readonly prefix: InfinityPrefix;
  /** How open the model left a bit, scale by scale: 1 for a coin, 0 for a sure thing; guided, without temperature. */
  readonly entropies: readonly number[];
}

/** Draws a picture and looks at how sure the model is meanwhile. */
export async function drawn(generator: InfinityGenerator, draw: Draw): Promise<Drawn> {
  const entropies: number[] = [];
  let prefix: InfinityPrefix = generator.begin();
  try {
    for (let index = 0; index < generator.scales.length; index++) {
      const [next] = await generator.extend([{ prefix, draw: draw.fold(index) }]);
      if (!next) throw new RangeError('a request was not answered');
      const logits = prefix.forward?.logits ?? new Float32Array(0);
      entropies.push(mean(next.bits, (_, i) => entropy(probability(logits, i, 1))));
      prefix.release();
      prefix = next;
    }
    return { prefix, entropies };
  } catch (error) {
    prefix.release();
    throw error;
  }
}

function probability(logits: Float32Array, i: number, bit: number): number {
  const difference = (logits[2 * i + 1] ?? 0) - (logits[2 * i] ?? 0);
  return 1 / (1 + Math.exp(bit === 1 ? -difference : difference));
}

function entropy(p: number): number {
  return p <= 0 || p >= 1 ? 0 : -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);
}

function mean(bits: Uint8Array, value: (bit: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < bits.length; i++) sum += value(bits[i] ?? 0, i);
  return sum / bits.length;
}
