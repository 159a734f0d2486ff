// Typed access to the entries of a configuration that others wrote. Every number has a range, so that none of them can ask for
// memory or time without end, or make nonsense of what is computed; the error names file and entry.

import type { Range } from './config-ranges.js';
import { CheckpointError } from './errors.js';
import { isObject, type JsonObject } from './json-file.js';

/** The entries of a configuration, or of an object in it; all methods throw a CheckpointError that names the entry at fault. */
export class ConfigFields {
  readonly #file: string;
  readonly #json: JsonObject;
  readonly #prefix: string;

  /** `prefix` says where in the file the object stands, such as 'text_config.'. */
  constructor(file: string, json: JsonObject, prefix = '') {
    this.#file = file;
    this.#json = json;
    this.#prefix = prefix;
  }

  fail(name: string, fault: string): never {
    throw new CheckpointError(this.#file, `'${this.#prefix}${name}' ${fault}`);
  }

  has(name: string): boolean {
    return (this.#json[name] ?? null) !== null;
  }

  /** A whole number; an error where there is none and nothing is `missing`. */
  whole(name: string, range: Range, missing?: number): number {
    const value = this.#json[name] ?? missing;
    return Number.isSafeInteger(value) && isIn(value, range)
      ? value
      : this.#refuse(name, 'a whole number', range);
  }

  /** Any number; an error where there is none and nothing is `missing`. */
  number(name: string, range: Range, missing?: number): number {
    const value = this.#json[name] ?? missing;
    return isIn(value, range) ? value : this.#refuse(name, 'a number', range);
  }

  /** A number, or undefined where there is none. */
  optional(name: string, range: Range): number | undefined {
    return this.has(name) ? this.number(name, range) : undefined;
  }

  /** A list of `count` numbers, or of at most so many; undefined where there is none. */
  list(name: string, range: Range, count: Range): readonly number[] | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#json[name];
    const isList = (given: unknown): given is number[] =>
      Array.isArray(given) && isIn(given.length, count) && given.every((each) => isIn(each, range));
    const { least, most } = count;
    return isList(value)
      ? value
      : this.#refuse(name, `a list of ${least === most ? least : `${least} to ${most}`} numbers`, range);
  }

  /** A number, or a list of at most so many. */
  oneOrMany(name: string, range: Range, most: number): number | readonly number[] {
    if (Array.isArray(this.#json[name])) return this.list(name, range, { least: 1, most }) ?? [];
    return this.number(name, range);
  }

  flag(name: string, missing: boolean): boolean {
    const value = this.#json[name] ?? missing;
    return typeof value === 'boolean'
      ? value
      : this.fail(name, `should be true or false, not ${shown(value)}`);
  }

  /** One of a few words. */
  choice<T extends string>(name: string, known: readonly T[], missing: T): T {
    const value = this.#json[name] ?? missing;
    const found = known.find((each) => each === value);
    return (
      found ?? this.fail(name, `is ${shown(value)}, which is not supported: known are ${known.join(', ')}`)
    );
  }

  /** The entries of an object; none where there is no such object. */
  part(name: string): ConfigFields {
    const value = this.#json[name];
    return new ConfigFields(this.#file, isObject(value) ? value : {}, `${this.#prefix}${name}.`);
  }

  #refuse(name: string, what: string, { least, most }: Range): never {
    const value = this.#json[name];
    this.fail(
      name,
      value === undefined
        ? `is missing: it should be ${what} from ${least} to ${most}`
        : `should be ${what} from ${least} to ${most}, not ${shown(value)}`,
    );
  }
}

function isIn(value: unknown, { least, most }: Range): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

/** A size that a checkpoint's tensors tell; a CheckpointError where no model has such a one. */
export function inRange(file: string, what: string, value: number, range: Range): number {
  if (Number.isSafeInteger(value) && isIn(value, range)) return value;
  throw new CheckpointError(
    file,
    `has ${what} of size ${value}: ${range.least} to ${range.most} are possible`,
  );
}

/** A value in a message, in brief. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
