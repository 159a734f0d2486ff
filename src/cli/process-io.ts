// The real surroundings of a command: the process' streams, environment and signals.

import { builtInCatalogs } from '../engine/catalogs.js';
import { type CliIo, INTERRUPT_CODES, type InterruptSignal } from './io.js';

/**
 * A signal that follows the first one so closely is the same key press: under `npm run`, Ctrl-C reaches the process from
 * the terminal, and again from npm, which passes it on.
 */
const SAME_PRESS_MILLISECONDS = 700;

/** The first signal asks the work to stop; a second one ends the program at once. */
function onInterrupt(handler: (signal: InterruptSignal) => void): () => void {
  let askedAt = 0;
  const listen = (signal: NodeJS.Signals): void => {
    const known = signal as InterruptSignal;
    if (askedAt === 0) {
      askedAt = performance.now();
      handler(known);
    } else if (performance.now() - askedAt > SAME_PRESS_MILLISECONDS) {
      process.exit(INTERRUPT_CODES[known]);
    }
  };
  const signals = Object.keys(INTERRUPT_CODES) as InterruptSignal[];
  for (const signal of signals) process.on(signal, listen);
  return () => {
    for (const signal of signals) process.off(signal, listen);
  };
}

/** The surroundings of this process, with the built-in models. */
export function processIo(): CliIo {
  // A reader such as `head` may close the pipe early; that is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const { stdout, stderr, env } = process;
  return { stdout, stderr, env, cwd: process.cwd(), catalogs: builtInCatalogs, onInterrupt };
}
