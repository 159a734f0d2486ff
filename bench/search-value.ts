// What search is worth: held-out prompts drawn without a search, by random search and by beam search at the same NFE, guided by
// the embedded CLIPScore and judged by the detector, which the search never sees.
//   npx tsx bench/search-value.ts [prompts per kind, default 4]

import { Ledger } from '../src/core/ledger.js';
import { RandomKey } from '../src/core/random.js';
import { findModel } from '../src/models/catalog.js';
import { createRuntime } from '../src/runtime/index.js';
import { resolveSearch, type SearchOptions, startSearch } from '../src/search/registry.js';
import { benchmarkPrompts } from '../src/toybox/benchmark-prompts.js';
import { judgePicture } from '../src/toybox/judge.js';
import { parsePrompt } from '../src/toybox/parser.js';
import { findVerifier } from '../src/verifiers/catalog.js';
import { panelOf } from '../src/verifiers/contract.js';
import { machine } from './measure.js';

const NFE = 315; // beam search with w = 3, c = 5 over six scales
const ARMS: Readonly<Record<string, SearchOptions>> = {
  'one picture': { strategy: 'random', images: 1 },
  'random search': { strategy: 'random', budget: NFE },
  'beam search': { strategy: 'beam', budget: NFE },
};

const perKind = Number(process.argv[2] ?? 4);
const runtime = await createRuntime();
const model = await findModel('toybox').load({ runtime });
const verifier = await findVerifier('clip-score').load({ runtime });
const prompts = benchmarkPrompts(perKind);
console.log(`${machine()}; ${prompts.length} held-out prompts, ${NFE} NFE`);
for (const [name, options] of Object.entries(ARMS)) {
  let right = 0;
  let score = 0;
  for (const [i, { prompt }] of prompts.entries()) {
    const ledger = new Ledger();
    const generator = await model.prepare(prompt, ledger);
    const judge = await verifier.prepare(prompt, ledger);
    const context = { generator, panel: panelOf(judge, verifier.name), key: RandomKey.fromSeed(i) };
    const search = startSearch(resolveSearch(options, generator.scales), context);
    let step = await search.next();
    while (!step.done) step = await search.next();
    generator.close();
    judge.close();
    score += step.value.score;
    if (judgePicture(parsePrompt(prompt), step.value.image).correct) right++;
  }
  const share = right / prompts.length;
  const deviation = Math.sqrt((share * (1 - share)) / prompts.length);
  console.log(
    `${name.padEnd(14)} right ${(100 * share).toFixed(1)}% +- ${(100 * deviation).toFixed(1)}, ` +
      `mean CLIPScore ${(score / prompts.length).toFixed(3)}`,
  );
}
await model.close();
await verifier.close();
await runtime.close();
