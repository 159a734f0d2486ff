// Errors on their way through a message: plain data that keeps class, message, stack, cause and fields such as a
// CheckpointError's file, so that callers can branch on what comes out.

import * as coreErrors from '../../core/errors.js';
import { isError } from '../../core/realm.js';

/** An error as plain data. */
export interface WireError {
  /** The nearest class that both sides know. */
  readonly kind: string;
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** The error's own fields with simple values. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause?: WireError;
}

type ErrorClass = new (...args: never) => Error;

const CANDIDATES: readonly unknown[] = [...Object.values(coreErrors), RangeError, SyntaxError, TypeError];

/** Classes that come out as what they went in, by name; others come as the nearest of these that they extend. */
const CLASSES = new Map(CANDIDATES.filter(isErrorClass).map((known) => [known.name, known]));

/** Causes of causes go on for so long, at most. */
const MAX_DEPTH = 8;

/** What was thrown, as plain data. */
export function encodeError(thrown: unknown, depth = 0): WireError {
  if (!isError(thrown)) {
    return { kind: 'Error', name: 'Error', message: String(thrown), fields: {} };
  }
  const { name, message, stack, cause } = thrown;
  return {
    kind: kindOf(thrown),
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    fields: Object.fromEntries(Object.entries(thrown).filter(([, value]) => isSimple(value))),
    ...(cause === undefined || depth >= MAX_DEPTH ? {} : { cause: encodeError(cause, depth + 1) }),
  };
}

/** The error again. Constructors do not run: their messages are made already. */
export function decodeError(wire: WireError): Error {
  const options = wire.cause ? { cause: decodeError(wire.cause) } : {};
  const kind = CLASSES.get(wire.kind) ?? Error;
  const error = Reflect.construct<[string, ErrorOptions], Error>(Error, [wire.message, options], kind);
  Object.assign(error, wire.fields);
  for (const key of ['name', 'stack'] as const) {
    if (error[key] === wire[key]) continue;
    Object.defineProperty(error, key, { value: wire[key], writable: true, configurable: true });
  }
  return error;
}

function isErrorClass(value: unknown): value is ErrorClass {
  // eslint-disable-next-line no-restricted-syntax -- classes of this realm: our own, and those that are listed above
  return typeof value === 'function' && value.prototype instanceof Error;
}

function kindOf(error: Error): string {
  let prototype = Object.getPrototypeOf(error) as object | null;
  while (prototype) {
    for (const [kind, { prototype: known }] of CLASSES) {
      if (known === prototype) return kind;
    }
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return 'Error';
}

function isSimple(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
