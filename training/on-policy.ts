// Draws the pictures that the verifiers are trained on, as the product draws them, and labels them with the detector:
//   npx tsx training/on-policy.ts --out FOLDER [--groups 6400] [--seed 11] [--first 0] [--held-out] [--pixels FOLDER]
// A group is a training prompt (never a held-out one) with 16 pictures at one temperature and guidance: independent ones, or four
// completions each of four prefixes of k scales, as a search meets them. Parts of 128 groups (0.6 MB) are written whole or not at
// all, so that a killed run goes on with the first part that is missing. --held-out draws held-out prompts instead, to measure on;
// --pixels keeps the decoded pictures as well (64 x 64 RGB bytes each), which saves training the decoding. Their layout: on-policy-parts.ts.

import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { Image } from '../src/core/image.js';
import { Ledger } from '../src/core/ledger.js';
import { type Draw, RandomKey } from '../src/core/random.js';
import { findModel } from '../src/models/catalog.js';
import type { Generator, ImageModel, Prefix } from '../src/models/contract.js';
import { Draws } from '../src/toybox/world/draws.js';
import { generatePrompt, generateWording } from '../src/toybox/world/generate-prompt.js';
import type { PromptKind } from '../src/toybox/world/grammar.js';
import { PROMPT_KINDS, promptText, promptWords, VOCABULARY } from '../src/toybox/world/grammar.js';
import { HELD_OUT_DIVISOR, isHeldOut } from '../src/toybox/world/held-out.js';
import { parsePrompt } from '../src/toybox/world/parser.js';
import { BITS, GROUP, header, packLabels, PART_GROUPS, PICTURE, PICTURES, WORDS } from './on-policy-parts.js';

const PREFIXES = 4;
const COMPLETIONS = PICTURES / PREFIXES;

/** How often each kind is drawn: what the verifiers find hardest most often. */
const KIND_WEIGHTS: readonly (readonly [PromptKind, number])[] = [
  ['single_object', 0.4],
  ['two_object', 1],
  ['counting', 2],
  ['colors', 0.5],
  ['position', 3],
  ['color_attr', 2],
  ['texture', 1.5],
  ['complex', 4],
];

interface Spec {
  readonly kind: PromptKind;
  readonly text: string;
  readonly words: readonly string[];
  readonly temperature: number;
  readonly cfg: number;
  /** Scales that the completions of a prefix share; 0 for independent pictures. */
  readonly shared: number;
}

/** Two of five groups near the recommended setting, the others anywhere. */
function drawSpec(draws: Draws, scales: number, heldOut: boolean): Spec {
  const kind = draws.weighted(KIND_WEIGHTS);
  let prompt = generatePrompt(kind, draws);
  // No single object is held out: there are eight prompts in all.
  const wanted = heldOut && HELD_OUT_DIVISOR[kind] > 0;
  while (isHeldOut(prompt) !== wanted) prompt = generatePrompt(kind, draws);
  const wording = generateWording(draws);
  const usual = draws.chance(0.4);
  const round = (value: number, steps: number): number => Math.round(value * steps) / steps;
  return {
    kind,
    text: promptText(prompt, wording),
    words: promptWords(prompt, wording),
    temperature: round(usual ? draws.between(0.9, 1.15) : draws.between(0.7, 1.5), 100),
    cfg: round(usual ? draws.between(2.5, 3.5) : draws.between(1, 4), 50),
    shared: draws.chance(0.4) ? 0 : 1 + draws.below(scales - 1),
  };
}

/** A prefix with the random numbers of its continuation. */
interface Stem {
  readonly prefix: Prefix;
  readonly draw: Draw;
}

/** Takes steps until `until`; the prefixes given are released, those that come back belong to the caller. */
async function grow(generator: Generator, stems: readonly Stem[], until: number): Promise<Stem[]> {
  let grown = [...stems];
  for (let step = grown[0]?.prefix.step ?? until; step < until; step++) {
    const requests = grown.map(({ prefix, draw }) => ({ prefix, draw: draw.fold(step) }));
    const next = await generator.extend(requests);
    for (const { prefix } of grown) prefix.release();
    grown = next.map((prefix, i) => ({ prefix, draw: (grown[i] as Stem).draw }));
  }
  return grown;
}

/** The complete prefixes of a group's pictures; the caller releases them. */
async function drawPictures(generator: Generator, draw: Draw, shared: number): Promise<Prefix[]> {
  const start = generator.begin();
  const roots = Array.from({ length: shared === 0 ? PICTURES : PREFIXES }, (_, i): Stem => ({
    prefix: start.retain(),
    draw: draw.fold(i),
  }));
  start.release();
  let stems = await grow(generator, roots, shared);
  if (shared > 0) {
    const shoots = stems.flatMap(({ prefix, draw: own }) =>
      Array.from({ length: COMPLETIONS }, (_, j): Stem => ({
        prefix: prefix.retain(),
        draw: own.fold(1000 + j),
      })),
    );
    for (const { prefix } of stems) prefix.release();
    stems = shoots;
  }
  const leaves = await grow(generator, stems, generator.schedule.steps.length);
  return leaves.map(({ prefix }) => prefix);
}

