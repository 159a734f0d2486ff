// The grammar of toybox prompts: their meaning as a tree, the words they use and how they are written.
// parser.ts reads them back.

import type { Colour, Shape, Size, Texture } from './scene.js';
import { COLOURS, SHAPES } from './scene.js';

/** GenEval's six kinds of prompts, then T2I-CompBench's texture and complex kinds; the order is that of exports. */
export const PROMPT_KINDS = [
  'single_object',
  'two_object',
  'counting',
  'colors',
  'position',
  'color_attr',
  'texture',
  'complex',
] as const;
/** One of the eight kinds of prompts. */
export type PromptKind = (typeof PROMPT_KINDS)[number];

/** Relations between the first and the second group of a prompt, as they are written. */
export const RELATIONS = ['left of', 'right of', 'above', 'below'] as const;
/** One of the four relations. */
export type Relation = (typeof RELATIONS)[number];

/** Some objects that a prompt names together; null leaves a property open (size: medium, texture: plain). */
export interface Group {
  readonly count: number;
  /** Set where a single object is asked for as "one": then a second one is wrong, as it is not for "a". */
  readonly exact?: true;
  readonly size: Exclude<Size, 'medium'> | null;
  readonly texture: Exclude<Texture, 'plain'> | null;
  readonly colour: Colour | null;
  readonly shape: Shape;
}

/** What a prompt says: one to three groups, and how the first group lies to the second. */
export interface Prompt {
  readonly groups: readonly Group[];
  readonly relation: Relation | null;
}

/** Ways of writing the same prompt: "one" for "a", and "to the left of" for "left of". */
export interface Wording {
  readonly one?: boolean;
  readonly toThe?: boolean;
}

/** Words for counts, by count; a single object has an article instead. */
export const COUNT_WORDS = ['', 'one', 'two', 'three', 'four', 'five'] as const;

/** The plural of a shape's name. */
export function plural(shape: Shape): string {
  return shape === 'cross' ? 'crosses' : `${shape}s`;
}

/** All words of the embedded model, in the order of their ids; the comma is a word. */
export const VOCABULARY: readonly string[] = [
  'a',
  'an',
  ...COUNT_WORDS.slice(1),
  ...COLOURS,
  ...SHAPES,
  ...SHAPES.map(plural),
  'striped',
  'dotted',
  'small',
  'large',
  'left',
  'right',
  'of',
  'above',
  'below',
  'to',
  'the',
  'and',
  ',',
];

/** Prompts that the embedded models can draw, for people who ask what to write. */
export const PROMPT_EXAMPLES = [
  'three red stars left of a blue circle',
  'a striped green heart and a pink ring',
  'two cyan circles and a yellow cross',
] as const;

function groupWords(group: Group, wording: Wording): string[] {
  const properties = [group.size, group.texture, group.colour].filter((word) => word !== null);
  const noun = group.count === 1 ? group.shape : plural(group.shape);
  const rest = [...properties, noun];
  if (group.count > 1) return [COUNT_WORDS[group.count] ?? String(group.count), ...rest];
  if (wording.one === true || group.exact) return ['one', ...rest];
  return [/^[aeiou]/.test(rest[0] ?? '') ? 'an' : 'a', ...rest];
}

function relationWords(relation: Relation, wording: Wording): string[] {
  const sideways = relation === 'left of' || relation === 'right of';
  return [...(sideways && wording.toThe === true ? ['to', 'the'] : []), ...relation.split(' ')];
}

/** The words of a prompt, commas among them. */
export function promptWords(prompt: Prompt, wording: Wording = {}): string[] {
  const { groups, relation } = prompt;
  const words: string[] = [];
  groups.forEach((group, i) => {
    if (i === 1 && relation !== null) words.push(...relationWords(relation, wording));
    else if (i > 0) words.push(i === groups.length - 1 ? 'and' : ',');
    words.push(...groupWords(group, wording));
  });
  return words;
}

/** Joins words to a text, with commas set close. */
export function joinWords(words: readonly string[]): string {
  return words.join(' ').replaceAll(' ,', ',');
}

/** A prompt as a text, for example "three red stars left of a blue circle". */
export function promptText(prompt: Prompt, wording: Wording = {}): string {
  return joinWords(promptWords(prompt, wording));
}

/** The kind that a prompt belongs to by what it says. */
export function promptKind(prompt: Prompt): PromptKind {
  const { groups, relation } = prompt;
  const single = groups.every((group) => group.count === 1);
  const sized = groups.some((group) => group.size !== null);
  const textured = groups.some((group) => group.texture !== null);
  const coloured = groups.filter((group) => group.colour !== null).length;
  if (sized || groups.length > 2) return 'complex';
  if (relation !== null) return single && !textured && coloured === 0 ? 'position' : 'complex';
  if (textured) return single ? 'texture' : 'complex';
  if (!single) return groups.length === 1 && coloured === 0 ? 'counting' : 'complex';
  if (groups.length === 1) return coloured === 0 ? 'single_object' : 'colors';
  if (coloured === 0) return 'two_object';
  return coloured === 2 ? 'color_attr' : 'complex';
}
