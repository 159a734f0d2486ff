// JSON files beside the weights (config.json, tokenizer.json, ...): read whole, checked to be an object.

import { CheckpointError } from './errors.js';
import { jsonExcess, type JsonLimits } from './json-text.js';
import { isError } from './realm.js';
import { readRegularFile } from './regular-file.js';

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A configuration has some kilobytes; the largest known, Gemma 3's tokenizer_config.json, 1.2 MB and 40,000 values. */
export const CONFIG_LIMITS: JsonLimits = { bytes: 2 ** 23, depth: 32, values: 500_000 };

/** Gemma 3's tokenizer.json has 33 MB and 2.1 million values, Llama 4's 28 MB; those of our models 2 to 4 MB. */
export const TOKENIZER_LIMITS: JsonLimits = { bytes: 2 ** 26, depth: 32, values: 4_000_000 };

/** Reads a JSON file that holds an object; `remedy` ends the message when it is missing. Throws CheckpointError. */
export function readJsonFile(path: string, remedy = '', limits = CONFIG_LIMITS): JsonObject {
  const found = readOptionalJsonFile(path, limits);
  if (found === undefined) {
    throw new CheckpointError(path, `does not exist${remedy === '' ? '' : `: ${remedy}`}`);
  }
  return found;
}

/** As `readJsonFile`, but undefined when there is no such file. */
export function readOptionalJsonFile(path: string, limits = CONFIG_LIMITS): JsonObject | undefined {
  const text = readText(path, limits.bytes);
  if (text === undefined) return undefined;
  const much = jsonExcess(text, limits);
  if (much !== null) throw new CheckpointError(path, `${much}, which no file of its kind does`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(path, 'is not valid JSON: the file is damaged, fetch it again', { cause });
  }
  if (!isObject(value)) throw new CheckpointError(path, 'does not hold a JSON object');
  return value;
}

function readText(path: string, most: number): string | undefined {
  try {
    return readRegularFile(path, most).toString('utf8');
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    const code = isError(cause) && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new CheckpointError(path, `cannot be read (${String(code)})`, { cause });
  }
}

/** True for an object of JSON: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
