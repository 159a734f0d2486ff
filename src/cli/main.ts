#!/usr/bin/env node
// The varsearch command: the real streams, environment and signals around program.ts.

import { builtInCatalogs } from '../run/engine.js';
import type { CliIo, InterruptSignal } from './io.js';
import { INTERRUPT_CODES } from './io.js';
import { runCli } from './program.js';

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

// A reader such as `head` may close the pipe early; that is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const io: CliIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  catalogs: builtInCatalogs,
  onInterrupt,
};

process.exitCode = await runCli(process.argv.slice(2), io);
