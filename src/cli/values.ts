// From the words of a command line to values; what the values may be is checked by the library.

import { InvalidArgumentError } from 'commander';

/** A number. */
export function parseNumber(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number.');
}

/** A whole number. */
export function parseWhole(text: string): number {
  if (/^[+-]?\d+$/.test(text.trim()) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

function listOf<Value>(parse: (text: string) => Value): (text: string) => Value | Value[] {
  return (text) => (text.includes(',') ? text.split(',').map(parse) : parse(text));
}

/** A list such as 1,2,0.5, or of one number. */
export function parseList(text: string): number[] {
  return text.split(',').map(parseNumber);
}

/** A number, or a list such as 4,3,3. */
export const parseNumbers = listOf(parseNumber);

/** A whole number, or a list such as 5,5,4. */
export const parseWholes = listOf(parseWhole);
