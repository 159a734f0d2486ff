// Typed access to the entries of a configuration; what is of the wrong kind is a CheckpointError that names the entry.

import { CheckpointError } from '../../core/errors.js';
import { isObject, type JsonObject, readJsonFile } from '../../core/json-file.js';

/** The entries of a configuration that has to be there. */
export function requiredEntries(path: string): Entries {
  return new Entries(
    path,
    readJsonFile(path, "it comes with the model's other files, fetch it from the same place"),
  );
}

/** Entries by name. */
export class Entries {
  readonly #path: string;
  readonly #json: JsonObject;

  constructor(path: string, json: JsonObject) {
    this.#path = path;
    this.#json = json;
  }

  /** The entries within an entry; none where there is no such entry. */
  inner(name: string): Entries {
    const value = this.#json[name] ?? {};
    if (isObject(value)) return new Entries(this.#path, value);
    throw this.#wrong(name, 'an object');
  }

  optional(name: string): number | undefined {
    const value = this.#json[name];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.#wrong(name, 'a number');
  }

  optionalOrNull(name: string): number | null | undefined {
    return this.#json[name] === null ? null : this.optional(name);
  }

  number(name: string, missing: number): number {
    return this.optional(name) ?? missing;
  }

  /** A whole number above 0 that has to be there. */
  size(name: string): number {
    const value = this.#json[name];
    if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value);
    throw this.#wrong(name, 'a whole number above 0');
  }

  flag(name: string, missing: boolean): boolean {
    const value = this.#json[name] ?? missing;
    if (typeof value === 'boolean') return value;
    throw this.#wrong(name, 'true or false');
  }

  numbers(name: string): readonly number[] | undefined {
    const value = this.#json[name];
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item): item is number => typeof item === 'number')) return value;
    throw this.#wrong(name, 'a list of numbers');
  }

  #wrong(name: string, expected: string): CheckpointError {
    const value = this.#json[name];
    const found = value === undefined ? 'and is missing' : `not ${JSON.stringify(value)}`;
    return new CheckpointError(this.#path, `'${name}' has to be ${expected}, ${found}`);
  }
}
