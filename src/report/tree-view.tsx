// The candidates of a search: a drawing with edges for searches of several rounds, a wall of pictures for one round.

import { curveBumpX, line } from 'd3-shape';
import type { VNode } from 'preact';

import { formatPercent, formatScore } from '../core/format.js';
import type { GenerateResult } from '../run/result.js';
import { fatesById, keptOf } from '../run/standings.js';
import type { Candidate, Fate } from '../search/contract.js';
import { isRelative } from '../verifiers/jury.js';
import { Key } from './components/chart.js';
import { type FactList, Facts, Section } from './components/parts.js';
import type { Illustrated } from './pictures.js';
import {
  type Column,
  layOutTree,
  lineageOf,
  type PlacedEdge,
  type PlacedNode,
  placeIn,
  placesOf,
  type Point,
  roundsOf,
  type TreeLayout,
  type TreeView,
  VIEWS,
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

/** With more candidates than this a drawing begins with those that were kept, and its pictures are smaller. */
const MANY = 150;

/** Pictures in a tree are at most this many pixels wide: a page may hold hundreds of them. */
const TREE_PICTURE = { few: 160, many: 96 } as const;

/** How wide the pictures of a tree of so many candidates are at most. */
export function treePicture(candidates: number): number {
  return candidates > MANY ? TREE_PICTURE.many : TREE_PICTURE.few;
}

type Placed = Pick<PlacedNode, 'candidate' | 'place' | 'lineage'>;

/** A search with what is asked of every candidate looked up once. */
interface Drawn {
  readonly result: Illustrated<GenerateResult>;
  readonly several: boolean;
  readonly kept: ReadonlySet<number>;
  /** What became of a candidate; nothing for those of a round that was not elected. */
  readonly fateOf: (candidate: Candidate) => Fate | undefined;
  /** The candidates of a candidate's round, and how many of them were kept. */
  readonly roundOf: (candidate: Candidate) => { readonly count: number; readonly kept: number };
}

function drawnOf(result: Illustrated<GenerateResult>): Drawn {
  const fates = fatesById(result.fates);
  const rounds = roundsOf(result.candidates);
  const kept = keptOf(result);
  const sizes = new Map(
    rounds.flatMap((round) => {
      const size = { count: round.length, kept: round.filter(({ id }) => kept.has(id)).length };
      return round.map(({ id }) => [id, size] as const);
    }),
  );
  return {
    result,
    several: rounds.length > 1,
    kept,
    fateOf: ({ id }) => fates.get(id),
    roundOf: ({ id }) => sizes.get(id) ?? { count: 0, kept: 0 },
  };
}

/** What became of a candidate, and why. */
function describeFate(
  { candidate, place, lineage }: Placed,
  { result, kept, fateOf, roundOf }: Drawn,
): string {
  const { count, kept: survivors } = roundOf(candidate);
  if (candidate.id === result.winner.id) return 'the result';
  if (place === null) return lineage ? "kept, on the result's path" : 'not decided yet';
  const { copies = 0, weight } = fateOf(candidate) ?? {};
  const of = `place ${place} of ${count}`;
  if (!kept.has(candidate.id)) {
    return weight === undefined
      ? `not kept: ${of}, of which ${survivors} went on`
      : `not kept: it was not drawn, with ${formatPercent(weight)} of the weight`;
  }
  const path = lineage ? ", on the result's path" : '';
  const times = copies > 1 ? `, ${copies} times` : '';
  return weight === undefined
    ? `kept${path}: ${of}, of which ${survivors} went on${times}`
    : `kept${path}: drawn by its weight of ${formatPercent(weight)}${times}`;
}

/** What stands below a picture: what its election compared. */
function captionOf(candidate: Candidate, { result, fateOf }: Drawn): string {
  const standing = fateOf(candidate)?.standing;
  if (standing) return shortStanding(standing);
  return isJoined(result.options.jury) ? '\u2013' : briefScores(candidate);
}

function factsOf(placed: Placed, drawn: Drawn): FactList {
  const { candidate, place } = placed;
  const { result, several, fateOf, roundOf } = drawn;
  const { jury } = result.options;
  const { unit, steps } = result.schedule;
  const { beam, number } = placeIn(candidate);
  const label = steps[candidate.step - 1]?.label;
  const judged = describeJudged(candidate, result.schedule);
  const standing = isJoined(jury) ? fateOf(candidate)?.standing : undefined;
  const own = Object.entries(candidate.scores).map(
    ([name, score]) => [isJoined(jury) ? name : 'score', formatScore(score, 6)] as const,
  );
  const facts: readonly (readonly [string, string] | null)[] = [
    standing ? [describeRule(jury), `${shortStanding(standing)} ${describeAmong(standing)}`.trimEnd()] : null,
    ...own,
    place === null ? null : ['place', `${place} of ${roundOf(candidate).count}`],
    several ? [unit, `${candidate.step}${label === undefined ? '' : ` (${label})`}`] : null,
    several ? ['beam', String(beam + 1)] : null,
    ['candidate', String(number + 1)],
    ['fate', describeFate(placed, drawn)],
    judged === 'picture' ? null : ['judged by', `a ${judged} of ${candidate.judgedAt} ${unit}s`],
    candidate.sameAs === undefined ? null : ['rollout', 'carried over from the round before'],
    ['id', String(candidate.id)],
  ];
  return facts.flatMap((fact) => (fact ? [fact] : []));
}

function altOf(placed: Placed, drawn: Drawn): string {
  const { candidate } = placed;
  const { options, schedule } = drawn.result;
  const { beam, number } = placeIn(candidate);
  const where = drawn.several ? ` of ${schedule.unit} ${candidate.step}, beam ${beam + 1}` : '';
  const scores = isJoined(options.jury) ? describeScores(candidate) : `score ${briefScores(candidate)}`;
  return `Candidate ${number + 1}${where}: ${scores}, ${describeFate(placed, drawn)}`;
}

interface NodeProps {
  readonly placed: Placed;
  readonly drawn: Drawn;
  readonly side: number;
  readonly style?: string;
  /** Where it stands in the views that show it beside the first. */
  readonly tops?: Partial<Record<TreeView, number>>;
}

/** The small picture of a candidate, or of the one whose rollout it took over. */
function Picture({ placed, drawn, side }: NodeProps): VNode {
  const { id, sameAs = id, judgedAt } = placed.candidate;
  const { pictures, schedule } = drawn.result;
  const picture = pictures.thumbnails.get(sameAs);
  if (!picture) throw new RangeError(`the result has no picture of candidate ${sameAs}`);
  const whole = schedule.steps[judgedAt - 1]?.readout.width ?? picture.width;
  return (
    <img
      class={whole <= TREE_PICTURE.few ? 'pixels' : undefined}
      src={drawn.result.urlOf(picture)}
      alt={altOf(placed, drawn)}
      width={side}
      height={side}
    />
  );
}

function Node(props: NodeProps): VNode {
  const { placed, drawn, style, tops = {} } = props;
  const { candidate, place, lineage } = placed;
  const { id, parent, sameAs } = candidate;
  const kept = drawn.kept.has(id) || lineage;
  const classes = [
    'node',
    kept && 'kept',
    lineage && 'lineage',
    id === drawn.result.winner.id && 'winner',
    sameAs !== undefined && 'inherited',
  ];
  const rank = place === null ? '' : `${place}/${drawn.roundOf(candidate).count}`;
  return (
    <li
      class={classes.filter(Boolean).join(' ')}
      id={`n${id}`}
      data-id={id}
      data-parent={parent}
      data-place={place ?? undefined}
      data-kept={tops.kept}
      data-path={tops.path}
      style={style}
    >
      <button type="button">
        <Picture {...props} />
        <span aria-hidden="true">
          {captionOf(candidate, drawn)}
          <small>{drawn.several && kept ? `${rank} kept` : rank}</small>
        </span>
      </button>
      <Facts items={factsOf(placed, drawn)} hidden />
    </li>
  );
}

/** A curve through the points of an edge: bent between rounds, straight through those that it passes. */
const curveOf = line<Point>()
  .x(({ x }) => x)
  .y(({ y }) => y)
  .curve(curveBumpX)
  .digits(0);

/** A word at the beginning of a title. */
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

type Layouts = Readonly<Record<TreeView, TreeLayout>>;

/** Places of candidates, and curves to them, in one view. */
interface Looked {
  readonly tops: ReadonlyMap<number, number>;
  readonly curves: ReadonlyMap<number, string>;
}

function lookUp({ columns, edges }: TreeLayout): Looked {
  return {
    tops: new Map(columns.flatMap(({ nodes }) => nodes.map((node) => [node.candidate.id, node.y] as const))),
    curves: new Map(edges.map((edge) => [edge.child.candidate.id, curveOf([...edge.points]) ?? ''] as const)),
  };
}

interface DrawingParts {
  readonly drawn: Drawn;
  readonly side: number;
  readonly views: Readonly<Record<TreeView, Looked>>;
}

function ColumnView({
  column: { step, x, nodes },
  parts,
}: {
  readonly column: Column;
  readonly parts: DrawingParts;
}): VNode {
  const { drawn, side, views } = parts;
  const { unit, steps } = drawn.result.schedule;
  return (
    <>
      <h3 style={`left:${x}px;width:${side}px`}>
        {`${capital(unit)} ${step}`}
        <small>{steps[step - 1]?.label}</small>
      </h3>
      <ol aria-label={`Candidates of ${unit} ${step}`}>
        {nodes.map((placed) => {
          const { id } = placed.candidate;
          const tops = { kept: views.kept.tops.get(id), path: views.path.tops.get(id) };
          const given = Object.fromEntries(Object.entries(tops).filter(([, top]) => top !== undefined));
          return <Node {...{ placed, drawn, side }} style={`left:${x}px;top:${placed.y}px`} tops={given} />;
        })}
      </ol>
    </>
  );
}

function Edges({ layout, parts }: { readonly layout: TreeLayout; readonly parts: DrawingParts }): VNode {
  const { drawn, views } = parts;
  // Later paths lie on top: what was kept shows above what was not.
  const weight = ({ child }: PlacedEdge): number =>
    child.lineage ? 2 : drawn.kept.has(child.candidate.id) ? 1 : 0;
  return (
    <svg class="edges" width={layout.width} height={layout.height} aria-hidden="true">
      {layout.edges
        .toSorted((a, b) => weight(a) - weight(b))
        .map((edge) => {
          const { id } = edge.child.candidate;
          return (
            <path
              id={`e${id}`}
              class={['', 'kept', 'lineage'][weight(edge)]}
              d={views.all.curves.get(id)}
              data-kept={views.kept.curves.get(id)}
              data-path={views.path.curves.get(id)}
            />
          );
        })}
    </svg>
  );
}

/** Buttons that the page's script shows and gives their work. */
function Choices({ label, items }: { readonly label: string; readonly items: readonly ChoiceItem[] }): VNode {
  return (
    <div class="choices" role="group" aria-label={label} hidden>
      {items.map(({ text, pressed = false, ...data }) => (
        <button type="button" aria-pressed={pressed ? 'true' : 'false'} {...data}>
          {text}
        </button>
      ))}
    </div>
  );
}

interface ChoiceItem {
  readonly text: string;
  readonly pressed?: boolean;
  readonly 'data-view'?: TreeView;
  readonly 'data-order'?: 'id' | 'place';
}

function Drawing({ drawn }: { readonly drawn: Drawn }): VNode {
  const { result } = drawn;
  const { unit } = result.schedule;
  const layouts: Layouts = {
    all: layOutTree(result),
    kept: layOutTree(result, 'kept'),
    path: layOutTree(result, 'path'),
  };
  const { all } = layouts;
  const views = { all: lookUp(all), kept: lookUp(layouts.kept), path: lookUp(layouts.path) };
  const parts = { drawn, side: all.geometry.picture, views };
  const counts = VIEWS.map((view) => views[view].tops.size);
  const names = ['all', 'kept', 'the way to the result'];
  const first: TreeView = result.candidates.length > MANY ? 'kept' : 'all';
  const data = Object.fromEntries(
    VIEWS.flatMap((view) => [
      [`data-${view}`, layouts[view].height],
      [`data-root-${view}`, layouts[view].root.y],
    ]),
  );
  return (
    <>
      <Choices
        label="What the tree shows"
        items={VIEWS.map((view, i) => ({
          text: `${names[i] ?? view} (${counts[i] ?? 0})`,
          'data-view': view,
          pressed: view === first,
        }))}
      />
      <div
        class="scroller"
        tabIndex={0}
        role="region"
        aria-label={`Search tree, first ${unit}s left, last ${unit}s right`}
      >
        <div
          class={all.geometry.picture < 64 ? 'canvas dense' : 'canvas'}
          style={`width:${all.width}px;height:${all.height}px`}
          {...data}
        >
          <Edges layout={all} parts={parts} />
          <span class="root" style={`left:${all.root.x}px;top:${all.root.y}px`} title="the prompt" />
          {all.columns.map((column) => (
            <ColumnView {...{ column, parts }} />
          ))}
        </div>
      </div>
    </>
  );
}

function Wall({ drawn }: { readonly drawn: Drawn }): VNode {
  const { result } = drawn;
  const { candidates, winner } = result;
  const [lineage, places] = [lineageOf(candidates, winner), placesOf(result)];
  return (
    <>
      {candidates.length > 1 && (
        <Choices
          label="Order of the pictures"
          items={[
            { text: 'as they were drawn', 'data-order': 'id', pressed: true },
            { text: 'best first', 'data-order': 'place' },
          ]}
        />
      )}
      <ol class="wall" aria-label="All pictures">
        {candidates.map((candidate) => (
          <Node
            drawn={drawn}
            side={64}
            placed={{
              candidate,
              place: places.get(candidate.id) ?? null,
              lineage: lineage.has(candidate.id),
            }}
          />
        ))}
      </ol>
    </>
  );
}

const MOVES = [
  [
    ['parent', '← parent'],
    ['child', 'best child →'],
  ],
  [
    ['previous', '↑ previous'],
    ['next', 'next ↓'],
  ],
] as const;

function Details(): VNode {
  return (
    <dialog aria-label="Details of a candidate">
      <form method="dialog">
        <button>Close</button>
      </form>
      <div class="detail">
        <img alt="" />
        <div>
          <h3>Candidate</h3>
          <dl class="facts" />
          {MOVES.map((row) => (
            <div class="moves">
              {row.map(([move, text]) => (
                <button type="button" data-move={move}>
                  {text}
                </button>
              ))}
            </div>
          ))}
        </div>
      </div>
    </dialog>
  );
}

function TreeKey({ candidates, schedule }: Pick<GenerateResult, 'candidates' | 'schedule'>): VNode {
  const inherited = candidates.some(({ sameAs }) => sameAs !== undefined);
  return (
    <Key
      items={[
        { tone: 'tone-winner', words: 'the result and the way to it' },
        { tone: 'tone-kept', words: `kept for the next ${schedule.unit}` },
        { words: 'no frame: pruned' },
        ...(inherited ? [{ words: 'dashed: taken over from the round before, at no cost' }] : []),
        { words: 'below a picture: its score, and its place in its round' },
      ]}
    />
  );
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
export function TreeSection({ result }: { readonly result: Illustrated<GenerateResult> }): VNode {
  const drawn = drawnOf(result);
  const { several } = drawn;
  const { jury } = result.options;
  const lead = several
    ? `${leadOf(result)} Each round fixes one more ${result.schedule.unit}.`
    : 'Independent pictures, in the order in which they were made.';
  const relative = isRelative(jury)
    ? ` The number below a picture is its ${describeRule(jury)} among those of its round alone.`
    : '';
  return (
    <Section
      id="tree"
      title={several ? 'Search tree' : 'All pictures'}
      lead={`${lead}${relative} Choose a picture for its details.`}
    >
      {several ? <Drawing drawn={drawn} /> : <Wall drawn={drawn} />}
      {several && <TreeKey {...result} />}
      <Details />
    </Section>
  );
}
