// What options may be: a rule for each, and the one check that says which is wrong and what it should be.

import { inspect } from 'node:util';

import { UsageError } from './errors.js';

/** Whether a value will do. */
export type Check = (value: unknown) => boolean;

/** What a value has to pass, and in words what is expected. */
export type Rule = readonly [check: Check, expected: string];

/** A rule for every option: a new option without one does not compile. */
export type Rules<Options> = { readonly [Name in keyof Options]-?: Rule };

/** A finite number. */
export const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);

/** A text with more than white space in it. */
export const isText: Check = (value) => typeof value === 'string' && value.trim() !== '';

/** Anything but a primitive value. */
export const isObject: Check = (value) => typeof value === 'object' && value !== null;

/** One value for all scales, or a list of them. */
export const perScale =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(check) : check(value);

/** The rule of prompts. */
export const PROMPT_RULE: Rule = [isText, 'a text that is not empty'];

/** The rule of what cancels. */
export const SIGNAL_RULE: Rule = [(value) => value instanceof AbortSignal, 'an AbortSignal'];

/** Writes a received value into a message, in brief. */
function show(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Infinity });
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Throws a UsageError for the first option that is unknown, wrong, or missing. */
export function checkOptions(
  options: object,
  rules: Readonly<Record<string, Rule>>,
  required: readonly string[] = [],
): void {
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) throw new UsageError(`unknown option '${name}': known are ${Object.keys(rules).join(', ')}`);
    if (value !== undefined && !rule[0](value)) {
      throw new UsageError(`option '${name}' must be ${rule[1]}, got ${show(value)}`);
    }
  }
  for (const name of required) {
    const value: unknown = (options as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) {
      throw new UsageError(`option '${name}' is missing: it must be ${rules[name]?.[1]}`);
    }
  }
}