/** A packed prefix's bits, first bit highest: behind two bytes of header they stand lowest first. */
function copyBits(state: Uint8Array, target: Uint8Array): void {
  if (state.length !== BITS + 2) {
    throw new RangeError(`a picture has ${BITS * 8} bits, got ${state.length} bytes`);
  }
  for (let i = 0; i < BITS; i++) {
    let byte = state[i + 2] ?? 0;
    byte = ((byte & 0x55) << 1) | ((byte >> 1) & 0x55);
    byte = ((byte & 0x33) << 2) | ((byte >> 2) & 0x33);
    target[i] = ((byte & 0x0f) << 4) | (byte >> 4);
  }
}

interface Place {
  readonly key: RandomKey;
  readonly number: number;
  readonly heldOut: boolean;
  readonly ledger: Ledger;
}

/** A group's record and its pictures. */
async function drawGroup(
  model: ImageModel,
  { key, number, heldOut, ledger }: Place,
): Promise<{ readonly record: Uint8Array; readonly images: readonly Image[] }> {
  const spec = drawSpec(new Draws(key.fold(0)), 6, heldOut);
  const { temperature, cfg, shared } = spec;
  const generator = await model.prepare(spec.text, ledger, { cfg, temperature });
  const prefixes = await drawPictures(generator, key.fold(1), shared);
  const images = await generator.decode(prefixes, 'full');
  const record = new Uint8Array(GROUP + PICTURES * PICTURE);
  spec.words.forEach((word, i) => {
    record[i] = VOCABULARY.indexOf(word) + 1;
  });
  record.set([PROMPT_KINDS.indexOf(spec.kind), temperature * 100, cfg * 50, shared], WORDS);
  new DataView(record.buffer).setUint32(WORDS + 4, number, true);
  const prompt = parsePrompt(spec.text);
  images.forEach((image, i) => {
    const prefix = prefixes[i] as Prefix;
    const picture = record.subarray(GROUP + i * PICTURE, GROUP + (i + 1) * PICTURE);
    copyBits(generator.pack(prefix), picture);
    packLabels(prompt, image, picture.subarray(BITS));
    prefix.release();
  });
  generator.close();
  return { record, images };
}

function writeWhole(path: string, parts: readonly Uint8Array[]): void {
  writeFileSync(`${path}.partial`, Buffer.concat(parts));
  renameSync(`${path}.partial`, path);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: '.work/on-policy' },
      groups: { type: 'string', default: '6400' },
      first: { type: 'string', default: '0' },
      seed: { type: 'string', default: '11' },
      threads: { type: 'string', default: '1' },
      'held-out': { type: 'boolean', default: false },
      pixels: { type: 'string' },
    },
  });
  const seed = Number(values.seed);
  const root = RandomKey.fromSeed(seed);
  for (const folder of [values.out, values.pixels ?? values.out]) mkdirSync(folder, { recursive: true });
  const model = await findModel('toybox').load({ threads: Number(values.threads) });
  const last = Math.ceil(Number(values.groups) / PART_GROUPS);
  for (let part = Math.floor(Number(values.first) / PART_GROUPS); part < last; part++) {
    const name = `part-${String(part).padStart(5, '0')}`;
    const path = join(values.out, `${name}.bin`);
    if (existsSync(path)) continue;
    const start = performance.now();
    const ledger = new Ledger();
    const records: Uint8Array[] = [header(seed)];
    const pixels: Uint8Array[] = [];
    for (let number = part * PART_GROUPS; number < (part + 1) * PART_GROUPS; number++) {
      const place = { key: root.fold(number), number, heldOut: values['held-out'], ledger };
      const { record, images } = await drawGroup(model, place);
      records.push(record);
      if (values.pixels !== undefined) pixels.push(...images.map(({ data }) => data));
    }
    // The pixels first: a part that is there has them.
    if (values.pixels !== undefined) writeWhole(join(values.pixels, `${name}.rgb`), pixels);
    writeWhole(path, records);
    const rate = (PART_GROUPS * PICTURES * 1000) / (performance.now() - start);
    const { transformer, decoder } = ledger.record().milliseconds;
    console.log(
      `${path}: ${PART_GROUPS * PICTURES} pictures, ${rate.toFixed(1)} a second; transformer ${(transformer / 1000).toFixed()} s, ` +
        `decoder ${(decoder / 1000).toFixed()} s`,
    );
  }
  await model.close();
}

await main();
