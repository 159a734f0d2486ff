import { describe, expect, it } from 'vitest';

import { createImage } from '../core/image.js';
import type { TreeNode } from '../search/tree.js';
import { GEOMETRY, layOutTree, lineageOf, roundsOf } from './tree-layout.js';

const image = createImage(1, 1, new Uint8Array(3));
const node = (
  id: number,
  parent: number,
  scale: number,
  beam: number,
  candidate: number,
  score: number,
): TreeNode => ({
  id,
  parent,
  scale,
  beam,
  candidate,
  score,
  scores: { judge: score },
  image,
  kept: false,
  inherited: false,
});

// Two rounds, two beams; the beams of the second round stand in the order of their rank.
const nodes = [
  node(1, 0, 1, 0, 0, 0.2),
  node(2, 0, 1, 0, 1, 0.9),
  node(3, 0, 1, 0, 2, 0.5),
  node(4, 3, 2, 1, 0, 0.8),
  node(5, 2, 2, 0, 0, 0.7),
  node(6, 2, 2, 0, 1, 0.95),
];
const winner = nodes[5] as TreeNode;

describe('the layout of a tree', () => {
  const layout = layOutTree({ nodes }, winner);
  const all = layout.columns.flatMap((column) => column.nodes);

  it('puts rounds side by side and candidates below each other, without overlaps', () => {
    expect(layout.columns.map((column) => column.nodes.map((placed) => placed.node.id))).toEqual([
      [1, 2, 3],
      [5, 6, 4],
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
    const byId = new Map(all.map((placed) => [placed.node.id, placed]));
    for (const { from, to, child } of layout.edges) {
      const parent = byId.get(child.node.parent);
      expect(from).toEqual(
        parent ? { x: parent.x + GEOMETRY.picture, y: parent.y + GEOMETRY.picture / 2 } : layout.root,
      );
      expect(to).toEqual({ x: child.x, y: child.y + GEOMETRY.picture / 2 });
    }
    expect(layout.edges).toHaveLength(nodes.length);
  });

  it('ranks within a round and follows the winner back', () => {
    expect(Object.fromEntries(all.map((placed) => [placed.node.id, placed.rank]))).toEqual({
      1: 3,
      2: 1,
      3: 2,
      5: 3,
      6: 1,
      4: 2,
    });
    expect(all.filter(({ lineage }) => lineage).map((placed) => placed.node.id)).toEqual([2, 6]);
  });

  it('ends for trees that are damaged', () => {
    const loop = [node(1, 2, 1, 0, 0, 1), node(2, 1, 1, 0, 1, 1)];
    expect(lineageOf({ nodes: loop }, loop[0] as TreeNode).size).toBe(2);
    expect(roundsOf({ nodes: [] })).toEqual([]);
  });
});
