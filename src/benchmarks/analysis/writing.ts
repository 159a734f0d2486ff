// Numbers of tables as people read them.

import { formatLarge } from '../../core/format.js';
import type { Estimate } from './bootstrap.js';
import type { Column, Datum, Writing } from './tables.js';

const NONE = '\u2013';

/** With its sign, but none before what is written as zero. */
function signed(text: string): string {
  if (!/[1-9]/.test(text)) return text.replace('-', '');
  return text.startsWith('-') ? text : `+${text}`;
}

/** Three figures of a score, at most four of them behind the point. */
function digits(value: number): string {
  if (value === 0) return '0';
  const size = Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(4, Math.max(0, 2 - size)));
}

const WRITINGS: Readonly<Record<Exclude<Writing, 'text'>, (value: number) => string>> = {
  count: (value) => value.toLocaleString('en-US', { maximumFractionDigits: Number.isInteger(value) ? 0 : 1 }),
  share: (value) => `${(100 * value).toFixed(1)} %`,
  points: (value) => signed((100 * value).toFixed(1)),
  score: (value) => digits(value),
  difference: (value) => signed(digits(value)),
  large: (value) => (value < 10_000 ? digits(value) : formatLarge(value).trim()),
  ratio: (value) => value.toFixed(2),
  probability: (value) => writeProbability(value),
};

/** A probability: small ones as a power of ten. */
export function writeProbability(value: number): string {
  return value < 0.001 ? value.toExponential(0) : value.toFixed(value < 0.1 ? 3 : 2);
}

/** A number without an interval. */
export function writeValue(value: number, as: Writing): string {
  if (as === 'text') return String(value);
  return Number.isFinite(value) ? WRITINGS[as](value) : NONE;
}

/** A figure and its interval: "+3.5 [-1.0, +8.0] points". */
export function writeEstimate(estimate: Estimate, as: Writing): string {
  const unit = as === 'points' ? ' points' : '';
  return `${writeBare(estimate, as)}${unit}`;
}

function writeBare({ value, low, high }: Estimate, as: Writing): string {
  const text = writeValue(value, as);
  if (low === null || high === null) return text;
  const plain = (end: number): string => writeValue(end, as).replace(/ %$/, '');
  return `${text} [${plain(low)}, ${plain(high)}]`;
}

/** What stands in a cell of a table; columns of points have their unit in the head. */
export function writeDatum(datum: Datum, { as }: Pick<Column, 'as'>): string {
  if (datum === null) return NONE;
  if (typeof datum === 'string') return datum;
  return typeof datum === 'number' ? writeValue(datum, as) : writeBare(datum, as);
}

/** The head of a column, with the unit of its numbers. */
export const writeHead = ({ title, as }: Pick<Column, 'title' | 'as'>): string =>
  as === 'points' ? `${title}, points` : title;
