// Whether a value of JSON is a record of a run: what the analysis reads of it is there, and of its kind.

import { isNumber, isText } from '../../core/options.js';
import type { Cell, Manifest, PictureRecord, SpeedRecord } from '../record.js';

type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object with these keys. */
const having =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

const isString: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => isNumber(value) && value >= 0;
const isRight: Check = (value) => value === null || typeof value === 'boolean';
const areNumbers: Check = (value) => isObject(value) && Object.values(value).every(isNumber);

const CELL = {
  model: isText,
  strategy: isText,
  jury: isText,
  budget: having({ most: isCount, unit: isText }),
};

const PROMPT = having({ index: isCount, text: isString, kind: isString });
const VERDICT = having({ right: isRight, scores: areNumbers });
const WORK = { ...CELL, id: isText, benchmark: isText, prompt: PROMPT, seed: isCount };

const CURVE_POINT = having({
  nfe: isCount,
  forwards: isCount,
  tokens: isCount,
  flops: isCount,
  best: isNumber,
  right: isRight,
});

const PICTURE = having({
  ...WORK,
  search: isObject,
  pixels: isString,
  winner: VERDICT,
  first: VERDICT,
  pool: having({ scores: listOf(isNumber), right: isString }),
  found: having({ round: isCount, rounds: isCount, step: isCount, steps: isCount, tied: isCount }),
  spent: having({
    nfe: isCount,
    forwards: isCount,
    tokens: isCount,
    transformerFlops: isCount,
    decoderFlops: isCount,
    verifierFlops: isCount,
  }),
  curve: listOf(CURVE_POINT),
});

const MANIFEST = having({
  hash: isText,
  measures: (value) => value === 'quality' || value === 'speed',
  benchmark: having({ name: isText, sha256: isString }),
  prompts: listOf(PROMPT),
  seeds: listOf(isCount),
  cells: listOf(having(CELL)),
  plans: listOf(having({ modelOptions: isObject })),
  variants: isObject,
  heldOut: listOf(isText),
  modelOptions: isObject,
  weights: isObject,
  versions: isObject,
  environment: isObject,
});

const SPEED = having({ ...WORK, milliseconds: isCount });

/** A manifest of this format, whatever number it gives itself. */
export const isManifest = (value: unknown): value is Manifest => MANIFEST(value);

/** A line of pictures.jsonl. */
export const isPicture = (value: unknown): value is PictureRecord => PICTURE(value);

/** A line of speed.jsonl. */
export const isSpeed = (value: unknown): value is SpeedRecord => SPEED(value);

/** What tells cells apart, as one text. */
export function cellKey({ model, strategy, jury, budget }: Cell): string {
  return JSON.stringify([model, strategy, jury, budget.most, budget.unit]);
}
