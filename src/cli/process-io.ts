// The real surroundings of a command: the process' streams, environment and signals.

import { builtInCatalogs } from '../run/engine.js';
import { type CliIo, INTERRUPT_CODES, type InterruptSignal } from './io.js';

/** The first signal asks the work to stop; the second one ends the program at once. */
function onInterrupt(handler: (signal: InterruptSignal) => void): () => void {
  let asked = false;
  const listen = (signal: NodeJS.Signals): void => {
    const known = signal as InterruptSignal;
    if (asked) process.exit(INTERRUPT_CODES[known]);
    asked = true;
    handler(known);
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
