// Ratings written in words: the fallback where an endpoint gives no log-probabilities. What is not clear is an error, since a
// wrong score would lead a search astray without a sign.

import { VarsearchError } from '../../core/errors.js';
import { clean } from './endpoint-text.js';

/** Ratings are asked for from 0 to this. */
const SCALE = 10;
/** The ends of scales that an answer may name ("4/5", "80 out of 100"). */
const SCALES: readonly number[] = [5, SCALE, 100];
/** Longer answers are not looked through. */
const MOST_CHARACTERS = 4000;

/** A number that stands alone: not in a word ("3D", "2nd"), a larger number or a date. */
const NUMBER = String.raw`(?<![\p{L}\p{N}_.,/-])([-−+]?\d+(?:[.,]\d+)*)(?![\p{L}\p{N}_]|[.,]\d)`;
/** The same at the end of what precedes it, as in "8/10". */
const SCALE_END = String.raw`\s*(?:/|out\s+of)\s*(\d+(?:[.,]\d+)*)(?![\p{L}\p{N}_]|[.,]\d)`;
/** "0 to 10", "1-10": the scale itself, repeated from the question. */
const SCALE_NAME = /(?<![\p{L}\p{N}_.,/-])[01]\s*(?:to|[-–—])\s*10(?![\p{L}\p{N}_]|[.,]\d)/giu;
/** "7-8", "7 or 8". */
const RANGE = /(?<![\p{L}\p{N}_])\d+(?:[.,]\d+)?\s*(?:to|or|[-–—])\s*\d/iu;

const LABEL = String.raw`\b(?:rating|score|rate|grade)\b(?:\s+(?:is|of|would\s+be))?\s*[:=]?\s*`;

/** How ratings are written, the clearest first; without `scale`, the rating names its own. */
const FORMS: readonly { readonly pattern: RegExp; readonly scale?: number }[] = [
  { pattern: new RegExp(NUMBER + SCALE_END, 'giu') },
  { pattern: new RegExp(String.raw`${NUMBER}\s*%`, 'giu'), scale: 100 },
  { pattern: new RegExp(LABEL + NUMBER, 'giu'), scale: SCALE },
  { pattern: new RegExp(NUMBER, 'giu'), scale: SCALE },
];

/**
 * The rating in an answer, as 0..1: "8", "8/10", "Rating: 7.5 out of 10", "80%", "**Score:** 8", or yes and no. A rating that
 * names its scale goes before one that is called a rating, and this before a number alone. Throws a VarsearchError when there is
 * none, when there are several different ones, and when it is off its scale.
 */
export function parseRating(text: string): number {
  if (text.length > MOST_CHARACTERS) throw unclear(text, 'is too long');
  const words = text.replace(/[*`#"“”]|__/g, ' ').replace(SCALE_NAME, ' ');
  if (RANGE.test(words)) throw unclear(text, 'gives a range');
  for (const { pattern, scale } of FORMS) {
    const matches = [...words.matchAll(pattern)];
    const [rating, other] = new Set(
      matches.map(([, value, named]) => shareOf(text, value, scale ?? numberOf(named))),
    );
    if (other !== undefined) throw unclear(text, 'holds several numbers');
    if (rating !== undefined) return rating;
  }
  return yesOrNo(text, words);
}

function yesOrNo(text: string, words: string): number {
  if (/\d/.test(words)) throw unclear(text, 'holds no number that stands alone');
  const found = new Set(words.toLowerCase().match(/(?<!\p{L})(?:yes|no)(?!\p{L})/gu));
  if (found.size > 1) throw unclear(text, 'says both yes and no');
  if (found.size === 0) throw unclear(text, 'holds no rating');
  return found.has('yes') ? 1 : 0;
}

/** A number as written: a comma before one or two digits is a decimal one, other commas and second points make it no number. */
function numberOf(written = ''): number {
  return Number(written.replace('−', '-').replace(/^([-+]?\d+),(\d{1,2})$/, '$1.$2'));
}

function shareOf(text: string, written: string | undefined, scale: number): number {
  const value = numberOf(written);
  if (Number.isNaN(value)) throw unclear(text, 'holds a number that can be read in two ways');
  if (!SCALES.includes(scale)) throw unclear(text, `rates on a scale other than to ${SCALES.join(', ')}`);
  if (value < 0 || value > scale) throw unclear(text, `is off the scale from 0 to ${scale}`);
  return value / scale;
}

function unclear(text: string, fault: string): VarsearchError {
  return new VarsearchError(
    `its answer "${clean(text)}" ${fault}: ask for one number from 0 to ${SCALE} and nothing else`,
  );
}
