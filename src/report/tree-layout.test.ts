import { describe, expect, it } from 'vitest';

import type { Candidate, Fate } from '../search/contract.js';
import { GEOMETRY, layOutTree, lineageOf, placesOf, roundsOf } from './tree-layout.js';

const candidate = (id: number, parent: number, path: [number, number, number], score: number): Candidate => ({
  id,
  parent,
  step: path[0],
  judgedAt: 2,
  path,
  scores: { judge: score },
});

// Two rounds, two beams; the beams of the second round stand in the order of their place.
const candidates = [
  candidate(1, 0, [1, 0, 0], 0.2),
  candidate(2, 0, [1, 0, 1], 0.9),
  candidate(3, 0, [1, 0, 2], 0.5),
  candidate(4, 3, [2, 1, 0], 0.8),
  candidate(5, 2, [2, 0, 0], 0.7),
  candidate(6, 2, [2, 0, 1], 0.95),
];
/** Fates as an election tells them: best first. */
const fate = (id: number, copies: number): Fate => ({
  id,
  standing: { score: candidates[id - 1]?.scores['judge'] ?? NaN },
  copies,
});
const fates = [fate(2, 1), fate(3, 1), fate(1, 0), fate(6, 0), fate(4, 0), fate(5, 0)];
const winner = candidates[5] as Candidate;

describe('the layout of a tree', () => {
  const layout = layOutTree({ candidates, fates, winner });
  const all = layout.columns.flatMap((column) => column.nodes);

  it('puts rounds side by side and candidates below each other, without overlaps', () => {
    expect(
      layout.columns.map(({ step, nodes }) => [step, nodes.map((placed) => placed.candidate.id)]),
    ).toEqual([
      [1, [1, 2, 3]],
      [2, [5, 6, 4]],
    ]);
    for (const { nodes: placed, x } of layout.columns) {
      placed.forEach((each, i) => {
        expect(each.x).toBe(x);
        const below = placed[i + 1];
        if (below) expect(below.y - each.y).toBeGreaterThanOrEqual(GEOMETRY.row);
      });
    }
    for (const { x, y } of all) {
      expect(x + GEOMETRY.picture).toBeLessThanOrEqual(layout.width);
      expect(y + GEOMETRY.row).toBeLessThanOrEqual(layout.height);
      expect(y).toBeGreaterThanOrEqual(GEOMETRY.top);
    }
  });

  it('joins every candidate to its parent, and those of the first round to the root', () => {
    const byId = new Map(all.map((placed) => [placed.candidate.id, placed]));
    for (const { from, to, child } of layout.edges) {
      const parent = byId.get(child.candidate.parent);
      expect(from).toEqual(
        parent ? { x: parent.x + GEOMETRY.picture, y: parent.y + GEOMETRY.picture / 2 } : layout.root,
      );
      expect(to).toEqual({ x: child.x, y: child.y + GEOMETRY.picture / 2 });
    }
    expect(layout.edges).toHaveLength(candidates.length);
  });

  it('has the places within a round, and follows the winner back', () => {
    expect(Object.fromEntries(all.map((placed) => [placed.candidate.id, placed.place]))).toEqual({
      1: 3,
      2: 1,
      3: 2,
      5: 3,
      6: 1,
      4: 2,
    });
    expect(all.filter(({ lineage }) => lineage).map((placed) => placed.candidate.id)).toEqual([2, 6]);
  });

  it('has no places in a round that was not elected', () => {
    const begun = { candidates: candidates.slice(0, 5), fates: fates.slice(0, 3) };
    expect(Object.fromEntries(placesOf(begun))).toEqual({ 1: 3, 2: 1, 3: 2 });
    const { columns } = layOutTree({ ...begun, winner });
    expect(columns[1]?.nodes.map(({ place }) => place)).toEqual([null, null]);
  });

  it('has a column for a rollout that was completed at the end, at the path of its beginning', () => {
    const done = { ...candidate(7, 6, [2, 0, 1], 0.9), step: 3, judgedAt: 3 };
    const tree = { candidates: [...candidates, done], fates: [...fates, fate(7, 0)], winner: done };
    const { columns } = layOutTree(tree);
    expect(columns.map(({ step, nodes }) => [step, nodes.length])).toEqual([
      [1, 3],
      [2, 3],
      [3, 1],
    ]);
    expect([6, 7].map((id) => placesOf(tree).get(id))).toEqual([1, 1]);
  });

  it('ends for trees that are damaged', () => {
    const loop = [candidate(1, 2, [1, 0, 0], 1), candidate(2, 1, [1, 0, 1], 1)];
    expect(lineageOf(loop, loop[0] as Candidate).size).toBe(2);
    expect(roundsOf([])).toEqual([]);
  });
});
