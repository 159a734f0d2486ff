// What the usual searches hold at least, by the arithmetic of search/memory.ts: nothing is loaded. npx tsx bench/memory.ts

import { findModel } from '../src/models/catalog.js';
import { formatMemory } from '../src/search/memory.js';
import { memoryNeed, resolveSearch, type SearchOptions } from '../src/search/registry.js';
import { resolveJury } from '../src/verifiers/jury.js';

const MODELS = [
  ['toybox', {}],
  ['infinity-2b', { size: '0.06M' }],
  ['infinity-2b', { size: '0.25M' }],
  ['infinity-2b', { size: '1M' }],
  ['infinity-2b', { size: '0.06M', precision: 'int8' }],
  ['infinity-2b', { size: '0.25M', precision: 'int8' }],
  ['infinity-2b', { size: '1M', precision: 'int8' }],
] as const;
const SEARCHES: readonly SearchOptions[] = [
  { strategy: 'random', images: 1 },
  { strategy: 'gto' },
  { strategy: 'beam', paper: true },
  { strategy: 'beam' },
];

const jury = resolveJury(['any']);
for (const [name, options] of MODELS) {
  const schedule = findModel(name).schedule(options);
  const needs = SEARCHES.map((search) => memoryNeed(resolveSearch(search, schedule), { schedule, jury }));
  console.log(
    [name, ...Object.values(options), ...needs.map((need) => formatMemory(need?.least ?? NaN))].join('  '),
  );
}
