// The page of one run: the picture, its score over the rounds, the search tree, the ledger, options and recipe.

import { describeOptions, describeSearch } from '../describe.js';
import { formatCount, formatDuration, formatPercent, formatScore } from '../format.js';
import type { GenerateResult } from '../result.js';
import type { ChartPoint } from './chart.js';
import { chart } from './chart.js';
import type { Html } from './html.js';
import { html } from './html.js';
import { ledgerSection, savedShare } from './ledger-view.js';
import { page } from './page.js';
import { dataUrl } from './pictures.js';
import { roundsOf } from './tree-layout.js';
import { treeSection } from './tree-view.js';

/** Pictures shown large are at most this many pixels wide. */
export const LARGE_PICTURE = 1024;

/** The class that keeps enlarged small pictures sharp. */
export function pixelClass(width: number): string {
  return width <= 256 ? 'pixels' : '';
}

/** Score against round, or against picture where there is one round only. */
function scoreChart(result: GenerateResult): Html {
  const rounds = roundsOf(result.tree);
  const several = rounds.length > 1;
  let best = -Infinity;
  const running: ChartPoint[] = [];
  const means: ChartPoint[] = [];
  const dots: (ChartPoint & { readonly kept: boolean })[] = [];
  rounds.forEach((nodes, round) => {
    nodes.forEach((node, i) => {
      // Candidates of a round stand side by side, so that dots of like scores do not hide each other.
      const offset = nodes.length > 1 ? (i / (nodes.length - 1) - 0.5) * 0.5 : 0;
      const x = several ? round + 1 + offset : i + 1;
      dots.push({
        x,
        y: node.score,
        title: `${node.id}: ${formatScore(node.score)}`,
        kept: node.kept,
      });
      best = Math.max(best, node.score);
      if (!several) running.push({ x, y: best });
    });
    if (!several) return;
    running.push({ x: round + 1, y: best });
    means.push({ x: round + 1, y: nodes.reduce((sum, node) => sum + node.score, 0) / nodes.length });
  });
  const ticks = rounds.map((nodes, round) => ({ at: round + 1, text: String(nodes[0]?.scale ?? round + 1) }));
  return chart({
    summary: `Scores of all candidates; the best rises from ${formatScore(running[0]?.y ?? 0)} to ${formatScore(best)}.`,
    xLabel: several ? 'scale' : 'picture',
    yLabel: result.options.verifier,
    ...(several ? { xTicks: ticks } : {}),
    series: [
      { name: 'pruned', tone: 'tone-pruned', kind: 'dots', points: dots.filter((dot) => !dot.kept) },
      { name: 'mean', tone: 'tone-mean', kind: 'line', points: means },
      { name: 'best so far', tone: 'tone-winner', kind: several ? 'line' : 'steps', points: running },
      { name: 'kept', tone: 'tone-kept', kind: 'dots', points: dots.filter((dot) => dot.kept) },
    ],
  });
}

function chartKey(several: boolean): Html {
  const keys = [
    ['tone-winner', 'best so far'],
    ...(several ? [['tone-kept', 'kept']] : []),
    ['tone-pruned', several ? 'pruned (dotted: mean of all)' : 'every picture'],
  ];
  return html`<ul class="key">
    ${keys.map(([tone, text]) => html`<li class="${tone}"><i></i><span>${text}</span></li>`)}
  </ul>`;
}

/** The very first picture: what one gets without a search. */
function firstPicture(result: GenerateResult): Html | null {
  const [first] = result.tree.nodes;
  if (!first || first.id === result.winner.id) return null;
  return html`<div class="first">
    <img
      class="${pixelClass(first.image.width)}"
      src="${dataUrl(first.image, 256)}"
      alt="The first picture that was drawn"
    />
    <span><b>${formatScore(first.score)}</b>the first picture drawn: what one gets without a search</span>
  </div>`;
}

function figures(result: GenerateResult): Html {
  const { ledger, score, milliseconds } = result;
  return html`<dl class="figures">
    <div class="main">
      <dt>Best score</dt>
      <dd>${formatScore(score)}<small>${result.options.verifier}</small></dd>
    </div>
    <div>
      <dt>Pictures judged</dt>
      <dd>${formatCount(ledger.imagesVerified)}</dd>
    </div>
    <div>
      <dt>NFE</dt>
      <dd>${formatCount(ledger.nfe)}<small>as the paper counts</small></dd>
    </div>
    <div>
      <dt>Forward passes</dt>
      <dd>${formatCount(ledger.forwards)}<small>${formatPercent(savedShare(ledger))} shared</small></dd>
    </div>
    <div>
      <dt>Time</dt>
      <dd>${formatDuration(milliseconds)}</dd>
    </div>
  </dl>`;
}

function hero(result: GenerateResult): Html {
  const { image, options } = result;
  const several = roundsOf(result.tree).length > 1;
  return html`<div class="hero">
    <figure>
      <img
        class="${pixelClass(image.width)}"
        src="${dataUrl(image, LARGE_PICTURE)}"
        alt="The result for the prompt: ${options.prompt}"
      />
      <figcaption>${image.width} × ${image.height} pixels, seed ${options.seed}</figcaption>
      ${firstPicture(result)}
    </figure>
    <div>${figures(result)}${scoreChart(result)}${chartKey(several)}</div>
  </div>`;
}

/** Everything that is needed to make the picture again. */
export function recipeSection(result: GenerateResult): Html {
  const { options, versions, recipe } = result;
  const list = (entries: readonly (readonly [string, string])[]): Html =>
    html`<dl class="facts">
      ${entries.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>`;
  return html`<section aria-labelledby="recipe-title">
    <h2 id="recipe-title">Recipe</h2>
    <p class="lead">
      The picture file carries all of this. <code>varsearch replay picture.png</code> makes it again, bit for
      bit.
    </p>
    <div class="two">
      <div>
        <h3>Options</h3>
        ${list(describeOptions(options))}
      </div>
      <div>
        <h3>Versions</h3>
        ${list(Object.entries(versions))}
      </div>
    </div>
    <details>
      <summary>The whole recipe, with the hashes of all files</summary>
      <pre>${JSON.stringify(recipe, null, 2)}</pre>
    </details>
  </section>`;
}

/** The line under a title: the search in words. */
export function searchChips(result: GenerateResult): Html {
  const { model, verifier, search } = result.options;
  return html`<ul class="chips">
    <li><b>${describeSearch(search)}</b></li>
    <li>model <b>${model}</b></li>
    <li>verifier <b>${verifier}</b></li>
  </ul>`;
}

/** The notice of a run that was interrupted. */
export function incompleteNotice(complete: boolean): Html | null {
  if (complete) return null;
  return html`<p class="notice">This search was interrupted: what it had found until then is below.</p>`;
}

/** The HTML page of one run. */
export function generateReport(result: GenerateResult): string {
  const { prompt } = result.options;
  return page({
    title: `${prompt} \u2013 varsearch`,
    kind: 'search report',
    body: html`<h1>${prompt}</h1>
      ${searchChips(result)}${incompleteNotice(result.complete)} ${hero(result)} ${treeSection(result)}
      ${ledgerSection(result)} ${recipeSection(result)}`,
  });
}
