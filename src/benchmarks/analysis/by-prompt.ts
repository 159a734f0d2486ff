// Values by prompt: seeds are repeats of a prompt, and averaged before anything else is made of them.

import type { PictureRecord } from '../record.js';

/** A number for each prompt, by its place in the benchmark and in its order. */
export type ByPrompt = ReadonlyMap<number, number>;

/** The mean over the seeds of each prompt; those without any value are left out. Pictures are sorted by prompt. */
export function byPrompt(
  pictures: readonly PictureRecord[],
  valueOf: (picture: PictureRecord) => number | null,
): ByPrompt {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const picture of pictures) {
    const value = valueOf(picture);
    if (value === null) continue;
    const found = sums.get(picture.prompt.index);
    if (found) {
      found.sum += value;
      found.count++;
    } else sums.set(picture.prompt.index, { sum: value, count: 1 });
  }
  return new Map([...sums].map(([prompt, { sum, count }]) => [prompt, sum / count]));
}

/** The values alone, in the order of prompts. */
export const valuesOf = (values: ByPrompt): readonly number[] => [...values.values()];

/** Pictures of the same prompts and seeds in two cells. */
export interface Pair {
  readonly one: PictureRecord;
  readonly other: PictureRecord;
}

/** What two cells have both drawn: for each prompt and seed a picture of either. */
export function pairsOf(ones: readonly PictureRecord[], others: readonly PictureRecord[]): readonly Pair[] {
  const unitOf = ({ prompt, seed }: PictureRecord): string => `${prompt.index} ${seed}`;
  const found = new Map(others.map((picture) => [unitOf(picture), picture]));
  return ones.flatMap((one) => {
    const other = found.get(unitOf(one));
    return other ? [{ one, other }] : [];
  });
}

/** The difference of two measures by prompt, of the seeds that both have. */
export function differences(
  pairs: readonly Pair[],
  valueOf: (picture: PictureRecord) => number | null,
): ByPrompt {
  const values = new Map(
    pairs.map(({ one, other }) => {
      const [a, b] = [valueOf(one), valueOf(other)];
      return [one, a === null || b === null ? null : a - b];
    }),
  );
  return byPrompt(
    pairs.map(({ one }) => one),
    (picture) => values.get(picture) ?? null,
  );
}

/** Values of the prompts that all of several have. */
export function common(...maps: readonly ByPrompt[]): readonly (readonly number[])[] {
  const [first, ...rest] = maps;
  const shared = [...(first?.keys() ?? [])].filter((prompt) => rest.every((map) => map.has(prompt)));
  return maps.map((map) => shared.map((prompt) => map.get(prompt) ?? NaN));
}
