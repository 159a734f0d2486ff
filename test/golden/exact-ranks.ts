// Whether a search by ranks elected what sums of ranks elect that are exact: mean ranks rounded on the way may differ in the
// last bit where they are equal, and an election by such a bit is nobody's to reproduce.

import type { Case } from './cases.js';
import type { CompareFacts, NodeFacts, SearchFacts } from './facts.js';
import { type Facts, searchesOf } from './run.js';

interface Rule {
  readonly verifiers: readonly string[];
  readonly weights: readonly number[];
}

/** What not every strategy takes. */
interface Sizes {
  readonly keepElected?: boolean;
  readonly result?: 'best' | 'last-round';
}

/** True for whatever is no search by ranks, too. */
export function isDecidedByRanks(golden: Case, facts: Facts): boolean {
  const { verifier, ensemble: by = 'rank', weights } = golden.open;
  const verifiers = typeof verifier === 'string' ? verifier.split(',') : [];
  if (verifiers.length < 2 || by !== 'rank') return true;
  const rule = { verifiers, weights: weights ?? verifiers.map(() => 1) };
  const { keepElected = false, result = 'best' } = (golden.generate ?? golden.compare) as Sizes;
  if ('best' in facts && !isBest(facts, rule, keepElected)) return false;
  return searchesOf(facts).every((search) => {
    const last = Math.max(...search.nodes.map(({ scale }) => scale));
    const from = places(search.nodes).filter(({ scale }) => result === 'best' || scale === last);
    const distinct = from.filter((node) => result !== 'best' || !isInherited(node, keepElected));
    return winnerOf(distinct, rule) === search.winner && electsExactly(search, rule, last);
  });
}

interface Place extends NodeFacts {
  readonly id: number;
}

const places = (nodes: readonly NodeFacts[]): Place[] => nodes.map((node, i) => ({ ...node, id: i + 1 }));

const isInherited = ({ parent, candidate }: NodeFacts, keepElected: boolean): boolean =>
  keepElected && parent > 0 && candidate === 0;

/** Twice the sum of weighted ranks, which is a whole number for whole weights: lower is better. */
function exactSums(nodes: readonly NodeFacts[], { verifiers, weights }: Rule): number[] {
  return nodes.map((node) =>
    verifiers.reduce((sum, name, i) => {
      const own = node.scores[name] ?? NaN;
      const scores = nodes.map(({ scores: theirs }) => theirs[name] ?? NaN);
      const above = scores.filter((score) => score > own).length;
      const equal = scores.filter((score) => score === own).length;
      return sum + (weights[i] ?? NaN) * (2 * above + equal + 1);
    }, 0),
  );
}

function ordered(nodes: readonly Place[], rule: Rule): number[] {
  const sums = exactSums(nodes, rule);
  return nodes
    .map(({ id }, i) => ({ id, sum: sums[i] ?? NaN }))
    .toSorted((a, b) => a.sum - b.sum || a.id - b.id)
    .map(({ id }) => id);
}

const winnerOf = (nodes: readonly Place[], rule: Rule): number | undefined => ordered(nodes, rule)[0];

/** Every round but the last: the next round's beams are the best of it, in their order. */
function electsExactly({ nodes }: SearchFacts, rule: Rule, last: number): boolean {
  const all = places(nodes);
  for (let scale = 1; scale < last; scale++) {
    const next = all.filter((node) => node.scale === scale + 1);
    const beams = [...new Map(next.map(({ beam, parent }) => [beam, parent]))];
    const round = all.filter((node) => node.scale === scale);
    const sums = exactSums(round, rule);
    const sorted = sums.toSorted((a, b) => a - b);
    const sumOf = (id: number): number | undefined => sums[round.findIndex((node) => node.id === id)];
    // Who goes first of equals is not for ranks to say.
    if (!beams.every(([beam, parent]) => parent === 0 || sumOf(parent) === sorted[beam])) return false;
  }
  return true;
}

/** A comparison: the first of its searches' winners in the company of all pictures. */
function isBest({ best, searches }: CompareFacts, rule: Rule, keepElected: boolean): boolean {
  const all = searches.flatMap(({ nodes }, search) => places(nodes).map((node) => ({ ...node, search })));
  const distinct = all.filter((node) => !isInherited(node, keepElected));
  const sums = exactSums(distinct, rule);
  const ofWinners = searches.map(
    ({ winner }, search) =>
      sums[distinct.findIndex((node) => node.search === search && node.id === winner)] ?? NaN,
  );
  return ofWinners.indexOf(Math.min(...ofWinners)) === best;
}
