// What a server says, made fit for an error message: bounded, on one line, without what could steer a terminal, and without
// the API key.

import { isObject } from '../core/json-file.js';

/** How much of a server's words a message shows, in characters. */
const MOST_SHOWN = 200;

/** How many of a list of faults are read. */
const MOST_FAULTS = 5;

/** Directions of writing, joiners and the like: they go first, so that they cannot hide a key. */
const INVISIBLE = /[\p{Cf}\p{Cs}\p{Co}]/gu;

/** How much of a server's words is searched for the key: what comes behind is never shown. */
const MOST_SEARCHED = 100_000;

/** Letters and digits that a key needs for its other spellings to be looked for; words of that length are no keys. */
const LEAST_LETTERS = 6;

/** Replaces a key in all spellings that servers, proxies and their logs are likely to give it. */
function blank(text: string, apiKey: string): string {
  const literal = text.replaceAll(apiKey, '[key]');
  return spellingsOf(apiKey)
    .map((spelling) => Array.from(spelling.replace(/[^A-Za-z0-9]/g, '')))
    .filter(({ length }) => length >= LEAST_LETTERS)
    .reduce((found, letters) => {
      // Capitals or not, and with up to twelve marks or blanks between any two letters.
      return found.replace(new RegExp(letters.join('[^A-Za-z0-9]{0,12}'), 'gi'), '[key]');
    }, literal);
}

/** The longest first, so that no part of one is left when another is replaced. */
function spellingsOf(key: string): readonly string[] {
  const bytes = Array.from(Buffer.from(key), (byte) => byte.toString(16).padStart(2, '0'));
  // Base64 cuts a text into groups of three bytes: the key may begin at any place of a group, as in "Bearer key".
  const base64 = [0, 1, 2].map((before) => {
    const coded = Buffer.from(`${' '.repeat(before)}${key}`)
      .toString('base64')
      .replace(/=+$/, '');
    return coded.slice(before === 0 ? 0 : before + 1, (before + bytes.length) % 3 === 0 ? undefined : -1);
  });
  const spellings = [key, encodeURIComponent(key), bytes.join(''), ...base64];
  return spellings.sort((a, b) => b.length - a.length);
}

/** A server's words as one short line; the key, wherever it stands in them, is replaced by [key]. */
export function clean(text: string, apiKey?: string): string {
  const line = text
    .replace(INVISIBLE, '')
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .trim();
  const safe = apiKey === undefined ? line : blank(line.slice(0, MOST_SEARCHED), apiKey);
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
  return found ?? (Array.isArray(detail) ? fieldFaults(detail as unknown[]) : '');
}

/** FastAPI's list of wrong fields: [{ loc: ['body', 'max_tokens'], msg: 'Extra inputs are not permitted' }]. */
function fieldFaults(detail: readonly unknown[]): string {
  const faults = detail.slice(0, MOST_FAULTS).flatMap((each) => {
    const { loc, msg } = isObject(each) ? each : {};
    if (typeof msg !== 'string') return [];
    return [Array.isArray(loc) ? `${loc.slice(0, MOST_FAULTS).join('.')}: ${msg}` : msg];
  });
  return faults.join('; ');
}

/** The value of JSON; undefined, which no JSON means, for what is none. */
export function parseJson(text: string): unknown {
  // The parser's own message quotes the text as it is.
  const parse = (written: string): unknown => {
    try {
      return JSON.parse(written) as unknown;
    } catch {
      return undefined;
    }
  };
  const value = parse(text);
  return value === undefined && text.includes('-Infinity') ? parse(withoutInfinity(text)) : value;
}

/** Python writes minus infinity, the log-probability of what cannot be, as -Infinity, which is no JSON. Texts stay as they are. */
function withoutInfinity(text: string): string {
  let inText = false;
  const parts = text.split('"').map((part) => {
    if (!inText) {
      inText = true;
      return part.replaceAll('-Infinity', 'null');
    }
    // The quotation mark behind it belongs to the text where an odd number of backslashes stands before it.
    let backslashes = 0;
    while (part.at(-1 - backslashes) === '\\') backslashes++;
    inText = backslashes % 2 === 1;
    return part;
  });
  return parts.join('"');
}
