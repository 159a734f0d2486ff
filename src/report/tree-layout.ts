// Where every candidate of a search stands in the drawing: one column a round, children in the order of their parents, so that no
// lines cross. What was kept is laid out as a tidy tree (Reingold and Tilford, in the form of Buchheim et al., by d3-hierarchy);
// with all that was pruned that would be too high, and rounds are packed. Plain data, no HTML.

import { group, mean } from 'd3-array';
import { hierarchy, type HierarchyNode, type HierarchyPointNode, tree as tidyTree } from 'd3-hierarchy';

import type { GenerateResult } from '../run/result.js';
import { keptOf } from '../run/standings.js';
import type { Candidate } from '../search/contract.js';

/** Measures of a drawing in CSS pixels. */
export interface Geometry {
  /** The side of a picture. */
  readonly picture: number;
  /** From a picture to the next below it, and the gap between children of different parents. */
  readonly row: number;
  readonly gap: number;
  /** From a round to the next. */
  readonly column: number;
  readonly top: number;
  readonly left: number;
}

/** Measures of usual drawings, and of those with many candidates a round. */
const GEOMETRIES = {
  usual: { picture: 64, row: 104, gap: 12, column: 158, top: 56, left: 76 },
  dense: { picture: 44, row: 80, gap: 6, column: 126, top: 56, left: 66 },
} as const satisfies Record<string, Geometry>;

/** Candidates of a round from which on a drawing is dense. */
const DENSE = 40;

/** How far the middle of a round may be from that of the first, as a share of the highest round. */
const DRIFT = 0.2;

/** What a drawing is made of. */
export type Tree = Pick<GenerateResult, 'candidates' | 'fates' | 'winner'>;

/** Which candidates a drawing shows: all, those that were kept, or the winner and what it came from. */
export const VIEWS = ['all', 'kept', 'path'] as const;
export type TreeView = (typeof VIEWS)[number];

/** A point of the drawing. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A candidate with its place in the drawing: `x`, `y` are the picture's upper left corner. */
export interface PlacedNode extends Point {
  readonly candidate: Candidate;
  /** 1 for the best of its round; null where the round was not elected. */
  readonly place: number | null;
  /** True for the winner and its ancestors. */
  readonly lineage: boolean;
}

/** A line from a parent's right side to a child's left side, by way of the rounds between them. */
export interface PlacedEdge {
  readonly points: readonly Point[];
  readonly child: PlacedNode;
}

/** All candidates of one round, top to bottom. */
export interface Column {
  /** How many steps they fix. */
  readonly step: number;
  readonly x: number;
  readonly nodes: readonly PlacedNode[];
}

/** The drawing of a whole search. */
export interface TreeLayout {
  readonly geometry: Geometry;
  readonly width: number;
  readonly height: number;
  readonly root: Point;
  readonly columns: readonly Column[];
  readonly edges: readonly PlacedEdge[];
}

/** The ids of a candidate and of all its ancestors. */
export function lineageOf(candidates: readonly Candidate[], of: Candidate): ReadonlySet<number> {
  const byId = new Map(candidates.map((each) => [each.id, each]));
  const ids = new Set<number>();
  for (let each: Candidate | undefined = of; each && !ids.has(each.id); each = byId.get(each.parent)) {
    ids.add(each.id);
  }
  return ids;
}

/** Where a candidate stands in its search: the round from 1, beam and number among the beam's candidates from 0. */
export function placeIn({ path: [round = 1, beam = 0, number = 0] }: Candidate): {
  readonly round: number;
  readonly beam: number;
  readonly number: number;
} {
  return { round, beam, number };
}

/**
 * The candidates of a search round by round. A path alone does not tell the round: whoever completes a rollout that had stopped
 * early goes on drawing at the path of that.
 */
export function roundsOf(candidates: readonly Candidate[]): readonly (readonly Candidate[])[] {
  const rounds: Candidate[][] = [];
  const isBeside = (one: Candidate, other: Candidate): boolean =>
    one.step === other.step && placeIn(one).round === placeIn(other).round;
  const inOrder = candidates.toSorted((a, b) => a.step - b.step || placeIn(a).round - placeIn(b).round);
  for (const candidate of inOrder) {
    const last = rounds.at(-1);
    if (last?.[0] && isBeside(last[0], candidate)) last.push(candidate);
    else rounds.push([candidate]);
  }
  return rounds;
}

/** The place of every candidate among those of its round, 1 for the best; without those of a round that was not elected. */
export function placesOf({
  candidates,
  fates,
}: Pick<Tree, 'candidates' | 'fates'>): ReadonlyMap<number, number> {
  const order = new Map(fates.map(({ id }, i) => [id, i]));
  const elected = roundsOf(candidates.filter(({ id }) => order.has(id)));
  // Fates come best first, round by round.
  const ranked = elected.map((round) =>
    round.toSorted((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0)),
  );
  return new Map(ranked.flatMap((round) => round.map(({ id }, i) => [id, i + 1] as const)));
}

/** The candidates that a view of a tree shows. */
export function shownIn(view: TreeView, tree: Tree): readonly Candidate[] {
  if (view === 'all') return tree.candidates;
  const lineage = lineageOf(tree.candidates, tree.winner);
  const kept = view === 'kept' ? keptOf(tree) : lineage;
  return tree.candidates.filter(({ id }) => kept.has(id) || lineage.has(id));
}

/** A place of the tidy tree: a candidate, or a way through a round in which its parent has no child. */
interface Item {
  readonly candidate: Candidate | null;
  /** From 0; -1 for the prompt. */
  readonly round: number;
  /** The children of the nearest candidate before it that are in later rounds. */
  readonly later: readonly Candidate[];
}

