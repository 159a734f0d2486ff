// The ids that the official code gives prompts with the real vocabularies, where ../shared/tokenizers lies beside the project.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { packageRoot } from '../src/core/assets.js';
import { loadTokenizer, type TokenizerRules } from '../src/models/tokenizer.js';

const shared = join(packageRoot(), '..', 'shared', 'tokenizers');

/** What is where, how the models use it, and the most tokens that they see. */
const KINDS: readonly (readonly [folder: string, most: number, rules: TokenizerRules])[] = [
  ['t5-infinity', 512, {}],
  ['t5-flux', 512, { sentencePiece: true }],
  ['clip', 77, {}],
  ['bert', 35, { added: ['[DEC]', '[ENC]'], vocabulary: 30_524 }],
];

describe.skipIf(!existsSync(shared))('with the real vocabulary', () => {
  it.each(KINDS)('of %s, the ids are the official ones', (folder, maxLength, rules) => {
    const tokenizer = loadTokenizer(join(shared, folder), rules);
    const expected = JSON.parse(readFileSync(join(shared, folder, 'expected.json'), 'utf8')) as {
      readonly text: string;
      readonly ids: readonly number[];
    }[];
    const different = expected.filter(({ text, ids }) => {
      const found = tokenizer.encode([text], { maxLength }).ids;
      return found.join() !== ids.join();
    });
    expect(different).toEqual([]);
    expect(expected.length).toBeGreaterThan(1000);
  });
});

describe.skipIf(existsSync(shared))('the real vocabularies', () => {
  it.skip('are not at ../shared/tokenizers: the official ids were not compared', () => undefined);
});
