// The one place where errors become exit codes and a line on stderr.

import { CommanderError } from 'commander';

import { BENCH_ONLY } from '../benchmarks/options.js';
import { VarsearchError } from '../core/errors.js';
import { flagOf } from '../core/options.js';
import { isError } from '../core/realm.js';
import { OPTION_NAMES } from '../run/options.js';
import type { CliIo, InterruptSignal } from './io.js';
import { INTERRUPT_CODES, line, plain } from './io.js';

/** Exit codes besides those of signals. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

/** The command was stopped by a signal; what was finished has been kept. */
export class Interrupted extends Error {
  override readonly name = 'AbortError';
  readonly signal: InterruptSignal;

  constructor(signal: InterruptSignal) {
    super('interrupted');
    this.signal = signal;
  }
}

const NAMES: readonly string[] = [...OPTION_NAMES, ...Object.keys(BENCH_ONLY)];

/** Messages of the library name its options; who types commands knows them as flags, which some messages say beside them. */
function withFlags(message: string): string {
  return message
    .replace(/(?:(?:the )?option )?'([A-Za-z]+)'/g, (quoted, name: string) =>
      NAMES.includes(name) ? flagOf(name) : quoted,
    )
    .replace(/(--[a-z-]+)(?: \(\1\)|, \1\b)/g, '$1');
}

/** Characters of a message: what somebody else wrote may come in any length. */
const MOST_SHOWN = 2000;

/** A message of a sensible length. */
function cut(message: string): string {
  return message.length <= MOST_SHOWN ? message : `${message.slice(0, MOST_SHOWN)}\u2026`;
}

function messageOf(error: unknown): string {
  if (error instanceof VarsearchError) return withFlags(cut(error.message));
  if (error instanceof CommanderError) return error.message.replace(/^error: /, '');
  const message = isError(error) ? `${error.name}: ${error.message}` : String(error);
  return `unexpected failure: ${message} (VARSEARCH_DEBUG=1 shows where)`;
}

/** Tells what went wrong in one line and gives the exit code. */
export function reportError(error: unknown, io: CliIo): number {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  if (error instanceof Interrupted) return INTERRUPT_CODES[error.signal];
  line(io.stderr, `varsearch: ${plain(cut(messageOf(error)))}`);
  const debug = io.env['VARSEARCH_DEBUG'];
  if (debug !== undefined && debug !== '' && debug !== '0' && isError(error)) {
    line(io.stderr, stackOf(error));
  }
  if (error instanceof VarsearchError) return error.code === 'usage' ? EXIT.usage : EXIT.failure;
  return error instanceof CommanderError ? EXIT.usage : EXIT.failure;
}

function stackOf(error: Error): string {
  const cause = isError(error.cause) ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
