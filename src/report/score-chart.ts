// The charts of a search: every candidate's standing as a dot, and its scores by each of several judges.

import { formatScore } from '../core/format.js';
import type { GenerateResult } from '../run/result.js';
import { keptOf, standingsOf } from '../run/standings.js';
import type { Candidate } from '../search/contract.js';
import type { ChartPoint } from './chart.js';
import { chart } from './chart.js';
import type { Html } from './html.js';
import { html } from './html.js';
import { roundsOf } from './tree-layout.js';
import { isJoined, shortStanding, standingAxis } from './words.js';

type Dot = ChartPoint & { readonly kept: boolean };

interface Dots {
  readonly dots: readonly Dot[];
  readonly means: readonly ChartPoint[];
  /** The best so far, with the words for it. */
  readonly running: readonly (ChartPoint & { readonly words: string })[];
}

interface View {
  readonly yLabel: string;
  readonly size: 'wide' | 'small';
  /** Draws how the best so far rises. */
  readonly rising: boolean;
  /** Where a candidate is drawn, higher is better, and that in words. */
  readonly heightOf: (candidate: Candidate) => number;
  readonly wordsOf: (candidate: Candidate) => string;
  readonly yTick?: ((value: number) => string) | undefined;
}

/** Candidates against round, or against picture where there is one round only. */
function place(
  rounds: readonly (readonly Candidate[])[],
  kept: ReadonlySet<number>,
  { heightOf, wordsOf }: Pick<View, 'heightOf' | 'wordsOf'>,
): Dots {
  const several = rounds.length > 1;
  let best = { y: -Infinity, words: '', judgedAt: 0 };
  const running: (ChartPoint & { words: string })[] = [];
  const means: ChartPoint[] = [];
  const dots: Dot[] = [];
  rounds.forEach((candidates, round) => {
    candidates.forEach((candidate, i) => {
      // Candidates of a round stand side by side, so that dots of like scores do not hide each other.
      const offset = candidates.length > 1 ? (i / (candidates.length - 1) - 0.5) * 0.5 : 0;
      const x = several ? round + 1 + offset : i + 1;
      const [y, words] = [heightOf(candidate), wordsOf(candidate)];
      dots.push({ x, y, title: `${candidate.id}: ${words}`, kept: kept.has(candidate.id) });
      // What is judged at more steps does not compare with what came before.
      if (y > best.y || candidate.judgedAt > best.judgedAt) {
        best = { y, words, judgedAt: candidate.judgedAt };
      }
      if (!several) running.push({ x, y: best.y, words: best.words });
    });
    if (!several) return;
    running.push({ x: round + 1, y: best.y, words: best.words });
    const sum = candidates.reduce((total, candidate) => total + heightOf(candidate), 0);
    means.push({ x: round + 1, y: sum / candidates.length });
  });
  return { dots, means, running };
}

function draw(result: GenerateResult, view: View): Html {
  const { yLabel, size, rising, yTick } = view;
  const rounds = roundsOf(result.candidates);
  const several = rounds.length > 1;
  const { dots, means, running } = place(rounds, keptOf(result), view);
  const ticks = rounds.map(([first], round) => ({ at: round + 1, text: String(first?.step ?? round + 1) }));
  return chart({
    summary: rising
      ? `Scores of all candidates; the best goes from ${running[0]?.words} to ${running.at(-1)?.words}.`
      : `Scores of all candidates by ${yLabel}.`,
    xLabel: several ? result.schedule.unit : 'picture',
    yLabel,
    size,
    ...(yTick ? { yTick } : {}),
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

/** The standings among all pictures of the search, so that rounds can be put side by side whatever the rule is. */
export function scoreChart(result: GenerateResult): Html {
  const { jury } = result.options;
  const standings = standingsOf([result.candidates], jury);
  const axis = standingAxis(jury);
  return draw(result, {
    yLabel: axis.title,
    size: 'wide',
    rising: true,
    heightOf: (candidate) => axis.of(standings(candidate)),
    wordsOf: (candidate) => shortStanding(standings(candidate)),
    yTick: axis.tick,
  });
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

/** A chart for every one of several judges, by its own scores; nothing for a judge alone. */
export function judgesSection(result: GenerateResult): Html | null {
  const { jury } = result.options;
  if (!isJoined(jury)) return null;
  const views = jury.judges.map((name) => {
    const scoreOf = ({ scores }: Candidate): number => scores[name] ?? NaN;
    return draw(result, {
      yLabel: name,
      size: 'small',
      rising: false,
      heightOf: scoreOf,
      wordsOf: (candidate) => formatScore(scoreOf(candidate)),
    });
  });
  return html`<section aria-labelledby="judges-title">
    <h2 id="judges-title">Every verifier by itself</h2>
    <p class="lead">The same candidates by the scores of each verifier that guided the search.</p>
    <div class="arms">${views.map((view) => html`<div>${view}</div>`)}</div>
  </section>`;
}
