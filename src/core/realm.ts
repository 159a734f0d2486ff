// Tests of kinds that hold across realms. Test runners (Jest, Vitest's vm pools, jsdom) run this code in a context of its own, whose
// Error and Float32Array are others than those of Node.js: what a worker sends or the file system throws is an instance of none of ours.

const tagOf = (value: unknown): string => Object.prototype.toString.call(value);

/** True for an error of any realm. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || ['[object Error]', '[object DOMException]'].includes(tagOf(value));
}

/** True for what a parser throws, in any realm. */
export function isSyntaxError(value: unknown): value is SyntaxError {
  return isError(value) && value.name === 'SyntaxError';
}

/** The arrays that tensors are made of, by name. */
interface Arrays {
  Float32Array: Float32Array;
  BigInt64Array: BigInt64Array;
  Int32Array: Int32Array;
  Uint8Array: Uint8Array;
  Int8Array: Int8Array;
}

/** True for a typed array of any realm. */
export function isArrayOf<Name extends keyof Arrays>(name: Name, value: unknown): value is Arrays[Name] {
  return ArrayBuffer.isView(value) && tagOf(value) === `[object ${name}]`;
}

/** True for an AbortSignal of any realm. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return tagOf(value) === '[object AbortSignal]';
}
