// Options as tables: one line says what an option may be, what is assumed, and what it is called. Types, checks, flags of the
// command line, words on pages and names in JSON follow from it.

import { inspect } from 'node:util';

import { UsageError } from './errors.js';
import { didYouMean } from './nearest.js';
import { isAbortSignal } from './realm.js';

/** How an option is written on a command line; 'value' is for programs only. */
export type OptionKind =
  | 'number'
  | 'numbers'
  | 'list'
  | 'whole'
  | 'wholes'
  | 'seed'
  | 'text'
  | 'ratio'
  | 'names'
  | 'choice'
  | 'choices'
  | 'switch'
  | 'value';

/** What an option is. */
export interface Option<T = unknown> {
  readonly kind: OptionKind;
  /** Whether a value will do. */
  check(value: unknown): value is T;
  /** What will do, in words: "must be ...". */
  readonly expected: string;
  /** What the option does, for help. */
  readonly words: string;
  /** What is assumed where nothing is given, in words. */
  readonly usual?: string;
  /** The place-holder of its value in help. @default by its kind */
  readonly placeholder?: string;
  /** The values of a choice. */
  readonly choices?: readonly string[];
  /** What others call a value, for command lines: best-of-n is random. */
  readonly synonyms?: Readonly<Record<string, string>>;
  /** What others call the option, for command lines: tau is the temperature. Names as flags without their dashes. */
  readonly aliases?: readonly Alias[];
  /** What it was called in earlier versions: who says that is told so. */
  readonly formerly?: string;
  /** A value for people. @default as it is written */
  show?(value: T): string;
}

/** Another name of an option, and how a value of it is written under the option's own. */
export interface Alias {
  readonly name: string;
  /** @default as it is */
  readonly rewrite?: (given: string) => string;
}

/** Options by name. */
export type OptionTable = Readonly<Record<string, Option>>;

/** Values of options by name, as plain data. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** What a caller may give, by the table. */
export type OptionsOf<Table extends OptionTable> = {
  readonly [Name in keyof Table]?: (Table[Name] extends Option<infer T> ? T : never) | undefined;
};

/** What a line of a table says beside kind and rule. */
type Rest<T> = Pick<Option<T>, 'usual' | 'placeholder' | 'show' | 'aliases' | 'formerly'>;

/** A finite number. */
export const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);

