// DrawBench (Saharia et al. 2022): 200 prompts of eleven categories in the sheet of Imagen's authors. A sheet has no commits to pin, so
// that a copy of it is asked for first that has one, and the sheet where that is gone. Of either is checked how many prompts of every
// category it has, and the manifest of a run keeps the hash of what was read, so that a run never goes on with another list. Cells have
// commas in quotes, and one category a blank at its end.

import { parseCsv } from '../../core/csv.js';
import { VarsearchError } from '../../core/errors.js';
import { decodeText } from '../../core/text-file.js';
import { type Benchmark, hashPrompts, numbered } from './benchmark.js';
import { fetchFirst, type ListFile, onGitHub } from './fetched.js';

const COMMIT = 'efd010832ef12dcf49af5a8446f1febd28a8cb11';

/** A copy of the sheet whose bytes are known. */
export const DRAWBENCH_COPY: ListFile = {
  name: 'drawbench-copy.csv',
  url: onGitHub('brianfitzgerald/smolmodels', COMMIT, 'data/drawbench.csv'),
  licence: 'none stated',
  sha256: 'cf4590eff6d94ae366183d6df9d816fa0d3463a02c210ffec01cd662582c457f',
};

/** The sheet as CSV. */
const SHEET: ListFile = {
  name: 'drawbench.csv',
  url: 'https://docs.google.com/spreadsheets/d/1y7nAbmR4FREi6npB1u-Bo3GFdwdOPYJc617rBOxIRHY/gviz/tq?tqx=out:csv',
  licence: 'none stated',
  sha256: null,
};

const SIZES: Readonly<Record<string, number>> = {
  Colors: 25,
  Conflicting: 10,
  Counting: 19,
  'DALL-E': 20,
  Descriptions: 20,
  'Gary Marcus et al.': 10,
  Misspellings: 10,
  Positional: 20,
  'Rare Words': 7,
  Reddit: 38,
  Text: 21,
};

/** DrawBench. */
export const DRAWBENCH: Benchmark = {
  name: 'drawbench',
  description:
    'DrawBench: 200 prompts of eleven categories (fetched from a pinned copy or the authors\u2019 sheet; no licence stated)',
  evaluator: { layout: 'drawbench', images: 4 },
  load: async (context) => {
    const { file, bytes } = await fetchFirst([DRAWBENCH_COPY, SHEET], context);
    const { url } = file;
    const [head, ...rows] = parseCsv(decodeText(bytes, url), url);
    const names = head?.cells ?? [];
    const text = names.findIndex((name) => /^prompts?$/i.test(name));
    const kind = names.indexOf('Category');
    const prompts = rows.map(({ cells }) => ({
      text: cells[text]?.trim() ?? '',
      kind: cells[kind]?.trim() ?? '',
    }));
    for (const [name, size] of Object.entries(SIZES)) {
      const found = prompts.filter((prompt) => prompt.kind === name && prompt.text !== '').length;
      if (found === size) continue;
      throw new VarsearchError(
        `${url} is not DrawBench as it was published: it has ${found} prompts of ${name} in place of ${size}; ` +
          'give a file of your own in place of the name',
      );
    }
    const all = numbered(prompts.filter((prompt) => Object.hasOwn(SIZES, prompt.kind)));
    // Of the list, wherever its copy came from: a run goes on with the same prompts from the other place.
    return { prompts: all, source: SHEET.url, licence: SHEET.licence, sha256: hashPrompts(all) };
  },
};
