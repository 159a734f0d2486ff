// Measures the judge: freshly drawn scenes, sent through any round trip (none, a blur, a trained VAE), are judged
// against the prompt they were drawn for and against prompts with one thing changed.

import type { Image } from '../../src/core/image.js';
import { createImage } from '../../src/core/image.js';
import { RandomKey } from '../../src/core/random.js';
import { blurPlane } from '../../src/toybox/judge/blur.js';
import { detectObjects } from '../../src/toybox/judge/detector.js';
import { judge } from '../../src/toybox/judge/judge.js';
import { Draws } from '../../src/toybox/world/draws.js';
import { generatePrompt } from '../../src/toybox/world/generate-prompt.js';
import type { PromptKind } from '../../src/toybox/world/grammar.js';
import { PROMPT_KINDS, promptText } from '../../src/toybox/world/grammar.js';
import { renderScene } from '../../src/toybox/world/renderer.js';
import { generateScene } from './generate.js';
import { CHANGES, wrongPrompt } from './wrong-prompts.js';

/** How many of some judgements were right. */
export interface Tally {
  readonly right: number;
  readonly all: number;
}

/** A judgement that was wrong, with the scene's number and what the judge said. */
export interface Misjudged {
  readonly scene: number;
  readonly drawnFor: string;
  readonly judgedAgainst: string;
  readonly reasons: readonly string[];
}

/** The outcome of validateJudge. */
export interface JudgeValidation {
  /** Pictures accepted for the prompt they were drawn for. */
  readonly accepted: Tally;
  /** Pictures refused for a prompt with one change. */
  readonly refused: Tally;
  readonly acceptedByKind: ReadonlyMap<PromptKind, Tally>;
  readonly misjudged: readonly Misjudged[];
}

/** Changes a picture before it is judged, for example by a VAE; also told the scene's number. */
export type RoundTrip = (image: Image, scene: number) => Image | Promise<Image>;

/** What to validate on. */
export interface ValidationOptions {
  /** Number of scenes, spread evenly over the kinds. @default 2000 */
  readonly count?: number;
  /** @default 1000 */
  readonly seed?: number;
  /** @default the picture as it is */
  readonly roundTrip?: RoundTrip;
}

class Counter {
  right = 0;
  all = 0;

  add(right: boolean): void {
    this.all += 1;
    if (right) this.right += 1;
  }
}

/** Judges freshly drawn pictures of all kinds; every number follows from the seed and the round trip. */
export async function validateJudge(options: ValidationOptions = {}): Promise<JudgeValidation> {
  const { count = 2000, seed = 1000 } = options;
  const roundTrip: RoundTrip = options.roundTrip ?? ((image) => image);
  const root = RandomKey.fromSeed(seed);
  const accepted = new Counter();
  const refused = new Counter();
  const ofKinds = PROMPT_KINDS.map(() => new Counter());
  const misjudged: Misjudged[] = [];
  for (let scene = 0; scene < count; scene++) {
    const kind = PROMPT_KINDS[scene % PROMPT_KINDS.length] as PromptKind;
    const draws = new Draws(root.fold(scene));
    const prompt = generatePrompt(kind, draws);
    const detection = detectObjects(await roundTrip(renderScene(generateScene(prompt, draws)), scene));
    const record = (counter: Counter, judgedAgainst: typeof prompt, wanted: boolean): void => {
      const { correct, reasons } = judge(judgedAgainst, detection);
      counter.add(correct === wanted);
      if (correct === wanted) return;
      misjudged.push({
        scene,
        drawnFor: promptText(prompt),
        judgedAgainst: promptText(judgedAgainst),
        reasons,
      });
    };
    record(accepted, prompt, true);
    ofKinds[scene % PROMPT_KINDS.length]?.add(misjudged.at(-1)?.scene !== scene);
    for (const change of CHANGES) {
      const wrong = wrongPrompt(prompt, change, draws);
      if (wrong !== null) record(refused, wrong, false);
    }
  }
  const acceptedByKind = new Map(PROMPT_KINDS.map((kind, i) => [kind, ofKinds[i] as Tally]));
  return { accepted, refused, acceptedByKind, misjudged };
}

/** A picture blurred by a Gaussian (sigma in pixels) with Gaussian noise (sigma in byte values) on top. */
export function degradePicture(image: Image, sigma: number, noise: number, key: RandomKey): Image {
  const data = new Uint8Array(image.data.length);
  const draws = key.uniform(data.length + (data.length % 2));
  for (let channel = 0; channel < 3; channel++) {
    const plane = Float32Array.from({ length: data.length / 3 }, (_, i) => image.data[i * 3 + channel] ?? 0);
    blurPlane(plane, image.width, sigma).forEach((value, i) => {
      const at = i * 3 + channel;
      data[at] = Math.min(255, Math.max(0, Math.round(value + noise * normalDraw(draws, at))));
    });
  }
  return createImage(image.width, image.height, data);
}

/** Normal draw number i by Box and Muller: two neighbours share a pair of uniform draws. */
function normalDraw(uniform: Float64Array, i: number): number {
  const first = i - (i % 2);
  const radius = Math.sqrt(-2 * Math.log(1 - (uniform[first] ?? 0)));
  const angle = 2 * Math.PI * (uniform[first + 1] ?? 0);
  return radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
}
