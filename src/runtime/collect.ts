// Memory of dropped tensors goes back to the system when the garbage collector runs, which it does for new memory of JavaScript's
// own: not for that which the engine asks for next. Where gigabytes were dropped, it runs at once.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that may wait for the garbage collector. */
const MOST_WAITING = 2 ** 28;

let waiting = 0;
let collect: (() => void) | undefined;

/** Notes bytes that nobody refers to any more. */
export function noteDropped(bytes: number): void {
  waiting += bytes;
  if (waiting < MOST_WAITING) return;
  waiting = 0;
  collect ??= collector();
  collect();
}

/** V8's own function, which a new context has while the flag is set. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as () => void;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
