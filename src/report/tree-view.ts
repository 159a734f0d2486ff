// The search tree as HTML: a drawing with edges for searches of several rounds, a wall of pictures for one round.

import { formatScore } from '../core/format.js';
import type { Scale } from '../models/contract.js';
import type { GenerateResult } from '../run/result.js';
import { isRelativeSearch } from '../run/standings.js';
import type { TreeNode } from '../search/tree.js';
import type { Html } from './html.js';
import { html } from './html.js';
import { dataUrl } from './pictures.js';
import type { Column, PlacedEdge, PlacedNode } from './tree-layout.js';
import { layOutTree, lineageOf, roundsOf } from './tree-layout.js';
import { describeRule, describeScale, describeScores, shortScore } from './words.js';

/** Pictures in a tree are at most this many pixels wide: a page may hold hundreds of them. */
const TREE_PICTURE = 160;

type Placed = Pick<PlacedNode, 'node' | 'rank' | 'lineage'> & { readonly count: number };

function fateOf(node: TreeNode, winner: TreeNode, lineage: boolean): string {
  if (node.id === winner.id) return 'the result';
  if (lineage) return "kept, on the result's path";
  return node.kept ? 'kept' : 'not kept';
}

function factsOf({ node, rank, count, lineage }: Placed, result: GenerateResult): Html {
  const several = roundsOf(result.tree).length > 1;
  const scale = result.scales[node.scale - 1];
  const { ensemble } = result.options;
  const own = Object.entries(node.scores).map(([name, score]) => [name, formatScore(score, 6)] as const);
  const facts: (readonly [string, string] | null)[] = [
    ...(ensemble
      ? [[describeRule(ensemble), shortScore(node.score, ensemble)] as const, ...own]
      : [['score', formatScore(node.score, 6)] as const]),
    ['rank', `${rank} of ${count}`],
    several ? ['scale', `${node.scale}${scale ? ` (${describeScale(scale)} tokens)` : ''}`] : null,
    several ? ['beam', String(node.beam + 1)] : null,
    ['candidate', String(node.candidate + 1)],
    ['fate', fateOf(node, result.winner, lineage)],
    node.inherited ? ['rollout', 'carried over from the round before'] : null,
    ['id', String(node.id)],
  ];
  return html`<dl class="facts" hidden>
    ${facts.map(
      (fact) =>
        fact &&
        html`<dt>${fact[0]}</dt>
          <dd>${fact[1]}</dd>`,
    )}
  </dl>`;
}

function altOf(node: TreeNode, fate: string, { tree, options }: GenerateResult): string {
  const place = roundsOf(tree).length > 1 ? ` of scale ${node.scale}, beam ${node.beam + 1}` : '';
  const score = options.ensemble ? describeScores(node) : `score ${formatScore(node.score)}`;
  return `Candidate ${node.candidate + 1}${place}: ${score}, ${fate}`;
}

function nodeView(placed: Placed, result: GenerateResult, style: string | null): Html {
  const { node, lineage } = placed;
  const winner = node.id === result.winner.id;
  const classes = [
    'node',
    (node.kept || winner) && 'kept',
    lineage && 'lineage',
    winner && 'winner',
    node.inherited && 'inherited',
  ];
  const alt = altOf(node, fateOf(node, result.winner, lineage), result);
  const pixels = node.image.width <= TREE_PICTURE ? 'pixels' : '';
  return html`<li
    class="${classes.filter(Boolean).join(' ')}"
    id="n${node.id}"
    data-id="${node.id}"
    data-parent="${node.parent}"
    data-score="${node.score}"
    ${style === null ? null : html` style="${style}"`}
  >
    <button type="button">
      <img
        class="${pixels}"
        src="${dataUrl(node.image, TREE_PICTURE)}"
        alt="${alt}"
        width="64"
        height="64"
      /><span aria-hidden="true">${shortScore(node.score, result.options.ensemble)}</span></button
    >${factsOf(placed, result)}
  </li>`;
}

