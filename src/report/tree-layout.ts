// Where every candidate of a search tree stands in the drawing: one column a round, one row a candidate,
// grouped by the beam that it came from; and the edges between them. Plain data, no HTML.

import type { SearchTree, TreeNode } from '../search/tree.js';

/** Measures of the drawing in CSS pixels. */
export const GEOMETRY = { picture: 64, row: 90, column: 158, gap: 12, top: 56, left: 76 } as const;

/** A candidate with its place: `x`, `y` are the picture's upper left corner. */
export interface PlacedNode {
  readonly node: TreeNode;
  readonly x: number;
  readonly y: number;
  /** 1 for the best score of its round. */
  readonly rank: number;
  /** True for the winner and its ancestors. */
  readonly lineage: boolean;
}

/** A line from a parent's right side to a child's left side. */
export interface PlacedEdge {
  readonly from: { readonly x: number; readonly y: number };
  readonly to: { readonly x: number; readonly y: number };
  readonly child: PlacedNode;
}

/** All candidates of one round, top to bottom. */
export interface Column {
  readonly scale: number;
  readonly x: number;
  readonly nodes: readonly PlacedNode[];
}

/** The drawing of a whole tree. */
export interface TreeLayout {
  readonly width: number;
  readonly height: number;
  readonly root: { readonly x: number; readonly y: number };
  readonly columns: readonly Column[];
  readonly edges: readonly PlacedEdge[];
}

/** The ids of a node and of all its ancestors. */
export function lineageOf(tree: SearchTree, node: TreeNode): ReadonlySet<number> {
  const byId = new Map(tree.nodes.map((each) => [each.id, each]));
  const ids = new Set<number>();
  for (let each: TreeNode | undefined = node; each && !ids.has(each.id); each = byId.get(each.parent)) {
    ids.add(each.id);
  }
  return ids;
}

/** The rounds of a tree: its candidates by scale, coarse to fine. */
export function roundsOf(tree: SearchTree): readonly (readonly TreeNode[])[] {
  const rounds = new Map<number, TreeNode[]>();
  for (const node of tree.nodes) {
    const round = rounds.get(node.scale);
    if (round) round.push(node);
    else rounds.set(node.scale, [node]);
  }
  return [...rounds.entries()].sort(([a], [b]) => a - b).map(([, nodes]) => nodes);
}

function placeColumn(nodes: readonly TreeNode[], index: number, lineage: ReadonlySet<number>): Column {
  const ranking = [...nodes].sort((a, b) => b.score - a.score || a.id - b.id);
  const rank = new Map(ranking.map((node, place) => [node.id, place + 1]));
  const x = GEOMETRY.left + index * GEOMETRY.column;
  let y = GEOMETRY.top;
  let beam: number | undefined;
  const placed = [...nodes]
    .sort((a, b) => a.beam - b.beam || a.candidate - b.candidate || a.id - b.id)
    .map((node): PlacedNode => {
      if (beam !== undefined && node.beam !== beam) y += GEOMETRY.gap;
      beam = node.beam;
      const place = { node, x, y, rank: rank.get(node.id) ?? 0, lineage: lineage.has(node.id) };
      y += GEOMETRY.row;
      return place;
    });
  return { scale: nodes[0]?.scale ?? 0, x, nodes: placed };
}

/** Moves a column down so that it stands in the middle of the drawing. */
function centre(column: Column, height: number): Column {
  const last = column.nodes.at(-1);
  const bottom = last ? last.y + GEOMETRY.row : 0;
  const shift = Math.round((height - bottom) / 2);
  return { ...column, nodes: column.nodes.map((node) => ({ ...node, y: node.y + shift })) };
}

/** Lays out a tree of several rounds. */
export function layOutTree(tree: SearchTree, winner: TreeNode): TreeLayout {
  const lineage = lineageOf(tree, winner);
  const loose = roundsOf(tree).map((nodes, index) => placeColumn(nodes, index, lineage));
  const height = Math.max(0, ...loose.map((column) => (column.nodes.at(-1)?.y ?? 0) + GEOMETRY.row));
  const columns = loose.map((column) => centre(column, height));
  const half = GEOMETRY.picture / 2;
  const root = { x: GEOMETRY.left - 52, y: Math.round((GEOMETRY.top + height - GEOMETRY.row) / 2 + half) };
  const placed = new Map(columns.flatMap(({ nodes }) => nodes.map((each) => [each.node.id, each] as const)));
  const edges = [...placed.values()].map((child): PlacedEdge => {
    const parent = placed.get(child.node.parent);
    const from = parent ? { x: parent.x + GEOMETRY.picture, y: parent.y + half } : root;
    return { from, to: { x: child.x, y: child.y + half }, child };
  });
  const width = GEOMETRY.left + (columns.length - 1) * GEOMETRY.column + GEOMETRY.picture + 24;
  return { width, height, root, columns, edges };
}
