// Work of bounded time. A tokenizer.json of others holds expressions and vocabularies that can be made to take for ever:
// Node's vm stops them, in regular expressions too, without a thread of their own (a call costs some 0.05 ms).

import { type Context, createContext, Script } from 'node:vm';

import { isObject } from '../../core/json-file.js';

/** Milliseconds by the clock: a machine may be busy. The longest text, or the largest honest file, takes some 0.1 s of work. */
export const MOST_MILLISECONDS = 5000;

const SCRIPT = new Script('work()');
let context: Context | undefined;

/** What `work` returns; `late()` is thrown when it has taken longer than `milliseconds`. Not to be nested. */
export function withinTime<Result>(
  work: () => Result,
  late: () => Error,
  milliseconds: number = MOST_MILLISECONDS,
): Result {
  context ??= createContext({});
  const results: Result[] = [];
  context['work'] = () => void results.push(work());
  try {
    SCRIPT.runInContext(context, { timeout: milliseconds });
  } catch (error) {
    if (isTimeout(error)) throw late();
    throw error;
  } finally {
    context['work'] = undefined;
  }
  return results[0] as Result;
}

/** It may be an Error of the context, which is not an instance of ours. */
function isTimeout(error: unknown): boolean {
  return isObject(error) && error['code'] === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
