// The candidates of a search as HTML: a drawing with edges for searches of several rounds, a wall of pictures for one round.

import { formatScore } from '../core/format.js';
import type { GenerateResult } from '../run/result.js';
import { fatesById, keptOf } from '../run/standings.js';
import type { Candidate } from '../search/contract.js';
import { isRelative, type Standing } from '../verifiers/jury.js';
import type { Html } from './html.js';
import { html } from './html.js';
import type { Illustrated } from './pictures.js';
import {
  type Column,
  layOutTree,
  lineageOf,
  type PlacedEdge,
  type PlacedNode,
  placeIn,
  placesOf,
  roundsOf,
} from './tree-layout.js';
import {
  briefScores,
  describeAmong,
  describeJudged,
  describeRule,
  describeScores,
  isJoined,
  shortStanding,
} from './words.js';

/** Pictures in a tree are at most this many pixels wide: a page may hold hundreds of them. */
export const TREE_PICTURE = 160;

type Placed = Pick<PlacedNode, 'candidate' | 'place' | 'lineage'> & {
  /** Candidates of its round. */
  readonly count: number;
};

/** A search with what is asked of every candidate looked up once. */
interface Drawn {
  readonly result: Illustrated<GenerateResult>;
  readonly several: boolean;
  readonly kept: ReadonlySet<number>;
  /** What elections compared; nothing for the candidates of a round that was not elected. */
  readonly standingOf: (candidate: Candidate) => Standing | undefined;
}

function drawnOf(result: Illustrated<GenerateResult>): Drawn {
  const fates = fatesById(result.fates);
  return {
    result,
    several: roundsOf(result.candidates).length > 1,
    kept: keptOf(result),
    standingOf: ({ id }) => fates.get(id)?.standing,
  };
}

function fateOf({ candidate, place, lineage }: Placed, { result, kept }: Drawn): string {
  if (candidate.id === result.winner.id) return 'the result';
  if (lineage) return "kept, on the result's path";
  if (place === null) return 'not decided yet';
  return kept.has(candidate.id) ? 'kept' : 'not kept';
}

/** What stands below a picture: what its election compared. */
function captionOf(candidate: Candidate, { result, standingOf }: Drawn): string {
  const standing = standingOf(candidate);
  if (standing) return shortStanding(standing);
  return isJoined(result.options.jury) ? '\u2013' : briefScores(candidate);
}

