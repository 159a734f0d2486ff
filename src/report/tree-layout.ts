// Where every candidate of a search stands in the drawing: one column a round, one row a candidate, grouped by the beam
// that it came from; and the edges between them. Plain data, no HTML.

import type { GenerateResult } from '../run/result.js';
import type { Candidate } from '../search/contract.js';

/** Measures of the drawing in CSS pixels. */
export const GEOMETRY = { picture: 64, row: 90, column: 158, gap: 12, top: 56, left: 76 } as const;

/** What a drawing is made of. */
export type Tree = Pick<GenerateResult, 'candidates' | 'fates' | 'winner'>;

/** A candidate with its place in the drawing: `x`, `y` are the picture's upper left corner. */
export interface PlacedNode {
  readonly candidate: Candidate;
  readonly x: number;
  readonly y: number;
  /** 1 for the best of its round; null where the round was not elected. */
  readonly place: number | null;
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
  /** How many steps they fix. */
  readonly step: number;
  readonly x: number;
  readonly nodes: readonly PlacedNode[];
}

/** The drawing of a whole search. */
export interface TreeLayout {
  readonly width: number;
  readonly height: number;
  readonly root: { readonly x: number; readonly y: number };
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

interface Looks {
  readonly places: ReadonlyMap<number, number>;
  readonly lineage: ReadonlySet<number>;
}

function placeColumn(round: readonly Candidate[], index: number, { places, lineage }: Looks): Column {
  const x = GEOMETRY.left + index * GEOMETRY.column;
  let y = GEOMETRY.top;
  let before: number | undefined;
  const nodes = round
    .map((candidate) => ({ candidate, ...placeIn(candidate) }))
    .sort((a, b) => a.beam - b.beam || a.number - b.number || a.candidate.id - b.candidate.id)
    .map(({ candidate, beam }): PlacedNode => {
      if (before !== undefined && beam !== before) y += GEOMETRY.gap;
      before = beam;
      const { id } = candidate;
      const node = { candidate, x, y, place: places.get(id) ?? null, lineage: lineage.has(id) };
      y += GEOMETRY.row;
      return node;
    });
  return { step: round[0]?.step ?? 0, x, nodes };
}

/** Moves a column down so that it stands in the middle of the drawing. */
function centre(column: Column, height: number): Column {
  const last = column.nodes.at(-1);
  const bottom = last ? last.y + GEOMETRY.row : 0;
  const shift = Math.round((height - bottom) / 2);
  return { ...column, nodes: column.nodes.map((node) => ({ ...node, y: node.y + shift })) };
}

/** Lays out a search of several rounds. */
export function layOutTree(tree: Tree): TreeLayout {
  const looks = { places: placesOf(tree), lineage: lineageOf(tree.candidates, tree.winner) };
  const loose = roundsOf(tree.candidates).map((round, index) => placeColumn(round, index, looks));
  const height = Math.max(0, ...loose.map((column) => (column.nodes.at(-1)?.y ?? 0) + GEOMETRY.row));
  const columns = loose.map((column) => centre(column, height));
  const half = GEOMETRY.picture / 2;
  const root = { x: GEOMETRY.left - 52, y: Math.round((GEOMETRY.top + height - GEOMETRY.row) / 2 + half) };
  const placed = new Map(
    columns.flatMap(({ nodes }) => nodes.map((each) => [each.candidate.id, each] as const)),
  );
  const edges = [...placed.values()].map((child): PlacedEdge => {
    const parent = placed.get(child.candidate.parent);
    const from = parent ? { x: parent.x + GEOMETRY.picture, y: parent.y + half } : root;
    return { from, to: { x: child.x, y: child.y + half }, child };
  });
  const width = GEOMETRY.left + (columns.length - 1) * GEOMETRY.column + GEOMETRY.picture + 24;
  return { width, height, root, columns, edges };
}
