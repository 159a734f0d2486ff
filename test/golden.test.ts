// Some thirty searches as they were: pictures, scores, trees and costs, which changes of the code must reproduce.
//
// Another processor may round differently, which moves scores and single pixels a little: everywhere the trees, winners and
// costs have to be the same, and scores and colours close. With VARSEARCH_GOLDEN=exact, for the machine that made the table,
// all scores and pixels have to be the same bits. npx tsx test/golden/make.ts makes the table anew.

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import { CASES } from './golden/cases.js';
import { isDecidedByRanks } from './golden/exact-ranks.js';
import type { NodeFacts } from './golden/facts.js';
import { type Facts, GoldenRuns, searchesOf } from './golden/run.js';
import { type Table, TABLE_PATH } from './golden/table.js';

const EXACT = process.env['VARSEARCH_GOLDEN'] === 'exact';
/** Scores of another processor, relative to their size. */
const SCORE_TOLERANCE = 1e-5;
/** Mean colours of a quarter of a picture, in bytes. */
const COLOUR_TOLERANCE = 1;

const table = JSON.parse(readFileSync(TABLE_PATH, 'utf8')) as Table;
const runs = new GoldenRuns();
afterAll(() => runs.close());

/** What has to be the same on every machine. */
function structure(facts: Facts): unknown {
  const searches = searchesOf(facts).map(({ nodes, winner, ledger }) => ({
    winner,
    ledger,
    nodes: nodes.map(({ parent, scale, beam, candidate, kept, scores }) => {
      return { parent, scale, beam, candidate, kept, verifiers: Object.keys(scores).toSorted() };
    }),
  }));
  return { best: 'best' in facts ? facts.best : null, searches };
}

/** Pictures and the verifiers' scores, to the bit. */
const bits = (facts: Facts): unknown =>
  searchesOf(facts).map(({ pixels, nodes }) => ({
    pixels,
    nodes: nodes.map(({ pixels: own, colours, scores }) => ({ pixels: own, colours, scores })),
  }));

const nodesOf = (facts: Facts): NodeFacts[] => searchesOf(facts).flatMap(({ nodes }) => nodes);

/** Scores that were made of others: joined ones differ in the last bits with the order of a sum. */
const joined = (facts: Facts): number[] => [
  ...searchesOf(facts).map(({ score }) => score),
  ...('scores' in facts ? facts.scores : []),
];

/** The largest difference of two lists, relative to numbers above 1. */
function farthest(found: readonly number[], wanted: readonly number[]): number {
  if (found.length !== wanted.length) return Infinity;
  const apart = found.map((value, i) => {
    const other = wanted[i] ?? NaN;
    return Math.abs(value - other) / Math.max(1, Math.abs(other));
  });
  return Math.max(0, ...apart);
}

const bytesOf = ({ colours }: NodeFacts): number[] => [...Buffer.from(colours, 'hex')];

function mostBytesApart(found: NodeFacts, wanted: NodeFacts): number {
  const other = bytesOf(wanted);
  return Math.max(...bytesOf(found).map((byte, i) => Math.abs(byte - (other[i] ?? NaN))));
}

describe(`the golden table${EXACT ? ', to the bit' : ''}`, () => {
  it('has every case, and none that the last bit of a mean rank decides', () => {
    expect(Object.keys(table)).toEqual(CASES.map(({ name }) => name));
    for (const golden of CASES) {
      expect(isDecidedByRanks(golden, table[golden.name] as Facts), golden.name).toBe(true);
    }
  });

  it.each(CASES)('$name', async (golden) => {
    const wanted = table[golden.name] as Facts;
    const found = await runs.facts(golden);
    expect(structure(found)).toEqual(structure(wanted));
    const [nodes, wantedNodes] = [nodesOf(found), nodesOf(wanted)];
    nodes.forEach((node, i) => {
      const other = wantedNodes[i] as NodeFacts;
      for (const [name, score] of Object.entries(other.scores)) {
        expect(farthest([node.scores[name] ?? NaN], [score]), `${name} of ${i + 1}`).toBeLessThanOrEqual(
          SCORE_TOLERANCE,
        );
      }
      expect(mostBytesApart(node, other), `colours of ${i + 1}`).toBeLessThanOrEqual(COLOUR_TOLERANCE);
    });
    expect(farthest(joined(found), joined(wanted))).toBeLessThanOrEqual(EXACT ? 1e-12 : SCORE_TOLERANCE);
    if (EXACT) expect(bits(found)).toEqual(bits(wanted));
  });
});
