// Who guides the searches that are measured, and who says whether their pictures are right: the detector, which no search but the
// oracle's sees.

import { createHash } from 'node:crypto';

import { type Image, RandomKey, type Verifier } from '../src/index.js';
import { judgePicture } from '../src/toybox/judge/judge.js';
import { parsePrompt } from '../src/toybox/world/parser.js';
import { findVerifier, VERIFIERS } from '../src/verifiers/catalog.js';
import { EMBEDDED } from './settings.js';

/** The embedded verifiers that are installed. */
export const ALL = EMBEDDED.filter((name) => findVerifier(name).installed() === true);

/** A verifier without eyes: the score is a random number that prompt and pixels draw. */
const coin: Verifier = {
  name: 'coin',
  hashes: () => Promise.resolve({}),
  prepare: (prompt) =>
    Promise.resolve({
      score: (images) => Promise.resolve(images.map((image) => toss(prompt, image))),
      close: () => undefined,
    }),
  close: () => Promise.resolve(),
};

function toss(prompt: string, { data }: Image): number {
  const seed = createHash('sha256').update(prompt).update(data).digest().readUIntBE(0, 6);
  return RandomKey.fromSeed(seed).uniform(1)[0] ?? 0;
}

/** The verifiers that a name means here: 'coin' is the control, 'all' the ensemble of the embedded ones. */
export function guideOf(name: string): Verifier | string | readonly string[] {
  return name === 'coin' ? coin : name === 'all' ? ALL : name;
}

/** True where the detector's labels have taught a guide: what it says of its pictures is no independent verdict. */
export function isTaught(name: string): boolean {
  return VERIFIERS.some((each) => each.detectorLabels && (name === 'all' || each.name === name));
}

/** The detector's verdict. */
export function isRight(prompt: string, image: Image): boolean {
  return judgePicture(parsePrompt(prompt), image).correct;
}