/** An item with its row in `x`, in pixels: d3 draws trees from the top down. */
type PlacedItem = HierarchyPointNode<Item>;

/** Some candidates as a tree, the prompt as its root; those of one round have the same depth. */
function treeOf(shown: readonly Candidate[], roundOf: ReadonlyMap<number, number>): HierarchyNode<Item> {
  const roundIn = ({ id }: Candidate): number => roundOf.get(id) ?? 0;
  const byId = new Map(shown.map((each) => [each.id, each]));
  const children = new Map<number, Candidate[]>();
  for (const each of shown) {
    const parent = byId.get(each.parent);
    // Who has no parent in an earlier round, in a damaged file, stands at the prompt.
    const key = parent && roundIn(parent) < roundIn(each) ? parent.id : 0;
    children.set(key, [...(children.get(key) ?? []), each]);
  }
  const below = ({ round, later }: Item): Item[] => {
    const next = round + 1;
    const own = later
      .filter((each) => roundIn(each) === next)
      .map((candidate) => ({ candidate, round: next, later: children.get(candidate.id) ?? [] }));
    const rest = later.filter((each) => roundIn(each) > next);
    return rest.length === 0 ? own : [...own, { candidate: null, round: next, later: rest }];
  };
  const root: Item = { candidate: null, round: -1, later: children.get(0) ?? [] };
  return hierarchy(root, below);
}

/** Tidy: parents stand in the middle of their children, and subtrees beside each other. */
function tidy(root: HierarchyNode<Item>, { row, gap }: Geometry): PlacedItem {
  return tidyTree<Item>()
    .nodeSize([row, 1])
    .separation((a, b) => (a.parent === b.parent ? 1 : 1 + gap / row))(root);
}

/**
 * Packed: every round without gaps, in the order of its parents, as near to them as a whole. A search of six rounds takes half of
 * the height that the tidy tree would, and no lines cross either.
 */
function packed(root: HierarchyNode<Item>, { row, gap }: Geometry): PlacedItem {
  const placed = root as PlacedItem;
  const columns = [...group(placed.descendants(), (item) => item.depth).values()];
  const heights = columns.map((items) => {
    let y = 0;
    items.forEach((item, i) => {
      if (i > 0) y += items[i - 1]?.parent === item.parent ? row : row + gap;
      item.x = y;
    });
    return y;
  });
  // Each round follows its parents up or down, but not out of the drawing.
  const most = Math.max(...heights) * DRIFT;
  columns.forEach((items, i) => {
    const centred = -(heights[i] ?? 0) / 2;
    const wanted = i === 0 ? 0 : (mean(items, ({ x, parent }) => (parent?.x ?? 0) - x) ?? 0);
    const shift = Math.min(centred + most, Math.max(centred - most, wanted));
    for (const item of items) item.x += shift;
  });
  return placed;
}

/** Lays out a search of several rounds, or what a view shows of it: its columns stand where they stand for all. */
export function layOutTree(tree: Tree, view: TreeView = 'all'): TreeLayout {
  const rounds = roundsOf(tree.candidates);
  const geometry = rounds.some(({ length }) => length > DENSE) ? GEOMETRIES.dense : GEOMETRIES.usual;
  const roundOf = new Map(rounds.flatMap((round, i) => round.map(({ id }) => [id, i] as const)));
  const [places, lineage] = [placesOf(tree), lineageOf(tree.candidates, tree.winner)];
  const root = (view === 'all' ? packed : tidy)(treeOf(shownIn(view, tree), roundOf), geometry);
  const items = root.descendants();
  const above = Math.min(...items.map(({ x }) => x));
  const below = Math.max(...items.map(({ x }) => x));
  const topOf = ({ x }: PlacedItem): number => Math.round(geometry.top + x - above);
  const leftOf = ({ data: { round } }: PlacedItem): number => geometry.left + round * geometry.column;
  const half = geometry.picture / 2;
  const rootAt = { x: Math.round(geometry.left - 0.8 * geometry.picture), y: topOf(root) + half };

  const placed = new Map<PlacedItem, PlacedNode>();
  for (const item of items) {
    const { candidate } = item.data;
    if (!candidate) continue;
    const { id } = candidate;
    const looks = { place: places.get(id) ?? null, lineage: lineage.has(id) };
    placed.set(item, { candidate, x: leftOf(item), y: topOf(item), ...looks });
  }
  const edges = [...placed].map(([item, child]): PlacedEdge => {
    const ways = item.ancestors().slice(1);
    const until = ways.findIndex((each) => placed.has(each) || each === root);
    const from = placed.get(ways[until] ?? root);
    const start = from ? { x: from.x + geometry.picture, y: from.y + half } : rootAt;
    const between = ways.slice(0, Math.max(0, until)).reverse();
    const points = between.flatMap((way) => {
      const y = topOf(way) + half;
      return [
        { x: leftOf(way), y },
        { x: leftOf(way) + geometry.picture, y },
      ];
    });
    return { points: [start, ...points, { x: child.x, y: child.y + half }], child };
  });
  const columns = rounds.map((round, index): Column => {
    const nodes = [...placed.values()].filter(({ candidate }) => roundOf.get(candidate.id) === index);
    return {
      step: round[0]?.step ?? 0,
      x: geometry.left + index * geometry.column,
      nodes: nodes.sort((a, b) => a.y - b.y),
    };
  });
  return {
    geometry,
    width: geometry.left + (columns.length - 1) * geometry.column + geometry.picture + 24,
    height: geometry.top + Math.round(below - above) + geometry.row,
    root: rootAt,
    columns,
    edges,
  };
}
