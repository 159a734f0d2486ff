// From the words of a command line to values; what the values may be is checked by the library.

import { randomInt } from 'node:crypto';
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

/** Seeds that are drawn have few enough digits to be typed again. */
const MOST_DRAWN_SEED = 1e9;

/** A whole number, or 'random' for one that nobody has chosen. */
export function parseSeed(text: string): number {
  if (text.trim().toLowerCase() === 'random') return randomInt(MOST_DRAWN_SEED);
  try {
    return parseWhole(text);
  } catch {
    throw new InvalidArgumentError("It must be a whole number, or 'random'.");
  }
}

/** Width to height, such as 16:9: a number by itself might be either way round. */
export function parseRatio(text: string): string {
  if (/^[^:]+:[^:]+$/.test(text)) return text.trim();
  throw new InvalidArgumentError(
    'It must be width to height, such as 16:9 (the official height over width is --h-div-w).',
  );
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
