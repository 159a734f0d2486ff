// Which prompts are kept away from training. A prompt is held out by a hash of its text, so that every program
// and every seed agrees without a list. Kinds with few strings hold out a larger share, so that a benchmark has
// enough of them; single_object has eight strings only and holds out none.

import type { Prompt, PromptKind } from './grammar.js';
import { promptKind, promptText } from './grammar.js';

/** One in how many strings of a kind is held out; 0 means none. */
export const HELD_OUT_DIVISOR: Readonly<Record<PromptKind, number>> = {
  single_object: 0,
  two_object: 4,
  counting: 4,
  colors: 4,
  position: 8,
  color_attr: 20,
  texture: 20,
  complex: 20,
};

/**
 * FNV-1a of a text's character codes (all ASCII in toybox), then MurmurHash3's finaliser: the low bits of FNV-1a
 * alone follow single letters, and would hold out every prompt with a ring and none with a square.
 */
function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Whether a prompt never occurs in training, however it is worded. */
export function isHeldOut(prompt: Prompt): boolean {
  const divisor = HELD_OUT_DIVISOR[promptKind(prompt)];
  const groups = prompt.groups.map(({ exact: _, ...group }) => group);
  return divisor > 0 && textHash(promptText({ ...prompt, groups })) % divisor === 0;
}
