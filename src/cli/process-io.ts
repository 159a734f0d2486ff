// The real surroundings of a command: the process' streams, environment and signals.

import { createInterface } from 'node:readline/promises';

import { fileFault } from '../core/file-faults.js';
import { builtInCatalogs } from '../engine/catalogs.js';
import { EXIT } from './exit.js';
import { type CliIo, INTERRUPT_CODES, type InterruptSignal } from './io.js';
import { asciiOutput, isUnicode } from './terminal.js';

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
      // From then on the system ends the process, also while the main thread is at work and nothing is heard here.
      setTimeout(stop, SAME_PRESS_MILLISECONDS).unref();
      handler(known);
    } else if (performance.now() - askedAt > SAME_PRESS_MILLISECONDS) {
      process.exit(INTERRUPT_CODES[known]);
    }
  };
  const signals = Object.keys(INTERRUPT_CODES) as InterruptSignal[];
  const stop = (): void => {
    for (const signal of signals) process.off(signal, listen);
  };
  for (const signal of signals) process.on(signal, listen);
  return stop;
}

/** The surroundings of this process, with the built-in models. */
export function processIo(): CliIo {
  // A reader such as `head` may close the pipe early; that is no failure of ours.
  for (const [stream, name] of [
    [process.stdout, 'output'],
    [process.stderr, 'messages'],
  ] as const) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || process.exitCode === EXIT.failure) return;
      process.exitCode = EXIT.failure;
      if (stream === process.stdout) {
        process.stderr.write(`varsearch: cannot write the ${name}: ${fileFault(error)}\n`);
      }
      // What the command gives in the end is not the exit code any more.
      process.once('exit', () => (process.exitCode = EXIT.failure));
    });
  }
  const { env } = process;
  const [stdout, stderr] = isUnicode(env)
    ? [process.stdout, process.stderr]
    : [asciiOutput(process.stdout), asciiOutput(process.stderr)];
  const attended = process.stdin.isTTY && process.stderr.isTTY;
  return {
    stdout,
    stderr,
    env,
    cwd: currentFolder(),
    catalogs: builtInCatalogs,
    onInterrupt,
    ask: attended ? ask : undefined,
  };
}

async function ask(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}

/** The current folder; one that was deleted is named as the shell knows it, so that what needs it fails with its own line. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return process.env['PWD'] ?? '/';
  }
}
