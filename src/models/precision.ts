// In which numbers a model's large matrix products are computed.

import { UsageError } from '../core/errors.js';
import { choice } from '../core/options.js';
import { type Precision, PRECISIONS } from '../runtime/graph/index.js';
import type { Runtime } from '../runtime/index.js';

/** The option of models and of opening them. */
export const PRECISION = choice(
  'numbers of the large matrix products; int8: a quarter of the memory, 2 to 3 times as fast on a CPU; float16: half of it, for GPUs; other pictures',
  PRECISIONS,
  { usual: 'float32' },
);

/**
 * The precision of a run as its values keep it: only where it is not float32. A model that is not `loaded` yet may be asked for any;
 * throws a UsageError for another than it was loaded in.
 */
export function precisionOf(
  name: string,
  asked: Precision | undefined,
  loaded: Precision | undefined,
): { readonly precision?: Precision } {
  const precision = loaded ?? asked;
  if (asked !== undefined && asked !== precision) {
    throw new UsageError(
      `${name} was opened in ${precision}, and ${asked} is asked for: open it with option 'precision'`,
    );
  }
  return precision === undefined || precision === 'float32' ? {} : { precision };
}

/** Throws a UsageError for numbers that the device does not compute in. */
export function checkPrecision(precision: Precision | undefined, { device, float16 }: Runtime): void {
  if (precision === 'int8' && device !== 'cpu') {
    throw new UsageError(
      `precision int8 is for the CPU alone, and this is ${device}: take float16 (--precision float16), or leave it away`,
    );
  }
  if (precision === 'float16' && !float16) {
    throw new UsageError(
      `this GPU's driver does not compute in 16 bits (WebGPU's shader-f16): leave precision float16 away`,
    );
  }
}
