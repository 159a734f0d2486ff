import { expect, it } from 'vitest';

import { widenToFloat32 } from '../weights/widen.js';
import { halves } from './index.js';

const widened = (words: Uint16Array): Float32Array =>
  widenToFloat32('F16', new Uint8Array(words.buffer, words.byteOffset, words.byteLength));

it('every float16 becomes itself again', () => {
  const words = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter(
    (word) => (word & 0x7c00) !== 0x7c00 || (word & 0x3ff) === 0,
  );
  expect(halves(widened(words))).toEqual(words);
  expect(widened(halves(Float32Array.of(NaN)))).toEqual(Float32Array.of(NaN));
});

it('numbers between two go to the nearer, and from the middle to the even one', () => {
  const cases: readonly (readonly [number, number])[] = [
    [1 + 2 ** -11, 1],
    [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [-1 - 2 ** -11, -1],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2 ** -23],
    [2 ** -14 - 2 ** -26, 2 ** -14],
    [65519.99, 65504],
    [65520, Infinity],
    [-1e30, -Infinity],
  ];
  const found = widened(halves(Float32Array.from(cases, ([number]) => number)));
  expect([...found]).toEqual(cases.map(([, half]) => half));
});
