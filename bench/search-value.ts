// What search is worth: held-out prompts drawn without a search, by random search and by beam search at the same NFE, guided by
// one verifier or several and judged by the detector, which the search never sees.
//   npx tsx bench/search-value.ts [--prompts 4] [--verifiers clip-score --verifiers image-reward,clip-score,aesthetic]

import { parseArgs } from 'node:util';

import type { SearchOptions } from '../src/search/registry.js';
import { judgePicture } from '../src/toybox/judge/judge.js';
import { benchmarkPrompts } from '../src/toybox/world/benchmark-prompts.js';
import { parsePrompt } from '../src/toybox/world/parser.js';
import { openVarsearch } from '../src/varsearch.js';
import { machine } from './measure.js';

const NFE = 315; // beam search with w = 3, c = 5 over six scales
const SEARCHES: readonly (readonly [string, SearchOptions])[] = [
  ['random search', { strategy: 'random', budget: NFE }],
  ['beam search', { strategy: 'beam', budget: NFE }],
];

const { values } = parseArgs({
  options: {
    prompts: { type: 'string', default: '4' },
    verifiers: { type: 'string', multiple: true, default: ['clip-score'] },
  },
});
const prompts = benchmarkPrompts(Number(values.prompts));

/** The share of prompts whose picture is right, in percent, with its standard error. */
async function measure(verifier: string, options: SearchOptions): Promise<string> {
  const varsearch = await openVarsearch({ verifier });
  let right = 0;
  for (const [seed, { prompt }] of prompts.entries()) {
    const { image } = await varsearch.generate({ prompt, seed, ...options }).result;
    if (judgePicture(parsePrompt(prompt), image).correct) right++;
  }
  await varsearch.close();
  const share = right / prompts.length;
  const error = Math.sqrt((share * (1 - share)) / prompts.length);
  return `${(100 * share).toFixed(1)} % right +- ${(100 * error).toFixed(1)}`;
}

console.log(`${machine()}; ${prompts.length} held-out prompts, ${NFE} NFE each`);
console.log(`one picture, no search: ${await measure('clip-score', { strategy: 'random', images: 1 })}`);
for (const verifier of values.verifiers) {
  for (const [name, options] of SEARCHES) {
    console.log(`${name} guided by ${verifier}: ${await measure(verifier, options)}`);
  }
}
