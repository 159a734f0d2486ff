// The command of a page: what the command line reads back are the options that were said.

import { describe, expect, it } from 'vitest';

import { fakeSchedule, squares } from '../../test/fakes/fake-model.js';
import { resolveSearch } from '../search/registry.js';
import { resolveJury } from '../verifiers/jury.js';
import { commandOf } from './command.js';

const catalogs = {
  models: [{ name: 'toybox' }],
  verifiers: [{ name: 'clip-score' }, { name: 'oracle' }, { name: 'tiny-reward' }],
} as unknown as Parameters<typeof commandOf>[1];
const schedule = fakeSchedule({ scales: squares(1, 2, 3) });
const options = {
  prompt: 'two green hearts',
  model: 'toybox',
  modelOptions: { cfg: [4, 4, 3], topK: 0, temperature: [1, 1, 1] },
  jury: resolveJury(['clip-score']),
  seed: 7,
  search: resolveSearch({ strategy: 'beam', width: 2 }, schedule),
};

describe('the command of a page', () => {
  it('says every option, lists that are all the same once', () => {
    expect(commandOf(options, catalogs)).toBe(
      'varsearch generate "two green hearts" --model toybox --verifier clip-score --strategy beam --width 2 ' +
        '--candidates 5 --keep-elected --result best --cfg 4,4,3 --top-k 0 --temperature 1 --seed 7',
    );
  });

  it("says that it is the paper's rule, which beam search needs", () => {
    const search = resolveSearch({ strategy: 'beam', width: 2, paper: true }, schedule);
    expect(commandOf({ ...options, search }, catalogs)).toContain('--candidates 5 --paper --result best');
  });

  it('names a jury with its rule and weights, and who looks on', () => {
    const jury = resolveJury(['clip-score', 'oracle'], { weights: [3, 1] }, ['tiny-reward']);
    expect(commandOf({ ...options, jury }, catalogs)).toContain(
      '--verifier clip-score,oracle --ensemble rank --weights 3,1 --hold-out tiny-reward',
    );
  });

  it.each([
    ['it\'s 5 $ `x` \\ "y"', `'it'\\''s 5 $ \`x\` \\ "y"'`],
    ['一只猫, drawn', '"一只猫, drawn"'],
    ['cat', 'cat'],
    ['%PATH% & !x!', "'%PATH% & !x!'"],
  ])('quotes %s', (prompt, quoted) => {
    expect(commandOf({ ...options, prompt }, catalogs)).toContain(`generate ${quoted} --model`);
  });

  it('is none for what no command line can name or type', () => {
    expect(commandOf({ ...options, model: 'mine' }, catalogs)).toBeNull();
    expect(commandOf({ ...options, jury: resolveJury(['mine']) }, catalogs)).toBeNull();
    expect(commandOf({ ...options, search: { strategy: 'mine' } }, catalogs)).toBeNull();
    expect(commandOf({ ...options, prompt: 'a\nb' }, catalogs)).toBeNull();
  });
});
