// Who looks at the pictures that a search gives: the detector, where prompt and model are of the embedded world, and verifiers. What they
// need of a prompt is made ready once, for all searches with it.

import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import { fit } from '../models/clip/preprocess.js';
import { judgePicture } from '../toybox/judge/judge.js';
import type { Prompt } from '../toybox/world/grammar.js';
import { tryParse } from '../toybox/world/parser.js';
import { PICTURE_SIDE } from '../toybox/world/scene.js';
import { checkScores, type Judge } from '../verifiers/contract.js';
import type { Lab } from './lab.js';
import type { Verdict } from './record.js';

/** A number with the digits that mean something, so that lines stay short. */
export const rounded = (value: number): number => Number(value.toPrecision(6));

/** The judges of one prompt, one search after the other. */
export class Panel {
  readonly #lab: Lab;
  readonly #prompt: string;
  /** In the embedded world; null for what is no prompt of its small language. */
  readonly #meaning: Prompt | null;
  readonly #judges = new Map<string, Promise<Judge>>();

  constructor(lab: Lab, prompt: string) {
    this.#lab = lab;
    this.#prompt = prompt;
    const meaning = tryParse(prompt);
    this.#meaning = typeof meaning === 'string' ? null : meaning;
  }

  /** The detector's verdict; null where it knows nothing of the prompt or the model's pictures. */
  isRight(model: string, image: Image): boolean | null {
    if (!this.#meaning || this.#lab.entry(model).world !== 'toybox') return null;
    const seen = fit(image, { shorterSide: PICTURE_SIDE, size: PICTURE_SIDE });
    return judgePicture(this.#meaning, seen).correct;
  }

  /** What detector and verifiers say of a picture. */
  async verdict(model: string, image: Image, verifiers: readonly string[]): Promise<Verdict> {
    const scores: [string, number][] = [];
    // One after the other: they share the engine.
    for (const name of [...new Set(verifiers)].sort()) {
      const judge = await this.#judge(name);
      const own = await judge.score([image]);
      checkScores(name, own, 1);
      scores.push([name, rounded(own[0] ?? NaN)]);
    }
    return { right: this.isRight(model, image), scores: Object.fromEntries(scores) };
  }

  #judge(name: string): Promise<Judge> {
    const known = this.#judges.get(name) ?? this.#lab.verifier(name).prepare(this.#prompt, new Ledger());
    this.#judges.set(name, known);
    return known;
  }

  async close(): Promise<void> {
    for (const judge of await Promise.allSettled(this.#judges.values())) {
      if (judge.status === 'fulfilled') judge.value.close();
    }
    this.#judges.clear();
  }
}
