// What a server says, made fit for an error message: bounded, on one line, without what could steer a terminal, and without
// the API key.

import { isObject } from '../core/json-file.js';

/** How much of a server's words a message shows, in characters. */
const MOST_SHOWN = 200;

/** Directions of writing, joiners and the like: they go first, so that they cannot hide a key. */
const INVISIBLE = /[\p{Cf}\p{Cs}\p{Co}]/gu;

/** A server's words as one short line; the key, wherever it stands in them, is replaced by [key]. */
export function clean(text: string, apiKey?: string): string {
  const line = text
    .replace(INVISIBLE, '')
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .trim();
  const safe = apiKey === undefined ? line : line.replaceAll(apiKey, '[key]');
  const characters = Array.from(safe.slice(0, 4 * MOST_SHOWN));
  return characters.length <= MOST_SHOWN ? safe : `${characters.slice(0, MOST_SHOWN).join('')}…`;
}

/** Makes a server's words fit for a message, as `clean` does with the key at hand. */
export type Tell = (text: string) => string;

/** The message in the body of an error, where servers put it; empty for none and for web pages. */
export function messageIn(body: string): string {
  const value = parseJson(body);
  if (value === undefined) return body.trimStart().startsWith('<') ? '' : body;
  return messageOf(value);
}

/** The message in the JSON of an error, where servers put it; empty for none. */
export function messageOf(value: unknown): string {
  if (!isObject(value)) return '';
  const { error, message, detail } = value;
  const found = [isObject(error) ? error['message'] : error, message, detail].find(
    (each) => typeof each === 'string',
  );
  return found ?? '';
}

/** The value of JSON; undefined, which no JSON means, for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message quotes the text as it is.
    return undefined;
  }
}
