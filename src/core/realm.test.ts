// Kinds are told across realms, as test runners have them.

import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { isAbortSignal, isArrayOf, isError, isSyntaxError } from './realm.js';

const foreign = (code: string): unknown => runInNewContext(code);

describe('a value of another realm', () => {
  it('is an error or none', () => {
    expect(foreign('new RangeError("far")')).not.toBeInstanceOf(Error);
    for (const error of [
      foreign('new RangeError("far")'),
      new TypeError('near'),
      new DOMException('x', 'AbortError'),
    ]) {
      expect(isError(error)).toBe(true);
    }
    for (const other of [undefined, null, 'Error', {}, foreign('({ message: "far" })')]) {
      expect(isError(other)).toBe(false);
    }
  });

  it('is what a parser throws', () => {
    expect(isSyntaxError(foreign('new SyntaxError("far")'))).toBe(true);
    expect(isSyntaxError(new RangeError('near'))).toBe(false);
    expect(isSyntaxError({ name: 'SyntaxError' })).toBe(false);
  });

  it('is an array of its kind', () => {
    expect(isArrayOf('Float32Array', foreign('new Float32Array(2)'))).toBe(true);
    expect(isArrayOf('Uint8Array', Buffer.from('x'))).toBe(true);
    expect(isArrayOf('Float32Array', foreign('new Float64Array(2)'))).toBe(false);
    expect(isArrayOf('Float32Array', { [Symbol.toStringTag]: 'Float32Array' })).toBe(false);
    expect(isArrayOf('Int32Array', [1])).toBe(false);
  });

  it('is a signal', () => {
    expect(isAbortSignal(AbortSignal.abort())).toBe(true);
    expect(isAbortSignal({ aborted: true })).toBe(false);
  });
});
