// Writes the golden table anew: npx tsx test/golden/make.ts [NAME...] (all cases, or those whose name begins so).
// Only for changes of pictures or costs that are wanted: the table is what a redesign is held to.

import { readFileSync, writeFileSync } from 'node:fs';

import { CASES } from './cases.js';
import { isDecidedByRanks } from './exact-ranks.js';
import { ROUNDING_PATH, roundingOfMachine } from './rounding.js';
import { type Facts, GoldenRuns, searchesOf } from './run.js';
import { formatTable, type Table, TABLE_PATH } from './table.js';

const chosen = process.argv.slice(2);
const table: Record<string, Facts> =
  chosen.length > 0 ? { ...(JSON.parse(readFileSync(TABLE_PATH, 'utf8')) as Table) } : {};
const runs = new GoldenRuns();
for (const golden of CASES) {
  if (chosen.length > 0 && !chosen.some((name) => golden.name.startsWith(name))) continue;
  const start = performance.now();
  const facts = await runs.facts(golden);
  if (!isDecidedByRanks(golden, facts)) {
    throw new Error(`${golden.name}: a last bit of the mean ranks decides: take another seed`);
  }
  table[golden.name] = facts;
  const pictures = searchesOf(facts).reduce((sum, { nodes }) => sum + nodes.length, 0);
  process.stdout.write(
    `${golden.name}: ${pictures} candidates, ${(performance.now() - start).toFixed(0)} ms\n`,
  );
}
await runs.close();
const ordered = Object.fromEntries(CASES.map(({ name }) => [name, table[name] as Facts]));
writeFileSync(TABLE_PATH, formatTable(ordered));
writeFileSync(ROUNDING_PATH, `${JSON.stringify({ rounding: await roundingOfMachine() })}\n`);
