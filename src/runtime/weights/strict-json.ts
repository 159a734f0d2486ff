// JSON as checkpoint headers need it: strict UTF-8, bounded nesting, and no name twice in an object (JSON.parse
// would silently keep the last one, so that two readers could see two different tensors).

import { CheckpointError } from '../../core/errors.js';
import { decodeUtf8 } from './utf8.js';

/** Nesting that any header stays far below. */
const MAX_DEPTH = 32;

/** Parses UTF-8 JSON; throws CheckpointError, naming `label` and `part`, for bad UTF-8, syntax, depth or repeated names. */
export function parseStrictJson(label: string, part: string, bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new CheckpointError(label, `${part} is not valid UTF-8`);
  checkDepth(label, part, text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(label, `${part} is not valid JSON`, { cause });
  }
  checkRepeatedKeys(label, part, text);
  return value;
}

/** An object of JSON: neither null nor an array. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Runs before JSON.parse, on text that may be anything. */
function checkDepth(label: string, part: string, text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) i = endOfString(text, i);
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_DEPTH) {
        throw new CheckpointError(label, `${part} is nested deeper than ${MAX_DEPTH} levels`);
      }
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

/** Runs after JSON.parse, so the syntax is known to be right. */
function checkRepeatedKeys(label: string, part: string, text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x7b) open.push(new Set());
    else if (code === 0x5b) open.push(undefined);
    else if (code === 0x7d || code === 0x5d) open.pop();
    else if (code === 0x22) {
      const start = i;
      i = endOfString(text, i);
      if (!colonFollows(text, i + 1)) continue;
      const key = JSON.parse(text.slice(start, i + 1)) as string;
      const seen = open.at(-1);
      if (seen?.has(key)) {
        throw new CheckpointError(label, `${part} holds the name '${key.slice(0, 120)}' twice`);
      }
      seen?.add(key);
    }
  }
}

/** The place of the quote that ends the string which starts at `start`, or the text's end. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text.charCodeAt(i) !== 0x22) i += text.charCodeAt(i) === 0x5c ? 2 : 1;
  return i;
}

/** Only a member's name is followed by a colon. */
function colonFollows(text: string, from: number): boolean {
  let i = from;
  while (' \t\r\n'.includes(text[i] ?? ':')) i++;
  return text[i] === ':';
}
