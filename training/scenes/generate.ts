// Draws scenes that fit a prompt, and training samples: a prompt that is not held out, its scene and its wording.

import { RuntimeError } from '../../src/core/errors.js';
import type { RandomKey } from '../../src/core/random.js';
import { Draws } from '../../src/toybox/world/draws.js';
import { generatePrompt, generateWording, KIND_WEIGHTS } from '../../src/toybox/world/generate-prompt.js';
import type { Group, Prompt, PromptKind, Wording } from '../../src/toybox/world/grammar.js';
import { promptText } from '../../src/toybox/world/grammar.js';
import { isHeldOut } from '../../src/toybox/world/held-out.js';
import type { Scene, SceneObject } from '../../src/toybox/world/scene.js';
import { BACKGROUNDS, COLOURS, SIZE_RADII } from '../../src/toybox/world/scene.js';
import type { Piece } from './layout.js';
import { placePieces } from './layout.js';

/** A prompt with one of the pictures that fit it. */
export interface Sample {
  readonly kind: PromptKind;
  readonly prompt: Prompt;
  readonly wording: Wording;
  readonly scene: Scene;
}

function drawRadius(group: Group, draws: Draws): number {
  const { middle, spread } = SIZE_RADII[group.size ?? 'medium'];
  return Math.round(draws.between(middle - spread, middle + spread) * 4) / 4;
}

/** Draws a picture for a prompt: what the prompt leaves open is drawn at random, and nothing else is in it. */
export function generateScene(prompt: Prompt, draws: Draws): Scene {
  const background = draws.pick(BACKGROUNDS);
  // The objects of a group share their colour, also where it is left open.
  const looks = prompt.groups.map((group) => ({
    shape: group.shape,
    colour: group.colour ?? draws.pick(COLOURS),
    texture: group.texture ?? ('plain' as const),
  }));
  for (let attempt = 0; attempt < 50; attempt++) {
    const pieces = prompt.groups.flatMap((group, index) =>
      Array.from({ length: group.count }, (): Piece => ({
        shape: group.shape,
        radius: drawRadius(group, draws),
        group: index,
      })),
    );
    const places = placePieces(pieces, prompt.relation, draws);
    if (places === undefined) continue;
    const objects = pieces.map(({ radius, group }, i): SceneObject => {
      const look = looks[group];
      const place = places[i];
      if (!look || !place) throw new RangeError('a piece lacks its group or its place');
      return { ...look, radius, ...place };
    });
    return { background, objects };
  }
  throw new RuntimeError(
    `found no room for the objects of "${promptText(prompt)}"; use fewer or smaller ones`,
  );
}

/** Draws a training sample of a kind, or of a random kind with the weights of training; never a held-out prompt. */
export function generateSample(key: RandomKey, kind?: PromptKind): Sample {
  const draws = new Draws(key);
  const chosen = kind ?? draws.weighted(KIND_WEIGHTS);
  let prompt = generatePrompt(chosen, draws);
  while (isHeldOut(prompt)) prompt = generatePrompt(chosen, draws);
  return { kind: chosen, prompt, wording: generateWording(draws), scene: generateScene(prompt, draws) };
}
