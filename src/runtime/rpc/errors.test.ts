import { describe, expect, it } from 'vitest';

import {
  CheckpointError,
  isAbortError,
  RuntimeError,
  UsageError,
  VarsearchError,
} from '../../core/errors.js';
import { decodeError, encodeError } from './errors.js';

const crossed = (thrown: unknown): Error => decodeError(structuredClone(encodeError(thrown)));

describe('an error that crosses', () => {
  it.each([
    new VarsearchError('a'),
    new UsageError('b'),
    new RuntimeError('c'),
    new CheckpointError('/a/file', 'is damaged'),
    new TypeError('d'),
    new RangeError('e'),
    new SyntaxError('f'),
    new Error('g'),
  ])('is what it was: %s', (error) => {
    const found = crossed(error);
    expect(found.constructor).toBe(error.constructor);
    expect(found).toEqual(error);
    expect(String(found)).toBe(String(error));
    expect(found.stack).toBe(error.stack);
    expect(Object.prototype.toString.call(found)).toBe('[object Error]');
  });

  it('keeps causes and simple fields', () => {
    const cause = new CheckpointError('/a/file', 'is damaged');
    const error = Object.assign(new UsageError('no', { cause }), { code: 'E_NO', status: 4, all: () => 1 });
    const found = crossed(error);
    expect(found).toMatchObject({ code: 'E_NO', status: 4, cause: { file: '/a/file' } });
    expect(found.cause).toBeInstanceOf(CheckpointError);
    expect(found).not.toHaveProperty('all');
    expect(crossed(new Error('x'))).not.toHaveProperty('cause');
  });

  it('is the nearest class that is known, under its own name', () => {
    class EndpointError extends RuntimeError {
      override readonly name = 'EndpointError' as 'RuntimeError';
    }
    const found = crossed(new EndpointError('far'));
    expect(found).toBeInstanceOf(RuntimeError);
    expect(found.name).toBe('EndpointError');
    const aborted = crossed(new DOMException('stopped', 'AbortError'));
    expect(isAbortError(aborted)).toBe(true);
    expect(aborted.message).toBe('stopped');
  });

  it('may be anything, and its own cause', () => {
    expect(crossed('plain text')).toEqual(new Error('plain text'));
    expect(crossed(undefined).message).toBe('undefined');
    const error = new Error('round');
    error.cause = error;
    expect(crossed(error).cause).toEqual(expect.objectContaining({ message: 'round' }));
  });
});