function edgeView({ from, to, child }: PlacedEdge): Html {
  const bend = Math.round((to.x - from.x) * 0.5);
  const path = `M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
  return html`<path
    id="e${child.node.id}"
    class="${child.lineage ? 'lineage' : child.node.kept ? 'kept' : ''}"
    d="${path}"
  />`;
}

function columnView(column: Column, scale: Scale | undefined, result: GenerateResult): Html {
  const { length } = column.nodes;
  const nodes = column.nodes.map((placed) =>
    nodeView({ ...placed, count: length }, result, `left:${placed.x}px;top:${placed.y}px`),
  );
  return html`<h3 style="left:${column.x}px">
      Scale ${column.scale}<small>${scale ? describeScale(scale) : ''}</small>
    </h3>
    <ol aria-label="Candidates of scale ${column.scale}">
      ${nodes}
    </ol> `;
}

function drawing(result: GenerateResult): Html {
  const { width, height, root, columns, edges } = layOutTree(result.tree, result.winner);
  // Later paths lie on top: what was kept shows above what was not.
  const weight = (edge: PlacedEdge): number => (edge.child.lineage ? 2 : edge.child.node.kept ? 1 : 0);
  const ordered = [...edges].sort((a, b) => weight(a) - weight(b));
  return html`<div
    class="scroller"
    tabindex="0"
    role="region"
    aria-label="Search tree, coarse scales left, fine scales right"
  >
    <div class="canvas" style="width:${width}px;height:${height}px">
      <svg class="edges" width="${width}" height="${height}" aria-hidden="true">${ordered.map(edgeView)}</svg>
      <span class="root" style="left:${root.x}px;top:${root.y}px" title="the prompt"></span>
      ${columns.map((column) => columnView(column, result.scales[column.scale - 1], result))}
    </div>
  </div>`;
}

function wall(nodes: readonly TreeNode[], result: GenerateResult): Html {
  const lineage = lineageOf(result.tree, result.winner);
  const ranking = [...nodes].sort((a, b) => b.score - a.score || a.id - b.id);
  const views = nodes.map((node) => {
    const placed = {
      node,
      rank: ranking.indexOf(node) + 1,
      lineage: lineage.has(node.id),
      count: nodes.length,
    };
    return nodeView(placed, result, null);
  });
  return html`<ol class="wall" aria-label="All pictures in the order in which they were made">
    ${views}
  </ol>`;
}

const DIALOG = html`<dialog aria-label="Details of a candidate">
  <form method="dialog"><button>Close</button></form>
  <div class="detail">
    <img alt="" />
    <div>
      <h3>Candidate</h3>
      <dl class="facts"></dl>
      <div class="moves">
        <button type="button" data-move="parent">← parent</button
        ><button type="button" data-move="child">best child →</button>
      </div>
      <div class="moves">
        <button type="button" data-move="previous">↑ previous</button
        ><button type="button" data-move="next">next ↓</button>
      </div>
    </div>
  </div>
</dialog>`;

function keyView(result: GenerateResult): Html {
  const inherited = result.tree.nodes.some((node) => node.inherited);
  return html`<ul class="key">
    <li class="tone-winner"><i></i><span>the result and the way to it</span></li>
    <li class="tone-kept"><i></i><span>kept for the next scale</span></li>
    <li class="tone-pruned"><i></i><span>pruned</span></li>
    ${inherited ? html`<li><span>dashed: taken over from the round before, at no cost</span></li>` : null}
  </ul>`;
}

/** The section of a report that shows every candidate of a search. */
export function treeSection(result: GenerateResult): Html {
  const rounds = roundsOf(result.tree);
  const [first = []] = rounds;
  const several = rounds.length > 1;
  const lead = several
    ? 'Every candidate was completed to a whole picture and scored; what you see is that completion. Each round fixes one more scale.'
    : 'Independent pictures, in the order in which they were made.';
  const relative = isRelativeSearch(result.options)
    ? ' The number below a picture compares it with the others of its round alone.'
    : '';
  return html`<section aria-labelledby="tree-title">
    <h2 id="tree-title">${several ? 'Search tree' : 'All pictures'}</h2>
    <p class="lead">${lead}${relative} Choose a picture for its details.</p>
    ${several ? drawing(result) : wall(first, result)} ${several ? keyView(result) : null} ${DIALOG}
  </section>`;
}
