// The charts of a search: every candidate's score as a dot, by what decides and by each verifier of an ensemble.

import { formatScore } from '../core/format.js';
import type { GenerateResult } from '../run/result.js';
import { memberNames, standingsOf } from '../run/standings.js';
import type { TreeNode } from '../search/tree.js';
import type { ChartPoint } from './chart.js';
import { chart } from './chart.js';
import type { Html } from './html.js';
import { html } from './html.js';
import { roundsOf } from './tree-layout.js';
import { describeAxis } from './words.js';

type Dot = ChartPoint & { readonly kept: boolean };

interface Dots {
  readonly dots: readonly Dot[];
  readonly means: readonly ChartPoint[];
  readonly running: readonly ChartPoint[];
}

/** Score against round, or against picture where there is one round only. */
function place(rounds: readonly (readonly TreeNode[])[], scoreOf: (node: TreeNode) => number): Dots {
  const several = rounds.length > 1;
  let best = -Infinity;
  const running: ChartPoint[] = [];
  const means: ChartPoint[] = [];
  const dots: Dot[] = [];
  rounds.forEach((nodes, round) => {
    nodes.forEach((node, i) => {
      // Candidates of a round stand side by side, so that dots of like scores do not hide each other.
      const offset = nodes.length > 1 ? (i / (nodes.length - 1) - 0.5) * 0.5 : 0;
      const x = several ? round + 1 + offset : i + 1;
      const y = scoreOf(node);
      dots.push({ x, y, title: `${node.id}: ${formatScore(y)}`, kept: node.kept });
      best = Math.max(best, y);
      if (!several) running.push({ x, y: best });
    });
    if (!several) return;
    running.push({ x: round + 1, y: best });
    means.push({ x: round + 1, y: nodes.reduce((sum, node) => sum + scoreOf(node), 0) / nodes.length });
  });
  return { dots, means, running };
}

interface View {
  readonly yLabel: string;
  readonly size: 'wide' | 'small';
  /** Draws how the best so far rises. */
  readonly rising: boolean;
  readonly scoreOf: (node: TreeNode) => number;
}

function draw(result: GenerateResult, { yLabel, size, rising, scoreOf }: View): Html {
  const rounds = roundsOf(result.tree);
  const several = rounds.length > 1;
  const { dots, means, running } = place(rounds, scoreOf);
  const ticks = rounds.map((nodes, round) => ({ at: round + 1, text: String(nodes[0]?.scale ?? round + 1) }));
  const from = formatScore(running[0]?.y ?? 0);
  const to = formatScore(running.at(-1)?.y ?? 0);
  return chart({
    summary: rising
      ? `Scores of all candidates; the best rises from ${from} to ${to}.`
      : `Scores of all candidates by ${yLabel}.`,
    xLabel: several ? 'scale' : 'picture',
    yLabel,
    size,
    ...(several ? { xTicks: ticks } : {}),
    series: [
      { name: 'pruned', tone: 'tone-pruned', kind: 'dots', points: dots.filter((dot) => !dot.kept) },
      { name: 'mean', tone: 'tone-mean', kind: 'line', points: means },
      {
        name: 'best so far',
        tone: 'tone-winner',
        kind: several ? 'line' : 'steps',
        points: rising ? running : [],
      },
      { name: 'kept', tone: 'tone-kept', kind: 'dots', points: dots.filter((dot) => dot.kept) },
    ],
  });
}

/** The scores that decide; of a relative ensemble all pictures are compared anew, so that rounds can be put side by side. */
export function scoreChart(result: GenerateResult): Html {
  const scoreOf = standingsOf(result.tree.nodes, result.options);
  return draw(result, { yLabel: describeAxis(result.options), size: 'wide', rising: true, scoreOf });
}

/** What the colours of a chart mean. */
export function chartKey(several: boolean): Html {
  const keys = [
    ['tone-winner', 'best so far'],
    ...(several ? [['tone-kept', 'kept']] : []),
    ['tone-pruned', several ? 'pruned (dotted: mean of all)' : 'every picture'],
  ];
  return html`<ul class="key">
    ${keys.map(([tone, text]) => html`<li class="${tone}"><i></i><span>${text}</span></li>`)}
  </ul>`;
}

/** A chart for every verifier of an ensemble, by its own scores; nothing for a single verifier. */
export function memberSection(result: GenerateResult): Html | null {
  if (!result.options.ensemble) return null;
  const views = memberNames(result.options).map((name) =>
    draw(result, {
      yLabel: name,
      size: 'small',
      rising: false,
      scoreOf: ({ scores }) => scores[name] ?? NaN,
    }),
  );
  return html`<section aria-labelledby="members-title">
    <h2 id="members-title">Every verifier by itself</h2>
    <p class="lead">The same candidates by the scores of each verifier that guided the search.</p>
    <div class="arms">${views.map((view) => html`<div>${view}</div>`)}</div>
  </section>`;
}
