// Draws prompts of a given kind. Meaning first (a Prompt), its text comes from grammar.ts.

import type { Draws } from './draws.js';
import type { Group, Prompt, PromptKind, Wording } from './grammar.js';
import { promptKind, RELATIONS } from './grammar.js';
import { COLOURS, MAX_OBJECTS, SHAPES } from './scene.js';

/** How often each kind occurs among training captions. */
export const KIND_WEIGHTS: readonly (readonly [PromptKind, number])[] = [
  ['single_object', 1],
  ['two_object', 1.5],
  ['counting', 1.5],
  ['colors', 1],
  ['position', 2],
  ['color_attr', 2],
  ['texture', 1.5],
  ['complex', 2.5],
];

const PLAIN_GROUP = { count: 1, size: null, texture: null, colour: null } as const;
const TEXTURES = ['striped', 'dotted'] as const;

/** How the groups of a complex prompt may be split up, by the number of groups. */
const COMPLEX_COUNTS: readonly (readonly (readonly number[])[])[] = [
  [],
  [[1], [2], [2], [3], [3], [4], [4], [5]],
  [
    [1, 1],
    [1, 1],
    [1, 2],
    [2, 1],
    [1, 3],
    [3, 1],
    [2, 2],
    [1, 4],
    [4, 1],
    [2, 3],
    [3, 2],
  ],
  [
    [1, 1, 1],
    [1, 1, 1],
    [2, 1, 1],
    [1, 2, 1],
    [1, 1, 2],
    [3, 1, 1],
    [1, 1, 3],
    [2, 2, 1],
    [1, 2, 2],
  ],
];

function complexGroup(draws: Draws, count: number, total: number): Group {
  const size = draws.chance(0.25) ? (total <= 2 && draws.chance(0.6) ? 'large' : 'small') : null;
  const texture = size !== 'small' && draws.chance(0.25) ? draws.pick(TEXTURES) : null;
  const colour = draws.chance(0.75) ? draws.pick(COLOURS) : null;
  return { count, size, texture, colour, shape: draws.pick(SHAPES) };
}

/** Groups must differ in shape, or else name different colours, so that no object could stand for two of them. */
function distinct(groups: readonly Group[]): boolean {
  return groups.every((a, i) =>
    groups
      .slice(0, i)
      .every((b) => a.shape !== b.shape || (a.colour !== null && b.colour !== null && a.colour !== b.colour)),
  );
}

function complexPrompt(draws: Draws): Prompt {
  const form = draws.weighted([
    ['one', 1.5],
    ['related', 4],
    ['two', 2.5],
    ['three', 2],
  ] as const);
  const number = form === 'one' ? 1 : form === 'three' ? 3 : 2;
  const counts = draws.pick(COMPLEX_COUNTS[number] ?? []);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total > MAX_OBJECTS) throw new RangeError(`a scene holds at most ${String(MAX_OBJECTS)} objects`);
  const groups = counts.map((count) => complexGroup(draws, count, total));
  return { groups, relation: form === 'related' ? draws.pick(RELATIONS) : null };
}

function texturePrompt(draws: Draws): Prompt {
  const coloured = draws.chance(0.5);
  const count = draws.chance(0.5) ? 2 : 1;
  const groups = draws.sample(SHAPES, count).map((shape): Group => {
    const colour = coloured ? draws.pick(COLOURS) : null;
    return { ...PLAIN_GROUP, texture: draws.pick(TEXTURES), colour, shape };
  });
  return { groups, relation: null };
}

function draft(kind: PromptKind, draws: Draws): Prompt {
  const shapes = draws.sample(SHAPES, 2);
  const [first, second] = shapes.map((shape): Group => ({ ...PLAIN_GROUP, shape })) as [Group, Group];
  switch (kind) {
    case 'single_object':
      return { groups: [first], relation: null };
    case 'two_object':
      return { groups: [first, second], relation: null };
    case 'counting':
      return { groups: [{ ...first, count: 2 + draws.below(MAX_OBJECTS - 1) }], relation: null };
    case 'colors':
      return { groups: [{ ...first, colour: draws.pick(COLOURS) }], relation: null };
    case 'position':
      return { groups: [first, second], relation: draws.pick(RELATIONS) };
    case 'color_attr': {
      const [one, other] = draws.sample(COLOURS, 2) as [Group['colour'], Group['colour']];
      return {
        groups: [
          { ...first, colour: one },
          { ...second, colour: other },
        ],
        relation: null,
      };
    }
    case 'texture':
      return texturePrompt(draws);
    case 'complex':
      return complexPrompt(draws);
  }
}

/** Draws a prompt of a kind, at random among those that the world can show and tell apart. */
export function generatePrompt(kind: PromptKind, draws: Draws): Prompt {
  for (;;) {
    const prompt = draft(kind, draws);
    if (promptKind(prompt) === kind && distinct(prompt.groups)) return prompt;
  }
}

/** Draws a way of writing a prompt; the plain way is the most frequent. */
export function generateWording(draws: Draws): Wording {
  return { one: draws.chance(0.08), toThe: draws.chance(0.15) };
}
