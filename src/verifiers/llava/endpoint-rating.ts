// Ratings written in words: the fallback where an endpoint gives no log-probabilities. What is not clear is an error, since a
// wrong score would lead a search astray without a sign.

import { VarsearchError } from '../../core/errors.js';
import { clean, type Tell } from '../../endpoint/words.js';

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

/** What may come after a rating: the end of its scale, or a sign of percent. */
const UNIT = String.raw`(?:${SCALE_END}|\s*(%))`;
const NO_UNIT = String.raw`(?!\s*(?:/|out\s+of\b|%))`;

/** How ratings are written, the clearest first: value, end of the scale, sign of percent. */
const FORMS: readonly RegExp[] = [
  // "4 out of 5 stars are red. Rating: 7" rates with 7.
  new RegExp(`${LABEL}${NUMBER}(?:${UNIT}|${NO_UNIT})`, 'giu'),
  new RegExp(NUMBER + UNIT, 'giu'),
  new RegExp(NUMBER + NO_UNIT, 'giu'),
];

/**
 * The rating in an answer, as 0..1: "8", "8/10", "Rating: 7.5 out of 10", "80%", "**Score:** 8", or yes and no. What is
 * called a rating goes before a number with its scale, and this before a number alone. Throws a VarsearchError when there is
 * none, when there are several different ones, and when it is off its scale.
 */
export function parseRating(text: string, tell: Tell = clean): number {
  const read = text.length > MOST_CHARACTERS ? { fault: 'is too long' } : readRating(text);
  if (typeof read === 'number') return read;
  throw new VarsearchError(
    `its answer "${tell(text)}" ${read.fault}: ask for one number from 0 to ${SCALE} and nothing else`,
  );
}

/** What is wrong with a rating. */
interface Unclear {
  readonly fault: string;
}

function readRating(text: string): number | Unclear {
  const words = text.replace(/[*`#"“”]|__/g, ' ').replace(SCALE_NAME, ' ');
  if (RANGE.test(words)) return { fault: 'gives a range' };
  for (const form of FORMS) {
    const ratings = [...words.matchAll(form)].map(([, value, end, percent]) =>
      shareOf(numberOf(value), percent ? 100 : end === undefined ? SCALE : numberOf(end)),
    );
    const unclear = ratings.find((rating) => typeof rating !== 'number');
    if (unclear) return unclear;
    const [rating, other] = new Set(ratings);
    if (other !== undefined) return { fault: 'holds several numbers' };
    if (rating !== undefined) return rating;
  }
  return /\d/.test(words) ? { fault: 'holds no number that stands alone' } : yesOrNo(words);
}

function yesOrNo(words: string): number | Unclear {
  const [found, other] = new Set(words.toLowerCase().match(/(?<!\p{L})(?:yes|no)(?!\p{L})/gu));
  if (other !== undefined) return { fault: 'says both yes and no' };
  if (found === undefined) return { fault: 'holds no rating' };
  return found === 'yes' ? 1 : 0;
}

/** A number as written: a comma before one or two digits is a decimal one, other commas and second points make it no number. */
function numberOf(written = ''): number {
  return Number(written.replace('−', '-').replace(/^([-+]?\d+),(\d{1,2})$/, '$1.$2'));
}

function shareOf(value: number, scale: number): number | Unclear {
  if (Number.isNaN(value)) return { fault: 'holds a number that can be read in two ways' };
  if (!SCALES.includes(scale)) return { fault: `rates on a scale other than to ${SCALES.join(', ')}` };
  return value < 0 || value > scale ? { fault: `is off the scale from 0 to ${scale}` } : value / scale;
}
