// What a model gives, looked at once: damaged weights make numbers that are no numbers, or the same everywhere, and whatever is
// drawn or judged by them looks like a result.

import { CheckpointError } from './errors.js';

/**
 * Throws a CheckpointError that names file and part unless all values are finite, and differ within one at least of `rows` equal
 * parts. It takes a nanosecond a value.
 */
export function checkReadout(file: string, part: string, values: Float32Array, rows = 1): void {
  let sum = 0;
  // A finite number taken from itself is 0, anything else NaN.
  for (const value of values) sum += value - value;
  if (sum !== 0) fail(file, part, 'are not finite numbers');
  const length = values.length / rows;
  if (length <= 1) return;
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== values[i - (i % length)]) return;
  }
  fail(file, part, 'are all the same');
}

function fail(file: string, part: string, fault: string): never {
  throw new CheckpointError(file, `${part} ${fault}: the weights must be damaged, fetch the file again`);
}
