// The charts of a search: every candidate's standing as a dot, and its scores by each of several judges.

import { mean } from 'd3-array';
import type { VNode } from 'preact';

import { formatScore } from '../core/format.js';
import type { GenerateResult } from '../run/result.js';
import { keptOf, standingsOf } from '../run/standings.js';
import type { Candidate } from '../search/contract.js';
import { Chart, type ChartPoint, Key } from './components/chart.js';
import { Section } from './components/parts.js';
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
    means.push({ x: round + 1, y: mean(candidates, heightOf) ?? NaN });
  });
  return { dots, means, running };
}

function SearchChart({ result, view }: { readonly result: GenerateResult; readonly view: View }): VNode {
  const { yLabel, size, rising, yTick } = view;
  const rounds = roundsOf(result.candidates);
  const several = rounds.length > 1;
  const { dots, means, running } = place(rounds, keptOf(result), view);
  const marks = rounds.map(([first], round) => ({ at: round + 1, text: String(first?.step ?? round + 1) }));
  return (
    <Chart
      summary={
        rising
          ? `Scores of all candidates; the best goes from ${running[0]?.words} to ${running.at(-1)?.words}.`
          : `Scores of all candidates by ${yLabel}.`
      }
      x={{ label: several ? result.schedule.unit : 'picture', whole: true, ...(several ? { marks } : {}) }}
      y={{ label: yLabel, ...(yTick ? { write: yTick } : {}) }}
      size={size}
      series={[
        { name: 'pruned', tone: 'tone-pruned', kind: 'dots', points: dots.filter((dot) => !dot.kept) },
        { name: 'mean', tone: 'tone-mean', kind: 'line', points: means },
        {
          name: 'best so far',
          tone: 'tone-winner',
          kind: several ? 'line' : 'steps',
          points: rising ? running : [],
        },
        { name: 'kept', tone: 'tone-kept', kind: 'dots', points: dots.filter((dot) => dot.kept) },
      ]}
    />
  );
}

/** The standings among all pictures of the search, so that rounds can be put side by side whatever the rule is. */
export function ScoreChart({ result }: { readonly result: GenerateResult }): VNode {
  const { jury } = result.options;
  const standings = standingsOf([result.candidates], jury);
  const axis = standingAxis(jury);
  const view: View = {
    yLabel: axis.title,
    size: 'wide',
    rising: true,
    heightOf: (candidate) => axis.of(standings(candidate)),
    wordsOf: (candidate) => shortStanding(standings(candidate)),
    yTick: axis.tick,
  };
  return <SearchChart {...{ result, view }} />;
}

/** What the colours of a chart mean. */
export function ChartKey({ several }: { readonly several: boolean }): VNode {
  const kept = several ? [{ tone: 'tone-kept', words: 'kept' }] : [];
  const others = several ? 'pruned (dotted: mean of all)' : 'every picture';
  return (
    <Key
      items={[{ tone: 'tone-winner', words: 'best so far' }, ...kept, { tone: 'tone-pruned', words: others }]}
    />
  );
}

/** A chart for every one of several judges, by its own scores; nothing for a judge alone. */
export function JudgesSection({ result }: { readonly result: GenerateResult }): VNode | null {
  const { jury } = result.options;
  if (!isJoined(jury)) return null;
  const views = jury.judges.map((name): View => {
    const scoreOf = ({ scores }: Candidate): number => scores[name] ?? NaN;
    return {
      yLabel: name,
      size: 'small',
      rising: false,
      heightOf: scoreOf,
      wordsOf: (candidate) => formatScore(scoreOf(candidate)),
    };
  });
  return (
    <Section
      id="judges"
      title="Every verifier by itself"
      lead="The same candidates by the scores of each verifier that guided the search."
    >
      <div class="arms">
        {views.map((view) => (
          <div>
            <SearchChart {...{ result, view }} />
          </div>
        ))}
      </div>
    </Section>
  );
}
