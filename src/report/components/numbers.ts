// The numbers at the axes of charts: a mark says its true value, with as many digits as its distance to the next one asks for.

import { formatLocale, precisionFixed } from 'd3-format';

/** English digits with the minus of the terminal and of result.json, so that a number can be found by its text. */
const locale = formatLocale({
  decimal: '.',
  thousands: ',',
  grouping: [3],
  currency: ['', ''],
  minus: '-',
});

/** From here on numbers get a prefix: 12k. */
const LARGE = 10_000;

/** Digits that no rounding of binary fractions reaches. */
const large = locale.format('.12~s');
const plain = locale.format('.12~g');

/** Writes the marks of an axis that stand `step` apart, the largest of which is `most`. */
export function markFormat(step: number, most: number): (value: number) => string {
  if (Math.abs(most) >= LARGE) return large;
  return locale.format(`.${precisionFixed(step)}f`);
}

/** Writes the marks of a logarithmic axis, which have no common step: 0.01, 1, 100, 10k. */
export function markFormatLog(value: number): string {
  return value >= LARGE ? large(value) : plain(value);
}
