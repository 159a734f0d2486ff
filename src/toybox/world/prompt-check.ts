// Tells a user what the embedded model will not understand in a prompt, and what would work.

import { nearestWord as nearestOf } from '../../core/nearest.js';
import { joinWords, PROMPT_EXAMPLES, VOCABULARY } from './grammar.js';
import type { ParsedPrompt } from './parser.js';
import { isKnownWord, tokenise, tryParse } from './parser.js';
import { MAX_OBJECTS } from './scene.js';

/** A word that the embedded model has never seen, and the known word that may have been meant. */
interface UnknownWord {
  readonly word: string;
  readonly nearest: string | null;
}

/** What checkPrompt found: `warning` is null when the prompt is as the embedded model learned them. */
interface PromptCheck {
  readonly parsed: ParsedPrompt | null;
  readonly unknown: readonly UnknownWord[];
  readonly warning: string | null;
  /** Three prompts that work; the first mends the given one where that is possible. */
  readonly examples: readonly string[];
}

/** Words for things that the world has under another name. */
const SYNONYMS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    circle: 'disc disk ball dot',
    square: 'box rectangle block',
    ring: 'donut doughnut hoop',
    diamond: 'rhombus kite',
    cross: 'plus',
    triangle: 'pyramid',
    striped: 'stripy stripes stripe lined',
    dotted: 'dots spotted polka-dot',
    small: 'little tiny mini',
    large: 'big huge giant',
    purple: 'violet lilac',
    cyan: 'turquoise teal aqua',
    pink: 'magenta rose',
    red: 'crimson scarlet',
    yellow: 'gold golden',
    above: 'over atop',
    below: 'under beneath underneath',
    and: '& plus with',
  }).flatMap(([word, others]) => others.split(' ').map((other) => [other, word] as const)),
);

function nearestWord(word: string): string | null {
  const synonym = SYNONYMS.get(word) ?? SYNONYMS.get(word.replace(/s$/, ''));
  if (synonym !== undefined) {
    const plural = `${synonym}s`;
    return word.endsWith('s') && isKnownWord(plural) ? plural : synonym;
  }
  return nearestOf(word, VOCABULARY);
}

/** The words of a prompt that the embedded model does not know, each once, in order. */
export function unknownWords(text: string): readonly UnknownWord[] {
  const words = new Set(tokenise(text).filter((word) => !isKnownWord(word)));
  return [...words].map((word) => ({ word, nearest: nearestWord(word) }));
}

/** The prompt with every unknown word replaced by the nearest one or left out, if that can be read. */
function mended(text: string, unknown: readonly UnknownWord[]): string[] {
  const nearest = new Map(unknown.map(({ word, nearest }) => [word, nearest]));
  const words = tokenise(text).flatMap((word) => {
    const replacement = nearest.has(word) ? nearest.get(word) : word;
    return replacement === null || replacement === undefined ? [] : [replacement];
  });
  const parsed = tryParse(joinWords(words));
  return typeof parsed === 'string' ? [] : [parsed.text];
}

function describe({ word, nearest }: UnknownWord): string {
  return nearest === null ? `"${word}"` : `"${word}" (did you mean "${nearest}"?)`;
}

function findFault(parsed: ParsedPrompt | string, unknown: readonly UnknownWord[]): string | null {
  if (unknown.length > 0) {
    return `the embedded model does not know ${unknown.map(describe).join(', ')}`;
  }
  if (typeof parsed === 'string') return `the embedded model may not understand this prompt: ${parsed}`;
  const total = parsed.groups.reduce((sum, group) => sum + group.count, 0);
  if (total > MAX_OBJECTS) {
    return `the embedded model knows pictures of up to ${String(MAX_OBJECTS)} objects, this prompt asks for ${String(total)}`;
  }
  return null;
}

/** Checks a prompt for the embedded model; never throws. The warning names the fault and three prompts that work. */
export function checkPrompt(text: string): PromptCheck {
  const unknown = unknownWords(text);
  const parsed = tryParse(text);
  const fault = findFault(parsed, unknown);
  const own = unknown.length > 0 ? mended(text, unknown) : [];
  const examples = [...new Set([...own, ...PROMPT_EXAMPLES])].slice(0, PROMPT_EXAMPLES.length);
  const quoted = examples.map((example) => `"${example}"`).join(', ');
  return {
    parsed: typeof parsed === 'string' ? null : parsed,
    unknown,
    warning: fault === null ? null : `${fault}; prompts that work: ${quoted}`,
    examples,
  };
}
