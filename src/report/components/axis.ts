// Axes of charts: from values to places in a drawing and to the marks beside it. Plain data, no markup; scales and marks are d3's.

import { extent, tickStep } from 'd3-array';
import { scaleLinear, scaleLog } from 'd3-scale';

import { markFormat, markFormatLog } from './numbers.js';

/** A mark at an axis: where on the axis, in its values, and what stands there. */
export interface Mark {
  readonly at: number;
  readonly text: string;
}

/** What a chart says of one of its axes. */
export interface AxisOptions {
  /** What is counted, with its unit. */
  readonly label: string;
  /** 'log' takes values above 0 only. @default 'linear' */
  readonly scale?: 'linear' | 'log';
  /** Lets a linear axis begin at 0. @default false */
  readonly fromZero?: boolean;
  /** Marks at whole numbers only: for what is counted. @default false */
  readonly whole?: boolean;
  /** Where the marks stand, where the round numbers would not do. */
  readonly marks?: readonly Mark[];
  /** Writes a value; one that it writes as '' is not marked. @default as a number that says its true value */
  readonly write?: (value: number) => string;
}

/** An axis laid out over a range of pixels. */
export interface Axis {
  /** The pixel of a value. */
  readonly place: (value: number) => number;
  readonly marks: readonly Mark[];
}

/** The pixels of an axis, and how it is filled. */
export interface AxisSpace {
  readonly from: number;
  readonly to: number;
  /** How many marks there are, about. */
  readonly count: number;
  /** What is left free at both ends, as a share of what the values take. */
  readonly margin: number;
}

/** Lays out an axis over values; throws a RangeError where a logarithmic one gets a value that is not above 0. */
export function layOutAxis(values: readonly number[], options: AxisOptions, space: AxisSpace): Axis {
  const [low = 0, high = 0] = extent(options.fromZero === true ? [...values, 0] : values);
  return options.scale === 'log' ? logAxis(low, high, options, space) : linearAxis(low, high, options, space);
}

function linearAxis(low: number, high: number, options: AxisOptions, space: AxisSpace): Axis {
  const pad = high > low ? (high - low) * space.margin : Math.abs(high) * 0.1 || 1;
  // The margin does not go where no value can be: what is nowhere below 0 has no marks below 0.
  const start = low >= 0 ? Math.max(0, low - pad) : low - pad;
  const end = high < 0 ? Math.min(0, high + pad) : high + pad;
  const scale = scaleLinear([start, end], [space.from, space.to]);
  const whole = options.whole === true;
  const found = scale.ticks(space.count).filter((value) => !whole || Number.isInteger(value));
  const step = Math.max(whole ? 1 : 0, tickStep(start, end, space.count));
  const write = options.write ?? markFormat(step, Math.max(Math.abs(start), Math.abs(end)));
  return { place: scale, marks: options.marks ?? marksAt(found, write) };
}

function logAxis(low: number, high: number, options: AxisOptions, space: AxisSpace): Axis {
  if (!(low > 0)) throw new RangeError(`a logarithmic axis (${options.label}) has no place for ${low}`);
  const factor = high > low ? (high / low) ** space.margin : 2;
  const scale = scaleLog([low / factor, high * factor], [space.from, space.to]);
  // d3 leaves marks without a text where they would stand too close; within a decade it would leave one or none.
  const isShown = scale.tickFormat(space.count, '~g');
  const all = scale.ticks(space.count);
  const apart = all.filter((value) => isShown(value) !== '');
  const found = apart.length > 2 ? apart : all;
  return { place: scale, marks: options.marks ?? marksAt(found, options.write ?? markFormatLog) };
}

function marksAt(values: readonly number[], write: (value: number) => string): readonly Mark[] {
  return values.map((at) => ({ at, text: write(at) })).filter(({ text }) => text !== '');
}
