import { describe, expect, it } from 'vitest';

import type { Candidate, Fate } from '../search/contract.js';
import { layOutTree, lineageOf, placesOf, roundsOf, type Tree } from './tree-layout.js';

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

/** A beam search: all children of the kept of a round before, of which the first `width` by number are kept. */
function largeTree({ rounds, width, children }: Record<'rounds' | 'width' | 'children', number>): Tree {
  const found: Candidate[] = [];
  const lots: Fate[] = [];
  let parents = [0];
  for (let round = 1; round <= rounds; round++) {
    const begin = found.length;
    for (const [beam, parent] of parents.entries()) {
      for (let number = 0; number < children; number++) {
        found.push(candidate(found.length + 1, parent, [round, beam, number], number / 100));
      }
    }
    const own = found.slice(begin).toSorted((a, b) => (a.path[2] ?? 0) - (b.path[2] ?? 0));
    const last = round === rounds;
    lots.push(
      ...own.map(({ id }, i) => ({ id, standing: { score: -i }, copies: !last && i < width ? 1 : 0 })),
    );
    parents = own.slice(0, width).map(({ id }) => id);
  }
  return { candidates: found, fates: lots, winner: found[parents[0]! - 1] as Candidate };
}

describe('the layout of a tree', () => {
  const tree = { candidates, fates, winner };
  const layout = layOutTree(tree);
  const { geometry } = layout;
  const all = layout.columns.flatMap((column) => column.nodes);
  const middle = geometry.picture / 2;

  it('puts rounds side by side and children beside their parents, without overlaps', () => {
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
        if (below) expect(below.y - each.y).toBeGreaterThanOrEqual(geometry.row);
      });
    }
    for (const { x, y } of all) {
      expect(x + geometry.picture).toBeLessThanOrEqual(layout.width);
      expect(y + geometry.row).toBeLessThanOrEqual(layout.height);
      expect(y).toBeGreaterThanOrEqual(geometry.top);
    }
    // As a whole, children are as high as their parents.
    const at = new Map(all.map(({ candidate: { id }, y }) => [id, y]));
    const off = [4, 5, 6].map((id) => (at.get(candidates[id - 1]?.parent ?? 0) ?? 0) - (at.get(id) ?? 0));
    expect(Math.abs(off.reduce((sum, each) => sum + each, 0))).toBeLessThan(4);
  });

  it('joins every candidate to its parent, and those of the first round to the root', () => {
    const byId = new Map(all.map((placed) => [placed.candidate.id, placed]));
    for (const { points, child } of layout.edges) {
      const parent = byId.get(child.candidate.parent);
      expect(points).toEqual([
        parent ? { x: parent.x + geometry.picture, y: parent.y + middle } : layout.root,
        { x: child.x, y: child.y + middle },
      ]);
    }
    expect(layout.edges).toHaveLength(candidates.length);
  });

  it('crosses no lines, however large the search is', () => {
    const large = largeTree({ rounds: 6, width: 4, children: 25 });
    const { edges, columns } = layOutTree(large);
    expect(edges).toHaveLength(525);
    for (const { x } of columns) {
      const into = edges
        .filter(({ child }) => child.x === x)
        .map(({ points }) => [points[0]?.y ?? 0, points.at(-1)?.y ?? 0] as const)
        .sort(([, a], [, b]) => a - b);
      into.forEach(([from], i) => expect(from).toBeGreaterThanOrEqual(into[i - 1]?.[0] ?? -Infinity));
    }
  });

  it('shows those that were kept, or the way to the result, in less room, and nothing else of the columns moves', () => {
    const large = largeTree({ rounds: 6, width: 4, children: 25 });
    const [full, kept, path] = (['all', 'kept', 'path'] as const).map((view) => layOutTree(large, view));
    const count = (each: typeof full): number[] => each?.columns.map(({ nodes }) => nodes.length) ?? [];
    expect(count(full)).toEqual([25, 100, 100, 100, 100, 100]);
    expect(count(kept)).toEqual([4, 4, 4, 4, 4, 1]);
    expect(count(path)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(kept?.height).toBeLessThan((full?.height ?? 0) / 5);
    expect(path?.height).toBeLessThan(kept?.height ?? 0);
    // Tidy: who was kept stands in the middle of those that came of it.
    const byId = new Map(
      kept?.columns.flatMap(({ nodes }) => nodes.map((node) => [node.candidate.id, node] as const)),
    );
    for (const node of byId.values()) {
      const own = [...byId.values()].filter((each) => each.candidate.parent === node.candidate.id);
      if (own.length === 0) continue;
      const [top = 0, bottom = 0] = [own[0]?.y, own.at(-1)?.y];
      expect(Math.abs(node.y - (top + bottom) / 2)).toBeLessThan(2);
    }
    expect(path?.columns.map(({ x }) => x)).toEqual(full?.columns.map(({ x }) => x));
  });

  it('leads lines by way of the rounds in which a parent has no child', () => {
    const late = candidate(7, 1, [3, 0, 0], 0.99);
    const { columns, edges } = layOutTree({ candidates: [...candidates, late], fates, winner: late });
    const edge = edges.find(({ child }) => child.candidate.id === 7);
    expect(edge?.points).toHaveLength(4);
    // The way through the second round keeps its own row there.
    const rows = columns[1]?.nodes.map(({ y }) => y + middle) ?? [];
    for (const row of rows) expect(Math.abs(row - (edge?.points[1]?.y ?? 0))).toBeGreaterThan(middle);
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
