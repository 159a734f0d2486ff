// The one place where errors become exit codes and a line on stderr.

import { CommanderError } from 'commander';

import { VarsearchError } from '../core/errors.js';
import { isError } from '../core/realm.js';
import type { CliIo, InterruptSignal } from './io.js';
import { INTERRUPT_CODES, line, plain } from './io.js';
import { nearFlag, type Typed, withFlags } from './names.js';

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

/** Characters of a message: what somebody else wrote may come in any length. */
const MOST_SHOWN = 2000;

/** A message of a sensible length. */
function cut(message: string): string {
  return message.length <= MOST_SHOWN ? message : `${message.slice(0, MOST_SHOWN)}\u2026`;
}

function messageOf(error: unknown, typed: Typed): string {
  if (error instanceof VarsearchError) return withFlags(cut(error.message), typed);
  if (error instanceof CommanderError) return unknownFlag(error) ?? error.message.replace(/^error: /, '');
  const message = isError(error) ? `${error.name}: ${error.message}` : String(error);
  return `unexpected failure: ${message} (VARSEARCH_DEBUG=1 shows where)`;
}

/** What is said of a flag of another program; null for all other errors. */
function unknownFlag({ code, message }: CommanderError): string | null {
  const [, flag = ''] =
    /unknown option '([^']+)'/.exec(code === 'commander.unknownOption' ? message : '') ?? [];
  const near = nearFlag(flag);
  return near === null ? null : `unknown option '${flag}': did you mean ${near}?`;
}

/** Tells what went wrong in one line, in the words that were typed, and gives the exit code. */
export function reportError(error: unknown, io: CliIo, typed: Typed = { words: [], positional: [] }): number {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  if (error instanceof Interrupted) return INTERRUPT_CODES[error.signal];
  line(io.stderr, `varsearch: ${plain(cut(messageOf(error, typed)))}`);
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