/** A text with more than white space in it. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** Anything but a primitive value. */
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** A whole number of at least `from`, and at most `to`. */
export const isWhole =
  (from: number, to = Number.MAX_SAFE_INTEGER) =>
  (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to;

const wholeWords = (from: number, to: number | undefined): string =>
  to === undefined ? `a whole number of at least ${from}` : `a whole number from ${from} to ${to}`;

/** A value for all steps, or a list of them. */
const oneOrMany =
  <T>(check: (value: unknown) => value is T) =>
  (value: unknown): value is T | readonly T[] =>
    Array.isArray(value) ? value.length > 0 && value.every(check) : check(value);

/** An option of any values that programs give. */
export function value<T>(
  words: string,
  check: (value: unknown) => boolean,
  expected: string,
  rest: Rest<T> & Pick<Partial<Option>, 'kind' | 'choices' | 'synonyms'> = {},
): Option<T> {
  return { kind: 'value', words, check: check as (value: unknown) => value is T, expected, ...rest };
}

/** A number that passes a check. */
export function number(
  words: string,
  check: (value: number) => boolean,
  expected: string,
  rest: Rest<number> = {},
): Option<number> {
  const full = (given: unknown): given is number => isNumber(given) && check(given);
  return { kind: 'number', words, check: full, expected, ...rest };
}

/** A number, or one for every step. */
export function numbers(
  words: string,
  check: (value: number) => boolean,
  expected: string,
  rest: Rest<number | readonly number[]> = {},
): Option<number | readonly number[]> {
  const full = oneOrMany((given: unknown): given is number => isNumber(given) && check(given));
  return {
    kind: 'numbers',
    words,
    check: full,
    expected: `${expected}, or one per step`,
    show: listed,
    ...rest,
  };
}

/** A whole number from `from` on, up to `to` where there is an end. */
export function whole(
  words: string,
  from: number,
  { to, ...rest }: Rest<number> & { readonly expected?: string; readonly to?: number } = {},
): Option<number> {
  return { kind: 'whole', words, check: isWhole(from, to), expected: wholeWords(from, to), ...rest };
}

/** A whole number from `from` on, or one for every step. */
export function wholes(
  words: string,
  from: number,
  { to, ...rest }: Rest<number | readonly number[]> & { readonly to?: number } = {},
): Option<number | readonly number[]> {
  const check = oneOrMany(isWhole(from, to));
  const expected = `${wholeWords(from, to)}, or a list of one per step`;
  return { kind: 'wholes', words, check, expected, show: listed, ...rest };
}

/** One of a few words. */
export function choice<const T extends string>(
  words: string,
  choices: readonly T[],
  rest: Rest<T> = {},
): Option<T> {
  const check = (given: unknown): given is T => (choices as readonly unknown[]).includes(given);
  return { kind: 'choice', words, check, expected: `one of ${choices.join(', ')}`, choices, ...rest };
}

/** True or false. */
export function toggle(words: string, rest: Rest<boolean> = {}): Option<boolean> {
  const check = (given: unknown): given is boolean => typeof given === 'boolean';
  return {
    kind: 'switch',
    words,
    check,
    expected: 'true or false',
    show: (on) => (on ? 'yes' : 'no'),
    ...rest,
  };
}

/** A text that is not empty. */
export function text(words: string, expected: string, rest: Rest<string> = {}): Option<string> {
  return { kind: 'text', words, check: isText, expected, ...rest };
}

/** What cancels. */
export const SIGNAL: Option<AbortSignal> = value(
  'cancels the work, which then rejects with the reason of the signal',
  (given) => isAbortSignal(given),
  'an AbortSignal',
);

/** Equal numbers in a row of which a list says how many there are. */
const MANY = 4;

/** A list of numbers in brief: one number where all are the same, and how many where several in a row are. */
export function listed(values: number | readonly number[]): string {
  if (typeof values === 'number') return String(values);
  const rows: { readonly value: number; readonly count: number }[] = [];
  for (const value of values) {
    const last = rows.at(-1);
    if (last?.value === value) rows.splice(-1, 1, { value, count: last.count + 1 });
    else rows.push({ value, count: 1 });
  }
  const [first] = rows;
  if (first && rows.length === 1) return String(first.value);
  return rows
    .flatMap(({ value, count }) =>
      count < MANY ? Array<string>(count).fill(String(value)) : `${value} (${count} times)`,
    )
    .join(', ');
}

/** The flag of an option: keepElected is --keep-elected. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Writes a received value into a message, in brief. */
function shown(given: unknown): string {
  const written = inspect(given, { depth: 1, breakLength: Infinity });
  return written.length > 60 ? `${written.slice(0, 57)}...` : written;
}

/** Throws a UsageError for the first option that is unknown, wrong, or missing; `whose` says who does not know it. */
export function checkOptions(
  options: object,
  table: OptionTable,
  { required = [], whose }: { readonly required?: readonly string[]; readonly whose?: string } = {},
): void {
  for (const [name, given] of Object.entries(options) as [string, unknown][]) {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!option) {
      if (given === undefined) continue;
      throw unknownOption(name, table, whose);
    }
    if (given !== undefined && !option.check(given)) throw wrongOption(name, option.expected, given);
  }
  for (const name of required) {
    if ((options as OptionValues)[name] === undefined) {
      throw new UsageError(`option '${name}' is missing: it must be ${table[name]?.expected}`);
    }
  }
}

function unknownOption(name: string, table: OptionTable, whose: string | undefined): UsageError {
  const names = Object.keys(table);
  const now = names.find((each) => table[each]?.formerly === name);
  if (now !== undefined) return new UsageError(`option '${name}' is called '${now}' now`);
  const known = names.join(', ');
  return new UsageError(
    whose === undefined
      ? `unknown option '${name}'${didYouMean(name, names) || ':'} known are ${known}`
      : `${whose} does not take the option '${name}': it takes ${known === '' ? 'none' : known}`,
  );
}

/** The error for an option's value that will not do. */
export function wrongOption(name: string, expected: string, given: unknown): UsageError {
  return new UsageError(`option '${name}' must be ${expected}, got ${shown(given)}`);
}

/** Those of some options that a table has. */
export function pick<Table extends OptionTable>(options: object, table: Table): OptionsOf<Table> {
  const own = Object.entries(options).filter(
    ([name, given]) => Object.hasOwn(table, name) && given !== undefined,
  );
  return Object.fromEntries(own) as OptionsOf<Table>;
}

/** The name of an option in words: keepElected is "keep elected". */
export function titleOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Values as name and words, in the table's order; what is not given is left out. */
export function described(
  values: object,
  table: OptionTable,
): readonly (readonly [name: string, words: string])[] {
  return Object.entries(table).flatMap(([name, option]) => {
    const given = (values as OptionValues)[name];
    if (given === undefined || given === null) return [];
    return [
      [
        titleOf(name),
        option.show?.(given) ?? (typeof given === 'string' ? given : JSON.stringify(given)),
      ] as const,
    ];
  });
}
