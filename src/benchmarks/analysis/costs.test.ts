// The best until then, at any cost.

import { expect, it } from 'vitest';

import type { CurvePoint, PictureRecord } from '../record.js';
import { anytime } from './costs.js';

const point = (nfe: number, right: boolean): CurvePoint => ({ nfe, right }) as CurvePoint;
const picture = (index: number, end: number, curve: readonly CurvePoint[]): PictureRecord =>
  ({ prompt: { index }, seed: 1, curve, spent: { nfe: end } }) as unknown as PictureRecord;

it('is what had been found when so much was spent, and nothing that comes later', () => {
  const pictures = [
    picture(0, 16, [point(4, false), point(16, true)]),
    picture(1, 12, [point(6, true)]),
    picture(2, 16, []),
  ];
  const points = anytime(
    pictures,
    ({ nfe }) => nfe,
    ({ spent }) => spent.nfe,
    ({ right }) => Number(right),
  );
  // From where both have a picture to where the longer one ends.
  expect([points[0]?.x, points.at(-1)?.x, points.length]).toEqual([6, 16, 33]);
  expect(new Set(points.filter(({ x }) => x < 16).map(({ y }) => y))).toEqual(new Set([0.5]));
  expect(points.at(-1)?.y).toBe(1);
});
