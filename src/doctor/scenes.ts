// Eight pictures that say what is on them: shapes of one colour on plain ground, drawn by the project itself. Any image model
// that reads its prompt foresees such a picture better when it is told what is on it.

import { type Image, imageFromPlanes } from '../core/image.js';
import { interpolate } from '../models/vae/interpolate.js';
import { planesOf } from '../models/vae/round-trip.js';
import { renderScene } from '../toybox/world/renderer.js';
import type { Colour, Scene, SceneObject, Shape } from '../toybox/world/scene.js';

/** A picture and the words for it. */
export interface Described {
  readonly prompt: string;
  readonly image: Image;
}

const PLACES = [
  [18, 20],
  [46, 44],
  [46, 18],
  [18, 46],
] as const;

type Group = readonly [count: number, colour: Colour, shape: Shape];

// prettier-ignore
const SCENES: readonly (readonly [prompt: string, ground: Scene['background'], groups: readonly Group[]])[] = [
  ['a red circle', 'white', [[1, 'red', 'circle']]],
  ['three blue squares', 'cream', [[3, 'blue', 'square']]],
  ['a yellow star and a purple cross', 'grey', [[1, 'yellow', 'star'], [1, 'purple', 'cross']]],
  ['two green hearts', 'white', [[2, 'green', 'heart']]],
  ['an orange triangle and a cyan ring', 'mist', [[1, 'orange', 'triangle'], [1, 'cyan', 'ring']]],
  ['four pink diamonds', 'grey', [[4, 'pink', 'diamond']]],
  ['a blue star', 'cream', [[1, 'blue', 'star']]],
  ['two red crosses and a green circle', 'mist', [[2, 'red', 'cross'], [1, 'green', 'circle']]],
];

function objectsOf(groups: readonly Group[]): SceneObject[] {
  const kinds = groups.flatMap(([count, colour, shape]) =>
    Array.from({ length: count }, () => ({ colour, shape })),
  );
  const places = kinds.length === 1 ? [[32, 32] as const] : PLACES;
  return kinds.map((kind, i) => {
    const [x, y] = places[i] ?? PLACES[0];
    return { ...kind, texture: 'plain', radius: 9.5, x, y };
  });
}

/** The pictures, as large as a model draws. */
export function describedPictures({
  width,
  height,
}: {
  readonly width: number;
  readonly height: number;
}): Described[] {
  return SCENES.map(([prompt, background, groups]) => ({
    prompt,
    image: grown(renderScene({ background, objects: objectsOf(groups) }), width, height),
  }));
}

/** A picture grown linearly. */
function grown(image: Image, width: number, height: number): Image {
  const planes = interpolate(planesOf(image).data, 3, image, { width, height }, 'linear');
  return imageFromPlanes(planes, width, height);
}

/** Prompts for models that draw anything: one thing each, unlike the others. */
export const ANY_PROMPTS: readonly string[] = [
  'a red apple on a wooden table',
  'a snowy mountain under a blue sky',
  'a black cat asleep on a sofa',
  'a yellow taxi in heavy rain',
  'a sailing boat on the sea at sunset',
  'a bowl of noodle soup with a spoon',
  'a green frog on a leaf',
  'an old stone bridge over a river',
];
