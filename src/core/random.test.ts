import { describe, expect, it } from 'vitest';

import { type Draw, philox, RandomKey } from './random.js';

const words = (text: string): number[] => text.split(' ').map((word) => parseInt(word, 16));

describe('philox', () => {
  // tests/kat_vectors of Random123 (D. E. Shaw Research), the lines `philox4x32 10`: counter, key, result.
  it.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('gives the published words for counter %s', (counter, key, expected) => {
    const result = philox(words(counter) as [number, number, number, number], words(key) as [number, number]);
    expect(result).toEqual(words(expected));
  });
});

describe('RandomKey', () => {
  it('of seed 0 draws the words of philox, block after block', () => {
    const draws = RandomKey.fromSeed(0).uniform(6);
    const expected = [...philox([0, 0, 0, 0], [0, 0]), ...philox([1, 0, 0, 0], [0, 0])].map(
      (word) => word / 2 ** 32,
    );
    expect([...draws]).toEqual(expected.slice(0, 6));
  });

  it('uses all 53 bits of a seed', () => {
    const first = (seed: number): number | undefined => RandomKey.fromSeed(seed).uniform(1)[0];
    const seeds = [0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    expect(new Set(seeds.map(first)).size).toBe(seeds.length);
    expect(first(2 ** 32)).toBe(philox([0, 0, 0, 0], [0, 1])[0] / 2 ** 32);
  });

  it.each([-1, 0.5, NaN, 2 ** 53, Infinity])('refuses the seed %s', (seed) => {
    expect(() => RandomKey.fromSeed(seed)).toThrow(/seed must be a whole number from 0/);
  });

  it.each([-1, 0.5, NaN, 2 ** 32])('refuses the path index %s', (index) => {
    expect(() => RandomKey.fromSeed(1).fold(index)).toThrow(/unsigned 32-bit/);
  });

  it('draws the same whenever and however much it is asked', () => {
    const key = RandomKey.fromSeed(5).fold(3);
    const long = [...key.uniform(100)];
    key.fold(1).uniform(10);
    for (const count of [0, 1, 3, 4, 5, 99]) expect([...key.uniform(count)]).toEqual(long.slice(0, count));
    expect([...RandomKey.fromSeed(5).fold(3).uniform(100)]).toEqual(long);
  });

  it('knows its path', () => {
    const root = RandomKey.fromSeed(1);
    expect(root.fold(4).fold(0).fold(7).path).toEqual([4, 0, 7]);
    expect(root.path).toEqual([]);
  });

  it('gives every place in a tree draws of its own', () => {
    const root = RandomKey.fromSeed(42);
    const seen = new Set<number>();
    let draws = 0;
    for (let round = 0; round < 8; round++) {
      for (let beam = 0; beam < 4; beam++) {
        for (let candidate = 0; candidate < 8; candidate++) {
          for (const value of root.fold(round).fold(beam).fold(candidate).uniform(8)) {
            seen.add(value);
            draws++;
          }
        }
      }
    }
    // 2048 words of 32 bits: that two of them are equal has a chance of one in two thousand, and this seed has none.
    expect(seen.size).toBe(draws);
  });

  it('is not its parent, and the order of the path matters', () => {
    const root = RandomKey.fromSeed(9);
    const first = (key: RandomKey): number | undefined => key.uniform(1)[0];
    const keys = [root, root.fold(0), root.fold(0).fold(0), root.fold(1).fold(2), root.fold(2).fold(1)];
    expect(new Set(keys.map(first)).size).toBe(keys.length);
  });

  it('draws evenly, and siblings without any connection', () => {
    const count = 20_000;
    const root = RandomKey.fromSeed(3);
    const [a, b] = [root.fold(0).uniform(count), root.fold(1).uniform(count)];
    const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / count;
    expect(a.every((value) => value >= 0 && value < 1)).toBe(true);
    // Standard errors: sqrt(1/12/n) = 0.002 for the mean, 1/sqrt(n) = 0.007 for the correlation.
    expect(Math.abs(mean(a) - 0.5)).toBeLessThan(0.01);
    const products = a.map((value, i) => (value - 0.5) * ((b[i] ?? 0) - 0.5) * 12);
    expect(Math.abs(mean(products))).toBeLessThan(0.03);
    const tenths = new Array<number>(10).fill(0);
    for (const value of a) tenths[Math.floor(value * 10)]! += 1;
    for (const share of tenths) expect(Math.abs(share / count - 0.1)).toBeLessThan(0.01);
  });
});

const COUNT = 20_000;
const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
const productMean = (a: Float64Array, b: Float64Array): number =>
  mean(a.map((value, i) => value * (b[i] ?? 0)));

/** Mean, variance, skewness and kurtosis, as the standard normal distribution has 0, 1, 0 and 3. */
const moments = (values: Float64Array): number[] =>
  [1, 2, 3, 4].map((power) => mean(values.map((value) => value ** power)));

/** Standard errors of the four: sqrt(1, 2, 15, 96 over n), at most 0.07; four of them are allowed. */
function expectNormal(values: Float64Array): void {
  const errors = [1, 2, 15, 96].map((variance) => Math.sqrt(variance / values.length));
  moments(values).forEach((moment, i) => {
    expect(Math.abs(moment - ([0, 1, 0, 3][i] ?? 0))).toBeLessThan(4 * (errors[i] ?? 0));
  });
}

function expectUniform(values: Float64Array): void {
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  const tenths = new Array<number>(10).fill(0);
  for (const value of values) tenths[Math.floor(value * 10)]! += 1;
  for (const share of tenths) expect(Math.abs(share / values.length - 0.1)).toBeLessThan(0.01);
}

describe('normal draws', () => {
  it('are those of Box and Muller from the words of philox', () => {
    const [a, b, c, d] = philox([0, 0, 0, 2], [0, 0]);
    const radius = (word: number): number => Math.sqrt(-2 * Math.log((word + 0.5) / 2 ** 32));
    const angle = (word: number): number => (2 * Math.PI * word) / 2 ** 32;
    const expected = [
      radius(a) * Math.cos(angle(b)),
      radius(a) * Math.sin(angle(b)),
      radius(c) * Math.cos(angle(d)),
      radius(c) * Math.sin(angle(d)),
    ];
    expect([...RandomKey.fromSeed(0).normal(4)]).toEqual(expected);
  });

  it('have the moments of the standard normal distribution', () => {
    const root = RandomKey.fromSeed(8);
    const [a, b] = [root.fold(0).normal(COUNT), root.fold(1).normal(COUNT)];
    expectNormal(a);
    // Neither a sibling's numbers nor neighbouring ones have anything to do with each other.
    expect(Math.abs(productMean(a, b))).toBeLessThan(0.03);
    expect(Math.abs(productMean(a.subarray(1), a))).toBeLessThan(0.03);
    expect(Math.abs(productMean(a, root.fold(0).uniform(COUNT)))).toBeLessThan(0.03);
  });

  it('are the same whenever and however many are asked for', () => {
    const draw = RandomKey.fromSeed(5).fold(3);
    const long = [...draw.normal(50)];
    draw.uniform(7);
    for (const count of [0, 1, 2, 3, 5, 49]) expect([...draw.normal(count)]).toEqual(long.slice(0, count));
  });
});

describe('a draw near a pivot', () => {
  const pivot = RandomKey.fromSeed(1).fold(2);
  const own = RandomKey.fromSeed(1).fold(3);
  const numbers = (draw: Draw): number[] => [...draw.normal(9), ...draw.uniform(9)];

  it('is the pivot at radius 0, and itself at radius 1', () => {
    expect(numbers(own.near(pivot, 0))).toEqual(numbers(pivot));
    expect(numbers(own.near(pivot, 1))).toEqual(numbers(own));
    expect(own.near(pivot, 0.5).path).toEqual(own.path);
  });

  it('lies between them, and stays normal and uniform', () => {
    for (const radius of [0.1, 0.5, 0.9]) {
      const near = own.near(pivot, radius);
      const normal = near.normal(COUNT);
      expectNormal(normal);
      // The correlation with the pivot is sqrt(1 - radius^2), with itself the radius.
      expect(Math.abs(productMean(normal, pivot.normal(COUNT)) - Math.sqrt(1 - radius ** 2))).toBeLessThan(
        0.03,
      );
      expect(Math.abs(productMean(normal, own.normal(COUNT)) - radius)).toBeLessThan(0.03);
      expectUniform(near.uniform(2000 * 5));
    }
    const away = (radius: number): number => {
      const uniform = pivot.uniform(500);
      return mean(
        own
          .near(pivot, radius)
          .uniform(500)
          .map((value, i) => Math.abs(value - (uniform[i] ?? 0))),
      );
    };
    const distances = [0, 0.05, 0.2, 0.6, 1].map(away);
    expect(distances[0]).toBe(0);
    expect(distances).toEqual(distances.toSorted((a, b) => a - b));
    expect(distances[1]).toBeLessThan(0.03);
  });

  it('folds as both do, and number i never depends on how many are asked for', () => {
    expect(numbers(own.near(pivot, 0).fold(4).fold(1))).toEqual(numbers(pivot.fold(4).fold(1)));
    expect(numbers(own.near(pivot, 1).fold(4))).toEqual(numbers(own.fold(4)));
    const near = own.near(pivot, 0.3);
    expect(numbers(near.fold(4))).toEqual(numbers(own.fold(4).near(pivot.fold(4), 0.3)));
    expect(near.fold(4).path).toEqual([3, 4]);
    expect(numbers(near.fold(4))).not.toEqual(numbers(near.fold(5)));
    expect([...near.normal(3)]).toEqual([...near.normal(8)].slice(0, 3));
    expect([...near.uniform(3)]).toEqual([...near.uniform(8)].slice(0, 3));
  });

  it('can be a pivot, and have one', () => {
    const third = RandomKey.fromSeed(6);
    const between = own.near(pivot, 0.4);
    expect(numbers(third.near(between, 0))).toEqual(numbers(between));
    expect(numbers(between.near(third, 0))).toEqual(numbers(third));
    expect(numbers(between.near(third, 1))).toEqual(numbers(between));
    expectNormal(between.near(third, 0.5).normal(COUNT));
  });

  it.each([-0.1, 1.1, NaN])('refuses the radius %s', (radius) => {
    expect(() => own.near(pivot, radius)).toThrow(/radius must be a number from 0 to 1/);
  });
});
