// Trying again what fails by the network: with patience that grows, and an end.

import { setTimeout as sleep } from 'node:timers/promises';

import { VarsearchError } from '../core/errors.js';
import { HubFault } from './client.js';

/** When a transfer is given up, and how often and when it is tried again. */
export interface RetryTiming {
  /** Milliseconds without a byte. */
  readonly stall: number;
  /** Milliseconds before the first new try; each further one in vain waits twice as long. */
  readonly backoff: number;
  /** Tries in a row that may be in vain. */
  readonly tries: number;
}

/** The usual patience. */
export const USUAL_TIMING: RetryTiming = { stall: 30_000, backoff: 1000, tries: 6 };

const LONGEST_WAIT = 120_000;

/** What a try is given, and what is told of it. */
export interface Patience {
  readonly timing: RetryTiming;
  readonly signal: AbortSignal;
  /** What went wrong, and after how many milliseconds it is tried again. */
  readonly onRetry: (fault: string, wait: number) => void;
  /** Something that grows with success: tries that move it are not in vain. @default none is counted */
  readonly progress?: () => number;
}

/** Repeats work until it ends well; a fault that trying does not mend, or too many in a row, are thrown. */
export async function patiently<T>(
  work: (attempt: number) => Promise<T>,
  { timing, signal, onRetry, progress = () => 0 }: Patience,
): Promise<T> {
  let vain = 0;
  for (let attempt = 0; ; attempt++) {
    const before = progress();
    try {
      return await work(attempt);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof HubFault) || !error.again) throw error;
      vain = progress() > before ? 1 : vain + 1;
      if (vain >= timing.tries) {
        throw new VarsearchError(
          `${error.message}; given up after ${timing.tries} tries: what has come is kept, the same command goes on`,
          { cause: error },
        );
      }
      const wait = Math.min(error.wait ?? timing.backoff * 2 ** (vain - 1), LONGEST_WAIT);
      onRetry(error.message, wait);
      await sleep(wait, undefined, { signal });
    }
  }
}

/**
 * Work over one connection, which is ended when no byte comes for as long as the timing says, and in any case at the end of
 * the work: a body that nobody reads keeps no socket.
 */
export async function connected<T>(
  work: (watch: { readonly signal: AbortSignal; readonly onArrival: () => void }) => Promise<T>,
  { timing, signal }: Pick<Patience, 'timing' | 'signal'>,
): Promise<T> {
  const ending = new AbortController();
  const stalled = new HubFault(`no byte has come for ${timing.stall / 1000} s`, { again: true });
  const timer = setTimeout(() => {
    ending.abort(stalled);
  }, timing.stall);
  try {
    return await work({
      signal: AbortSignal.any([signal, ending.signal]),
      onArrival: () => {
        timer.refresh();
      },
    });
  } catch (error) {
    throw ending.signal.aborted ? stalled : error;
  } finally {
    clearTimeout(timer);
    ending.abort(stalled);
  }
}
