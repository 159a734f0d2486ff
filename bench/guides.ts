// Who guides the searches that are measured, and who says whether their pictures are right: the detector, which no search but the
// oracle's sees.

import { COIN } from '../src/benchmarks/coin.js';
import type { Image, Verifier } from '../src/index.js';
import { judgePicture } from '../src/toybox/judge/judge.js';
import { parsePrompt } from '../src/toybox/world/parser.js';
import { findVerifier, VERIFIERS } from '../src/verifiers/catalog.js';
import { EMBEDDED } from './settings.js';

/** The embedded verifiers that are installed. */
export const ALL = EMBEDDED.filter((name) => findVerifier(name).installed() === true);

/** The verifiers that a name means here: 'coin' is the control, 'all' the ensemble of the embedded ones. */
export function guideOf(name: string): Verifier | string | readonly string[] {
  return name === 'coin' ? COIN : name === 'all' ? ALL : name;
}

/** True where the detector's labels have taught a guide: what it says of its pictures is no independent verdict. */
export function isTaught(name: string): boolean {
  return VERIFIERS.some((each) => each.detectorLabels && (name === 'all' || each.name === name));
}

/** The detector's verdict. */
export function isRight(prompt: string, image: Image): boolean {
  return judgePicture(parsePrompt(prompt), image).correct;
}
