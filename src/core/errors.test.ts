import { describe, expect, it } from 'vitest';

import {
  CheckpointError,
  isAbortError,
  RuntimeError,
  throwIfAborted,
  UsageError,
  VarsearchError,
} from './errors.js';

describe('the family of errors', () => {
  it.each([
    [new UsageError('bad option'), 'UsageError', 'bad option'],
    [new RuntimeError('engine gone'), 'RuntimeError', 'engine gone'],
    [new CheckpointError('vae.pth', 'ends early'), 'CheckpointError', 'vae.pth: ends early'],
  ])('%s', (error, name, message) => {
    expect(error).toBeInstanceOf(VarsearchError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
    expect(error.message).toBe(message);
    expect(String(error)).toBe(`${name}: ${message}`);
  });

  it('keeps causes and the name of the file', () => {
    const cause = new Error('EOF');
    const error = new CheckpointError('vae.pth', 'ends early', { cause });
    expect(error.cause).toBe(cause);
    expect(error.file).toBe('vae.pth');
  });
});

describe('cancellation', () => {
  it('throws the reason of an aborted signal, and nothing else', () => {
    const controller = new AbortController();
    expect(() => throwIfAborted(undefined)).not.toThrow();
    expect(() => throwIfAborted(controller.signal)).not.toThrow();
    controller.abort();
    let caught: unknown;
    try {
      throwIfAborted(controller.signal);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(controller.signal.reason);
    expect(isAbortError(caught)).toBe(true);
  });

  it('is told from other failures', () => {
    expect(isAbortError(new Error('AbortError'))).toBe(false);
    expect(isAbortError('AbortError')).toBe(false);
    expect(isAbortError(null)).toBe(false);
  });
});
