// The normalizers of a tokenizer.json. Most are @huggingface/tokenizers'; ours are those that it does otherwise than the
// official program (the charsmap, lower case, BERT's), and the bounds on what comes out.

import * as library from '@huggingface/tokenizers';

import { isObject, type JsonObject } from '../../core/json-file.js';
import { Charsmap } from './charsmap.js';
import { LATER_FORMATS, MARKS } from './old-unicode.js';

/** Text to text. */
export type Normalize = (text: string) => string;

/** UTF-16 units of a text after any normalizer: more than any text gets that may be given. */
export const MOST_NORMALIZED = 64_000;
/** UTF-16 units that a normalizer may put in one place. */
const MOST_PUT_IN = 64;
const MOST_STAGES = 64;

/** What we use of the library; its own declarations do not resolve under NodeNext (their imports lack extensions). */
const { SequenceNormalizer } = library as unknown as {
  readonly SequenceNormalizer: new (json: JsonObject) => { normalize: Normalize };
};

/** The normalizer of a file, which may have none. The result throws Error for texts that become too long. */
export function createNormalizer(json: unknown): Normalize {
  const stages = stagesOf(json).map(({ type, stage }) => {
    const own = OWN[type];
    if (own) return own(stage);
    const theirs = new SequenceNormalizer({ normalizers: [stage] });
    return (text: string) => theirs.normalize(text);
  });
  return (text) =>
    stages.reduce((found, stage) => {
      const next = stage(found);
      if (next.length <= MOST_NORMALIZED) return next;
      throw new Error(`its normalizers make more than ${MOST_NORMALIZED} characters of a text`);
    }, text);
}

/** The charsmap among the normalizers. Throws Error for one that is damaged. */
export function findCharsmap(json: unknown): Charsmap | undefined {
  const found = stagesOf(json).find(({ type }) => type === 'Precompiled');
  return found && new Charsmap(found.stage['precompiled_charsmap']);
}

interface Stage {
  readonly type: string;
  readonly stage: JsonObject;
}

/** Sequences laid out flat. Throws Error for normalizers that are none, or whose work has no bounds. */
function stagesOf(json: unknown): readonly Stage[] {
  const stages: Stage[] = [];
  const waiting: unknown[] = [json ?? { type: 'Sequence', normalizers: [] }];
  while (waiting.length > 0) {
    const next = waiting.shift();
    const type = isObject(next) ? next['type'] : undefined;
    if (!isObject(next) || typeof type !== 'string') throw new Error('a normalizer has no type');
    if (type === 'Sequence') {
      const inner = next['normalizers'];
      if (!Array.isArray(inner)) throw new Error('a sequence of normalizers has no list of them');
      waiting.unshift(...(inner.slice(0, MOST_STAGES + 1) as unknown[]));
    } else {
      checkPutIn(next);
      stages.push({ type, stage: next });
    }
    if (stages.length + waiting.length > MOST_STAGES) {
      throw new Error(`it has more than ${MOST_STAGES} normalizers`);
    }
  }
  return stages;
}

function checkPutIn(stage: JsonObject): void {
  for (const name of ['content', 'prepend']) {
    const text = stage[name] ?? '';
    if (typeof text !== 'string' || text.length > MOST_PUT_IN) {
      throw new Error(`a normalizer's '${name}' is no text of at most ${MOST_PUT_IN} characters`);
    }
  }
}

/** The normalizers that are ours. */
const OWN: Readonly<Record<string, (stage: JsonObject) => Normalize>> = {
  Precompiled: (stage) => {
    const charsmap = new Charsmap(stage['precompiled_charsmap']);
    return (text) => charsmap.byGrapheme(text);
  },
  Lowercase: () => lowercase,
  BertNormalizer: bertNormalizer,
};

/** Each letter by itself: a sigma does not know that it is the last one. */
function lowercase(text: string): string {
  return Array.from(text, (letter) => letter.toLowerCase()).join('');
}

/** normalizers/bert.rs. */
function bertNormalizer(stage: JsonObject): Normalize {
  const flag = (name: string, missing: boolean): boolean => Boolean(stage[name] ?? missing);
  const lower = flag('lowercase', true);
  const steps: Normalize[] = [];
  if (flag('clean_text', true)) steps.push(cleanText);
  if (flag('handle_chinese_chars', true)) steps.push((text) => text.replace(IDEOGRAPH, ' $& '));
  if (flag('strip_accents', lower)) steps.push(stripAccents);
  if (lower) steps.push(lowercase);
  return (text) => steps.reduce((found, step) => step(found), text);
}

/** The ranges of BERT's own code, a slip of the pen in one of them included. */
const IDEOGRAPH =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

function cleanText(text: string): string {
  const removed = (letter: string): boolean =>
    letter === '\ufffd' ||
    (/[\p{Cc}\p{Cf}\p{Co}]/u.test(letter) && !'\t\n\r'.includes(letter) && !LATER_FORMATS.test(letter));
  return Array.from(text)
    .filter((letter) => !removed(letter))
    .map((letter) => (/\s/.test(letter) ? ' ' : letter))
    .join('');
}

function stripAccents(text: string): string {
  return Array.from(text.normalize('NFD'))
    .filter((letter) => !MARKS.test(letter))
    .join('');
}
