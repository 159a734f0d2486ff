// Keyed randomness: a draw is a pure function of a key and a counter, never of what was drawn before.
// Philox4x32-10 after Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), table 2.
// A key is derived from the seed by folding in the path through the search tree (round, beam, candidate, step).

import { normalQuantile, normalShare } from './normal.js';

/** Random numbers of one place in a search: the same whenever they are asked for, independent of every other place's. */
export interface Draw {
  /** The indices that were folded in since the seed. */
  readonly path: readonly number[];
  /** The draw of a child: independent of this draw's numbers and of every other child's. */
  fold(index: number): Draw;
  /**
   * A draw in the neighbourhood of another: its normal numbers are sqrt(1 - radius^2) of the pivot's and `radius` of its own, so
   * that they stay normal; its uniform numbers move accordingly. Radius 0 is the pivot, 1 is this draw.
   */
  near(pivot: Draw, radius: number): Draw;
  /** `count` uniform numbers in [0, 1) with 32 random bits each; number i never depends on `count`. */
  uniform(count: number): Float64Array;
  /** `count` numbers of the standard normal distribution; number i never depends on `count`. */
  normal(count: number): Float64Array;
}

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const ROUNDS = 10;
const WORD = 0x1_0000_0000;

type Words = [number, number, number, number];

function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}

/** Ten rounds of Philox4x32: four random 32-bit words for a counter of four words and a key of two. */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = Math.imul(M0, c0) >>> 0;
    const high1 = mulHigh(M1, c2);
    const low1 = Math.imul(M1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

// The last counter word tells what words are for, so that no two uses ever meet.
const UNIFORM = 0;
const DERIVE = 1;
const NORMAL = 2;

/** The draw of a key of the counter-based generator. */
export class RandomKey implements Draw {
  readonly #key: readonly [number, number];
  readonly path: readonly number[];

  private constructor(key: readonly [number, number], path: readonly number[]) {
    this.#key = key;
    this.path = path;
  }

  /** The root key of a seed: a whole number from 0 to 2^53 - 1. */
  static fromSeed(seed: number): RandomKey {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`seed must be a whole number from 0 to 2^53 - 1, got ${String(seed)}`);
    }
    return new RandomKey([seed >>> 0, Math.floor(seed / WORD)], []);
  }

  fold(index: number): RandomKey {
    if (!Number.isInteger(index) || index < 0 || index > 0xffffffff) {
      throw new RangeError(`a path index must be an unsigned 32-bit number, got ${String(index)}`);
    }
    const [a, b] = philox([index, 0, 0, DERIVE], this.#key);
    return new RandomKey([a, b], [...this.path, index]);
  }

  near(pivot: Draw, radius: number): Draw {
    return nearDraw(pivot, this, radius);
  }

  uniform(count: number): Float64Array {
    return this.#fill(count, UNIFORM, (words) => words.map((word) => word / WORD));
  }

  normal(count: number): Float64Array {
    // Box and Muller: two words make two numbers. Half a step is added, since the logarithm takes no 0.
    return this.#fill(count, NORMAL, ([a, b, c, d]) => [...pair(a, b), ...pair(c, d)]);
  }

  #fill(count: number, use: number, numbersOf: (words: Words) => readonly number[]): Float64Array {
    const filled = new Float64Array(count);
    for (let block = 0; block * 4 < count; block++) {
      const numbers = numbersOf(philox([block, 0, 0, use], this.#key));
      for (let i = 0; i < 4 && block * 4 + i < count; i++) filled[block * 4 + i] = numbers[i] ?? 0;
    }
    return filled;
  }
}

function pair(a: number, b: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log((a + 0.5) / WORD));
  const angle = (2 * Math.PI * b) / WORD;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** A draw whose uniform numbers are known as normal ones too: a draw near it starts from those. */
interface NearDraw extends Draw {
  /** The normal numbers whose shares are the uniform numbers. */
  deviates(count: number): Float64Array;
}

function deviatesOf(draw: Draw | NearDraw, count: number): Float64Array {
  return 'deviates' in draw ? draw.deviates(count) : draw.uniform(count).map(normalQuantile);
}

/** A draw near a pivot; see Draw.near. */
function nearDraw(pivot: Draw, own: Draw, radius: number): NearDraw {
  if (!(radius >= 0 && radius <= 1)) {
    throw new RangeError(`a radius must be a number from 0 to 1, got ${radius}`);
  }
  const keep = Math.sqrt(1 - radius * radius);
  const mix = (a: number, b: number): number => keep * a + radius * b;
  const mixed = (of: (draw: Draw) => Float64Array): Float64Array => {
    // The ends are exact, and cost nothing.
    if (radius === 0) return of(pivot);
    if (radius === 1) return of(own);
    const theirs = of(pivot);
    return of(own).map((value, i) => mix(theirs[i] ?? 0, value));
  };
  const deviates = (count: number): Float64Array => mixed((draw) => deviatesOf(draw, count));
  return {
    path: own.path,
    fold: (index) => nearDraw(pivot.fold(index), own.fold(index), radius),
    near: (other, apart) => nearDraw(other, nearDraw(pivot, own, radius), apart),
    normal: (count) => mixed((draw) => draw.normal(count)),
    deviates,
    uniform: (count) => {
      if (radius === 0) return pivot.uniform(count);
      if (radius === 1) return own.uniform(count);
      return deviates(count).map(normalShare);
    },
  };
}
