// What any text has to be before a model reads it: Unicode, and not endless.

import { UsageError } from './errors.js';
import { isText } from './options.js';

/** UTF-16 units; models see the first 35 to 512 tokens. OpenAI's API for pictures takes as many. */
export const MOST_TEXT = 32_000;

/** Why a text cannot be read by any model, as the end of a sentence about it; undefined for one that can. */
export function textFault(text: string): string | undefined {
  if (text.length > MOST_TEXT) {
    return `has ${text.length} characters, at most ${MOST_TEXT} are read: shorten it`;
  }
  const at = text.search(LONE_SURROGATE);
  if (at === -1) return undefined;
  const code = text.charCodeAt(at).toString(16).toUpperCase();
  return `is no Unicode: half a character (U+${code}) stands at place ${at + 1}: write it again`;
}

/** With the flag u, the halves of a pair are not seen by themselves. */
const LONE_SURROGATE = /\p{Cs}/u;

/** Throws a UsageError that begins with `what` for a text that cannot be read. */
export function checkText(what: string, text: string): void {
  const fault = textFault(text);
  if (fault !== undefined) throw new UsageError(`${what} ${fault}`);
}

/** A prompt that a model can read. */
export const isPrompt = (value: unknown): value is string => isText(value) && textFault(value) === undefined;

/** What `isPrompt` asks for, in words. */
export const PROMPT_WORDS = `a text that is not empty, of at most ${MOST_TEXT} characters, and no half of one (a lone surrogate)`;
