// The errors that callers branch on. Everything else is a TypeError or RangeError from where it happens.
// Messages name the thing, the fault and the remedy; `cause` keeps what was caught.

import { isError } from './realm.js';

/** What went wrong, for programs: it stays the same when messages change. */
export type ErrorCode =
  'failed' | 'usage' | 'not-installed' | 'checkpoint' | 'runtime' | 'endpoint' | 'other-files';

/** Base of every error that varsearch throws on purpose; edges print its message as one line. */
export class VarsearchError extends Error {
  override readonly name: string = 'VarsearchError';
  readonly code: ErrorCode = 'failed';
}

/** An option, prompt or argument that cannot be used as given. */
export class UsageError extends VarsearchError {
  override readonly name = 'UsageError';
  override readonly code = 'usage';
}

/** A checkpoint, configuration or tokenizer file that is missing, damaged or of another kind. */
export class CheckpointError extends VarsearchError {
  override readonly name = 'CheckpointError';
  override readonly code = 'checkpoint';
  readonly file: string;

  constructor(file: string, fault: string, options?: ErrorOptions) {
    super(`${file}: ${fault}`, options);
    this.file = file;
  }
}

/** A failure inside the engine: a graph that does not load, a run with wrong inputs, a dead worker. */
export class RuntimeError extends VarsearchError {
  override readonly name = 'RuntimeError';
  override readonly code = 'runtime';
}

/** A model or verifier whose files or package are not there. */
export class NotInstalledError extends VarsearchError {
  override readonly name = 'NotInstalledError';
  override readonly code = 'not-installed';
}

/** A picture whose recipe names other model files than those that are here. */
export class OtherFilesError extends VarsearchError {
  override readonly name = 'OtherFilesError';
  override readonly code = 'other-files';
}

/** Throws the signal's reason as an AbortError when the caller has cancelled. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}

/** True for the error that a cancelled operation rejects with. */
export function isAbortError(error: unknown): boolean {
  return isError(error) && error.name === 'AbortError';
}
