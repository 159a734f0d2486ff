// The golden table's file: JSON with a line for each candidate, so that a change shows where it is.

import { join } from 'node:path';

import { packageRoot } from '../../src/core/assets.js';
import type { NodeFacts, SearchFacts } from './facts.js';
import type { Facts } from './run.js';

/** What was found, by the case's name. */
export type Table = Readonly<Record<string, Facts>>;

export const TABLE_PATH = join(packageRoot(), 'test', 'golden', 'table.json');

const json = (value: unknown): string => JSON.stringify(value);

function formatSearch({ nodes, ...facts }: SearchFacts): string {
  const head = Object.entries(facts).map(([name, value]) => `${json(name)}:${json(value)},\n`);
  return `{${head.join('')}"nodes":[\n${nodes.map((node: NodeFacts) => json(node)).join(',\n')}\n]}`;
}

/** The file of a table. */
export function formatTable(table: Table): string {
  const cases = Object.entries(table).map(([name, facts]) => {
    if (!('searches' in facts)) return `${json(name)}:${formatSearch(facts)}`;
    const searches = facts.searches.map(formatSearch).join(',\n');
    return `${json(name)}:{"best":${facts.best},\n"scores":${json(facts.scores)},\n"searches":[\n${searches}\n]}`;
  });
  return `{\n${cases.join(',\n\n')}\n}\n`;
}