function factsOf(placed: Placed, drawn: Drawn): Html {
  const { candidate, place, count } = placed;
  const { result, several, standingOf } = drawn;
  const { jury } = result.options;
  const { unit, steps } = result.schedule;
  const { beam, number } = placeIn(candidate);
  const label = steps[candidate.step - 1]?.label;
  const judged = describeJudged(candidate, result.schedule);
  const standing = isJoined(jury) && standingOf(candidate);
  const own = Object.entries(candidate.scores).map(
    ([name, score]) => [isJoined(jury) ? name : 'score', formatScore(score, 6)] as const,
  );
  const facts: (readonly [string, string] | null)[] = [
    standing ? [describeRule(jury), `${shortStanding(standing)} ${describeAmong(standing)}`.trimEnd()] : null,
    ...own,
    place === null ? null : ['place', `${place} of ${count}`],
    several ? [unit, `${candidate.step}${label === undefined ? '' : ` (${label})`}`] : null,
    several ? ['beam', String(beam + 1)] : null,
    ['candidate', String(number + 1)],
    ['fate', fateOf(placed, drawn)],
    judged === 'picture' ? null : ['judged by', `a ${judged} of ${candidate.judgedAt} ${unit}s`],
    candidate.sameAs === undefined ? null : ['rollout', 'carried over from the round before'],
    ['id', String(candidate.id)],
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

function altOf(placed: Placed, drawn: Drawn): string {
  const { candidate } = placed;
  const { options, schedule } = drawn.result;
  const { beam, number } = placeIn(candidate);
  const where = drawn.several ? ` of ${schedule.unit} ${candidate.step}, beam ${beam + 1}` : '';
  const scores = isJoined(options.jury) ? describeScores(candidate) : `score ${briefScores(candidate)}`;
  return `Candidate ${number + 1}${where}: ${scores}, ${fateOf(placed, drawn)}`;
}

/** The small picture of a candidate, or of the one whose rollout it took over. */
function pictureView(placed: Placed, drawn: Drawn): Html {
  const { id, sameAs = id, judgedAt } = placed.candidate;
  const { pictures, schedule } = drawn.result;
  const picture = pictures.thumbnails.get(sameAs);
  if (!picture) throw new RangeError(`the result has no picture of candidate ${sameAs}`);
  const whole = schedule.steps[judgedAt - 1]?.readout.width ?? picture.width;
  return html`<img
    class="${whole <= TREE_PICTURE ? 'pixels' : ''}"
    src="${drawn.result.urlOf(picture)}"
    alt="${altOf(placed, drawn)}"
    width="64"
    height="64"
  />`;
}

function nodeView(placed: Placed, drawn: Drawn, style: string | null): Html {
  const { candidate, place, lineage } = placed;
  const { id, parent, sameAs } = candidate;
  const winner = id === drawn.result.winner.id;
  const classes = [
    'node',
    (drawn.kept.has(id) || lineage) && 'kept',
    lineage && 'lineage',
    winner && 'winner',
    sameAs !== undefined && 'inherited',
  ];
  return html`<li
    class="${classes.filter(Boolean).join(' ')}"
    id="n${id}"
    data-id="${id}"
    data-parent="${parent}"
    ${place === null ? null : html` data-place="${place}"`}
    ${style === null ? null : html` style="${style}"`}
  >
    <button type="button">
      ${pictureView(placed, drawn)}<span aria-hidden="true">${captionOf(candidate, drawn)}</span></button
    >${factsOf(placed, drawn)}
  </li>`;
}

function edgeView({ from, to, child }: PlacedEdge, { kept }: Drawn): Html {
  const bend = Math.round((to.x - from.x) * 0.5);
  const path = `M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
  const { id } = child.candidate;
  return html`<path
    id="e${id}"
    class="${child.lineage ? 'lineage' : kept.has(id) ? 'kept' : ''}"
    d="${path}"
  />`;
}

/** A word at the beginning of a title. */
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function columnView({ step, x, nodes: placed }: Column, drawn: Drawn): Html {
  const { unit, steps } = drawn.result.schedule;
  const nodes = placed.map((node) =>
    nodeView({ ...node, count: placed.length }, drawn, `left:${node.x}px;top:${node.y}px`),
  );
  return html`<h3 style="left:${x}px">${capital(unit)} ${step}<small>${steps[step - 1]?.label}</small></h3>
    <ol aria-label="Candidates of ${unit} ${step}">
      ${nodes}
    </ol> `;
}

function drawing(drawn: Drawn): Html {
  const { result, kept } = drawn;
  const { unit } = result.schedule;
  const { width, height, root, columns, edges } = layOutTree(result);
  // Later paths lie on top: what was kept shows above what was not.
  const weight = ({ child }: PlacedEdge): number =>
    child.lineage ? 2 : kept.has(child.candidate.id) ? 1 : 0;
  const ordered = [...edges].sort((a, b) => weight(a) - weight(b));
  return html`<div
    class="scroller"
    tabindex="0"
    role="region"
    aria-label="Search tree, first ${unit}s left, last ${unit}s right"
  >
    <div class="canvas" style="width:${width}px;height:${height}px">
      <svg class="edges" width="${width}" height="${height}" aria-hidden="true">
        ${ordered.map((edge) => edgeView(edge, drawn))}
      </svg>
      <span class="root" style="left:${root.x}px;top:${root.y}px" title="the prompt"></span>
      ${columns.map((column) => columnView(column, drawn))}
    </div>
  </div>`;
}

function wall(drawn: Drawn): Html {
  const { result } = drawn;
  const { candidates, winner } = result;
  const [lineage, places] = [lineageOf(candidates, winner), placesOf(result)];
  const views = candidates.map((candidate) => {
    const placed = {
      candidate,
      place: places.get(candidate.id) ?? null,
      lineage: lineage.has(candidate.id),
      count: candidates.length,
    };
    return nodeView(placed, drawn, null);
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

function keyView({ candidates, schedule }: GenerateResult): Html {
  const inherited = candidates.some(({ sameAs }) => sameAs !== undefined);
  return html`<ul class="key">
    <li class="tone-winner"><i></i><span>the result and the way to it</span></li>
    <li class="tone-kept"><i></i><span>kept for the next ${schedule.unit}</span></li>
    <li class="tone-pruned"><i></i><span>pruned</span></li>
    ${inherited ? html`<li><span>dashed: taken over from the round before, at no cost</span></li>` : null}
  </ul>`;
}

/** What the pictures of a tree are. */
function leadOf({ candidates, schedule }: GenerateResult): string {
  const [first] = candidates;
  switch (first ? describeJudged(first, schedule) : 'picture') {
    case 'picture':
      return 'Every candidate was completed to a whole picture and scored; what you see is that completion.';
    case 'preview':
      return (
        `Every candidate was completed to a preview of ${first?.judgedAt} ${schedule.unit}s and scored, which is what you see; ` +
        'the best one was completed to a whole picture and scored once more. The scores of the two do not compare.'
      );
    case 'partial picture':
      return (
        'Every candidate was scored as far as it had come, which is what you see. ' +
        `Scores of different ${schedule.unit}s do not compare.`
      );
  }
}

/** The section of a report that shows every candidate of a search. */
export function treeSection(result: Illustrated<GenerateResult>): Html {
  const drawn = drawnOf(result);
  const { several } = drawn;
  const { jury } = result.options;
  const lead = several
    ? `${leadOf(result)} Each round fixes one more ${result.schedule.unit}.`
    : 'Independent pictures, in the order in which they were made.';
  const relative = isRelative(jury)
    ? ` The number below a picture is its ${describeRule(jury)} among those of its round alone.`
    : '';
  return html`<section aria-labelledby="tree-title">
    <h2 id="tree-title">${several ? 'Search tree' : 'All pictures'}</h2>
    <p class="lead">${lead}${relative} Choose a picture for its details.</p>
    ${several ? drawing(drawn) : wall(drawn)} ${several ? keyView(result) : null} ${DIALOG}
  </section>`;
}
