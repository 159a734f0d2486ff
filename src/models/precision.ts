// In which numbers a model's large matrix products are computed.

import { choice } from '../core/options.js';
import { PRECISIONS } from '../runtime/graph/index.js';

/** The option of models and of opening them. */
export const PRECISION = choice(
  'numbers of the large matrix products; int8: a quarter of the memory, 2 to 3 times as fast on a CPU; float16: half of it, for GPUs; other pictures',
  PRECISIONS,
  { usual: 'float32' },
);
