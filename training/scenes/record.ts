// The exported form of training samples: a header of 4096 bytes, then 42 bytes a scene. Read by training/.

import { PROMPT_KINDS, promptWords, VOCABULARY } from '../../src/toybox/world/grammar.js';
import type { Scene } from '../../src/toybox/world/scene.js';
import {
  BACKGROUND_RGB,
  BACKGROUNDS,
  COLOUR_RGB,
  COLOURS,
  MAX_OBJECTS,
  PICTURE_SIDE,
  SHAPES,
  TEXTURES,
} from '../../src/toybox/world/scene.js';
import type { Sample } from './generate.js';

/** Bytes of the JSON header line, padding and line end included. */
export const HEADER_BYTES = 4096;
/** Bytes of one record. */
export const RECORD_BYTES = 42;
/** The most words of a caption. */
export const CAPTION_WORDS = 20;

const CAPTION_AT = 2 + 4 * MAX_OBJECTS;
const WORD_IDS: ReadonlyMap<string, number> = new Map(VOCABULARY.map((word, i) => [word, i + 1]));

/** The header of an export: one line of JSON, padded with spaces. */
export function exportHeader(count: number, seed: number): Uint8Array {
  const header = JSON.stringify({
    version: 1,
    count,
    seed,
    record: RECORD_BYTES,
    side: PICTURE_SIDE,
    vocabulary: VOCABULARY,
    colours: COLOURS.map((name) => ({ name, rgb: COLOUR_RGB[name] })),
    backgrounds: BACKGROUNDS.map((name) => ({ name, rgb: BACKGROUND_RGB[name] })),
    shapes: SHAPES,
    textures: TEXTURES,
    kinds: PROMPT_KINDS,
  });
  return Buffer.from(`${header.padEnd(HEADER_BYTES - 1)}\n`, 'latin1');
}

function writeScene(scene: Scene, target: Uint8Array, at: number): void {
  target[at] = (BACKGROUNDS.indexOf(scene.background) << 4) | scene.objects.length;
  scene.objects.forEach((object, i) => {
    const base = at + 2 + 4 * i;
    target[base] = (SHAPES.indexOf(object.shape) << 4) | COLOURS.indexOf(object.colour);
    target[base + 1] = (TEXTURES.indexOf(object.texture) << 6) | (object.radius * 4);
    target[base + 2] = object.x * 4;
    target[base + 3] = object.y * 4;
  });
}

/** Writes a sample as one record at a byte offset of `target`, which must hold zeros there. */
export function writeRecord(sample: Sample, target: Uint8Array, at: number): void {
  const words = promptWords(sample.prompt, sample.wording);
  if (words.length > CAPTION_WORDS || sample.scene.objects.length > MAX_OBJECTS) {
    throw new RangeError(`a record holds ${String(CAPTION_WORDS)} words and ${String(MAX_OBJECTS)} objects`);
  }
  writeScene(sample.scene, target, at);
  target[at + 1] = PROMPT_KINDS.indexOf(sample.kind);
  words.forEach((word, i) => {
    const id = WORD_IDS.get(word);
    if (id === undefined) throw new RangeError(`"${word}" is not in the vocabulary`);
    target[at + CAPTION_AT + i] = id;
  });
}
