// JSON as checkpoint headers need it: strict UTF-8, bounded nesting, and no name twice in an object (JSON.parse
// would silently keep the last one, so that two readers could see two different tensors).

import { CheckpointError } from '../../core/errors.js';
import { endOfString, jsonExcess } from '../../core/json-text.js';
import { HEADER_JSON } from './limits.js';
import { decodeUtf8 } from './utf8.js';

/** Parses UTF-8 JSON; throws CheckpointError, naming `label` and `part`, for bad UTF-8, syntax, too much, or repeated names. */
export function parseStrictJson(label: string, part: string, bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new CheckpointError(label, `${part} is not valid UTF-8`);
  const much = jsonExcess(text, HEADER_JSON);
  if (much !== null) throw new CheckpointError(label, `${part} ${much}`);
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
      const raw = text.slice(start + 1, i);
      const key = raw.includes('\\') ? (JSON.parse(text.slice(start, i + 1)) as string) : raw;
      const seen = open.at(-1);
      if (seen?.has(key)) {
        throw new CheckpointError(label, `${part} holds the name '${key.slice(0, 120)}' twice`);
      }
      seen?.add(key);
    }
  }
}

/** Only a member's name is followed by a colon. */
function colonFollows(text: string, from: number): boolean {
  let i = from;
  for (let code = text.charCodeAt(i); code === 0x20 || (code >= 0x09 && code <= 0x0d);) {
    code = text.charCodeAt(++i);
  }
  return text.charCodeAt(i) === 0x3a;
}
