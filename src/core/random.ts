// Keyed randomness: a draw is a pure function of a key and a counter, never of what was drawn before.
// Philox4x32-10 after Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), table 2.
// A key is derived from the seed by folding in the path through the search tree (round, beam, candidate, scale).

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const ROUNDS = 10;

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

/** An immutable key of the counter-based generator; the same key always gives the same draws. */
export class RandomKey {
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
    return new RandomKey([seed >>> 0, Math.floor(seed / 0x1_0000_0000)], []);
  }

  /** The key of a child in the tree: independent of this key's draws and of every other child's. */
  fold(index: number): RandomKey {
    if (!Number.isInteger(index) || index < 0 || index > 0xffffffff) {
      throw new RangeError(`a path index must be an unsigned 32-bit number, got ${String(index)}`);
    }
    // The last counter word tells derivation of keys (1) from draws (0), so that the two never meet.
    const [a, b] = philox([index, 0, 0, 1], this.#key);
    return new RandomKey([a, b], [...this.path, index]);
  }

  /** `count` uniform numbers in [0, 1) with 32 random bits each; draw i never depends on `count`. */
  uniform(count: number): Float64Array {
    const draws = new Float64Array(count);
    for (let block = 0; block * 4 < count; block++) {
      const words = philox([block, 0, 0, 0], this.#key);
      for (let i = 0; i < 4 && block * 4 + i < count; i++) {
        draws[block * 4 + i] = (words[i] ?? 0) / 0x1_0000_0000;
      }
    }
    return draws;
  }
}
