// JSON files beside the weights (config.json, tokenizer.json, ...): read whole, checked to be an object.

import { readFileSync } from 'node:fs';

import { CheckpointError } from './errors.js';

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads a JSON file that holds an object; `remedy` ends the message when it is missing. Throws CheckpointError. */
export function readJsonFile(path: string, remedy = ''): JsonObject {
  const found = readOptionalJsonFile(path);
  if (found === undefined) {
    throw new CheckpointError(path, `does not exist${remedy === '' ? '' : `: ${remedy}`}`);
  }
  return found;
}

/** As `readJsonFile`, but undefined when there is no such file. */
export function readOptionalJsonFile(path: string): JsonObject | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new CheckpointError(path, `cannot be read (${String(code)})`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(path, 'is not valid JSON: the file is damaged, fetch it again', { cause });
  }
  if (!isObject(value)) throw new CheckpointError(path, 'does not hold a JSON object');
  return value;
}

/** True for an object of JSON: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
