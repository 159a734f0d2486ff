// Prompts that a picture does not show: a prompt with one thing changed. Used to validate the judge, and fit for
// hard negatives.

import type { Draws } from '../../src/toybox/world/draws.js';
import type { Group, Prompt, Relation } from '../../src/toybox/world/grammar.js';
import { COLOURS, MAX_OBJECTS, SHAPES } from '../../src/toybox/world/scene.js';

/** The kinds of change that wrongPrompt makes. */
export const CHANGES = ['count', 'colour', 'shape', 'texture', 'size', 'relation', 'swap'] as const;
/** One kind of change. */
export type Change = (typeof CHANGES)[number];

const OPPOSITE: Readonly<Record<Relation, Relation>> = {
  'left of': 'right of',
  'right of': 'left of',
  above: 'below',
  below: 'above',
};

function otherGroup(change: Change, group: Group, prompt: Prompt, draws: Draws): Group | null {
  switch (change) {
    case 'count': {
      // A prompt for one object holds for more of them, too; so counts never fall to one.
      const counts = [group.count - 1, group.count + 1].filter((count) => count >= 2 && count <= MAX_OBJECTS);
      return counts.length === 0 ? null : { ...group, count: draws.pick(counts) };
    }
    case 'colour': {
      const used = prompt.groups.map(({ colour }) => colour);
      const others = COLOURS.filter((colour) => !used.includes(colour));
      return group.colour === null ? null : { ...group, colour: draws.pick(others) };
    }
    case 'shape': {
      const used = prompt.groups.map(({ shape }) => shape);
      return { ...group, shape: draws.pick(SHAPES.filter((shape) => !used.includes(shape))) };
    }
    case 'texture':
      return group.texture === null
        ? null
        : { ...group, texture: group.texture === 'striped' ? 'dotted' : 'striped' };
    case 'size':
      return group.size === null ? null : { ...group, size: group.size === 'small' ? 'large' : 'small' };
    case 'relation':
    case 'swap':
      return null;
  }
}

/** Swaps the colours (or where they are alike or open, the textures) of the first two groups. */
function swapped(prompt: Prompt): Prompt | null {
  const [first, second, ...rest] = prompt.groups;
  if (!first || !second || first.shape === second.shape) return null;
  const property = first.colour !== second.colour ? 'colour' : 'texture';
  if (first[property] === second[property] || !first[property] || !second[property]) return null;
  const groups = [
    { ...first, [property]: second[property] },
    { ...second, [property]: first[property] },
    ...rest,
  ];
  return { ...prompt, groups };
}

/** The prompt with one change of the given kind that makes it wrong for its pictures; null where it has none. */
export function wrongPrompt(prompt: Prompt, change: Change, draws: Draws): Prompt | null {
  if (change === 'relation') {
    return prompt.relation === null ? null : { ...prompt, relation: OPPOSITE[prompt.relation] };
  }
  if (change === 'swap') return swapped(prompt);
  const at = draws.below(prompt.groups.length);
  const changed = otherGroup(change, prompt.groups[at] as Group, prompt, draws);
  if (changed === null) return null;
  return { ...prompt, groups: prompt.groups.map((group, i) => (i === at ? changed : group)) };
}
