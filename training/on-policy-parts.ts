// The layout of the pictures that the verifiers are trained on, and the detector's labels in it. Bytes of a part:
//   header  4096  one line of JSON: the sizes below, vocabulary, kinds, faults
//   group     28  word ids of the prompt as it is written [20], kind, temperature * 100, cfg * 50, k, group number (u32)
//   picture  295  bits of all scales in token order, first bit highest [260]; faults as a mask; 255 * score; objects;
//                 8 objects of 4 bytes as in scene records (shape 8, colour 8, texture 3: unknown)

import type { Image } from '../src/core/image.js';
import type { DetectedObject } from '../src/toybox/judge/detector.js';
import { detectObjects } from '../src/toybox/judge/detector.js';
import { FAULTS, judge } from '../src/toybox/judge/judge.js';
import type { Prompt } from '../src/toybox/world/grammar.js';
import { PROMPT_KINDS, VOCABULARY } from '../src/toybox/world/grammar.js';
import { COLOURS, SHAPES, TEXTURES } from '../src/toybox/world/scene.js';

export const PART_GROUPS = 128;
export const PICTURES = 16;
export const WORDS = 20;
export const GROUP = WORDS + 8;
export const BITS = 260;
const HEADER = 4096;
const OBJECTS = 8;
export const LABELS = 3 + 4 * OBJECTS;
export const PICTURE = BITS + LABELS;

function packObject(object: DetectedObject): number[] {
  const index = (names: readonly string[], name: string): number => {
    const found = names.indexOf(name);
    return found < 0 ? names.length : found;
  };
  const byte = (value: number, most: number): number => Math.max(0, Math.min(most, Math.round(value)));
  return [
    (index(SHAPES, object.shape) << 4) | index(COLOURS, object.colour),
    (index(TEXTURES, object.texture) << 6) | byte(object.radius * 4, 63),
    byte(object.x * 4, 255),
    byte(object.y * 4, 255),
  ];
}

/** Writes what the detector sees, and says of it. */
export function packLabels(prompt: Prompt, image: Image, target: Uint8Array): void {
  const detection = detectObjects(image);
  const { faults, score } = judge(prompt, detection);
  const objects = detection.objects.slice(0, OBJECTS);
  target[0] = faults.reduce((mask, fault) => mask | (1 << FAULTS.indexOf(fault)), 0);
  target[1] = Math.round(score * 255);
  target[2] = objects.length;
  target.set(objects.flatMap(packObject), 3);
}

export function header(seed: number): Uint8Array {
  const sizes = { groups: PART_GROUPS, group: GROUP, pictures: PICTURES, picture: PICTURE, objects: OBJECTS };
  const text = JSON.stringify({
    version: 1,
    seed,
    ...sizes,
    vocabulary: VOCABULARY,
    kinds: PROMPT_KINDS,
    faults: FAULTS,
  });
  return Buffer.from(`${text.padEnd(HEADER - 1)}\n`, 'latin1');
}
