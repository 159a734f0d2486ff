// Ctrl-C as cancellation: work gets a signal that is aborted with Interrupted.

import { Interrupted } from './exit.js';
import type { CliIo } from './io.js';

/** Runs work that the user can stop. */
export async function interruptible<T>(io: CliIo, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stopListening = io.onInterrupt((signal) => {
    controller.abort(new Interrupted(signal));
  });
  try {
    return await work(controller.signal);
  } catch (error) {
    // Whatever fails after the user has asked to stop fails because of that.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    stopListening();
  }
}
