// The page of one run: the picture, its score over the rounds, the search tree, the ledger, options and recipe.

import { formatCount, formatDuration, formatPercent, formatScore } from '../core/format.js';
import type { GenerateResult } from '../run/result.js';
import { previewOf, standingsOf } from '../run/standings.js';
import type { Jury } from '../verifiers/jury.js';
import type { Html } from './html.js';
import { html } from './html.js';
import { ledgerSection, savedShare } from './ledger-view.js';
import { observerSection } from './observer-view.js';
import { page } from './page.js';
import { illustrate, type Illustrated } from './pictures.js';
import { chartKey, judgesSection, scoreChart } from './score-chart.js';
import { roundsOf } from './tree-layout.js';
import { TREE_PICTURE, treeSection } from './tree-view.js';
import {
  briefScores,
  describeAmong,
  describeJudged,
  describeJury,
  describeOptions,
  describeRule,
  describeSearch,
  describeStanding,
  describeUnfinished,
  isJoined,
  shortStanding,
} from './words.js';

/** Pictures shown large are at most this many pixels wide. */
export const LARGE_PICTURE = 1024;

/** The same of the first picture, beside it. */
const FIRST_PICTURE = 256;

/** The class that keeps enlarged small pictures sharp. */
export function pixelClass(width: number): string {
  return width <= 256 ? 'pixels' : '';
}

/** The very first picture: what one gets without a search, or the first of what was judged in place of whole pictures. */
function firstPicture(result: Illustrated<GenerateResult>): Html | null {
  const [candidate] = result.candidates;
  if (!candidate || candidate.id === (result.winner.sameAs ?? result.winner.id)) return null;
  const { first } = result.pictures;
  const kind = describeJudged(candidate, result.schedule);
  return html`<div class="first">
    <img
      class="${pixelClass(first.width)}"
      src="${result.urlOf(first)}"
      alt="The first ${kind} that was drawn"
    />
    <span
      ><b>${briefScores(candidate)}</b>the first ${kind}
      drawn${kind === 'picture' ? ': what one gets without a search' : null}</span
    >
  </div>`;
}

/** What the winner was judged by before it was completed: both scores are shown, and never compared. */
function previewFigure({ candidates, winner, schedule, options: { jury } }: GenerateResult): Html | null {
  const preview = previewOf(candidates, winner);
  if (!preview) return null;
  const standing = isJoined(jury)
    ? describeStanding(standingsOf([candidates], jury)(preview), jury)
    : `after ${preview.judgedAt} of ${schedule.steps.length} ${schedule.unit}s`;
  return html`<div>
    <dt>Its ${describeJudged(preview, schedule)}</dt>
    <dd>${briefScores(preview)}<small>${standing}</small></dd>
  </div>`;
}

/** The winner's score; of several judges that of each, and its standing by all of them. */
function scoreFigures({ winner, standing, options: { jury } }: GenerateResult): Html {
  if (!isJoined(jury)) {
    return html`<div class="main">
      <dt>Best score</dt>
      <dd>${shortStanding(standing)}<small>${describeRule(jury)}</small></dd>
    </div>`;
  }
  const among = describeAmong(standing);
  const judges = Object.entries(winner.scores).map(
    ([name, own]) =>
      html`<div class="main">
        <dt>${name}</dt>
        <dd>${formatScore(own)}</dd>
      </div>`,
  );
  return html`${judges}
    <div>
      <dt>${describeRule(jury)}</dt>
      <dd>${shortStanding(standing)}${among === '' ? null : html`<small>${among} pictures</small>`}</dd>
    </div>`;
}

function figures(result: GenerateResult): Html {
  const { ledger, milliseconds } = result;
  const unfinished = describeUnfinished(result);
  return html`<dl class="figures">
    ${scoreFigures(result)}${previewFigure(result)}
    <div>
      <dt>Pictures judged</dt>
      <dd>
        ${formatCount(ledger.imagesDecoded)}${unfinished === '' ? null : html`<small>${unfinished}</small>`}
      </dd>
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

function hero(result: Illustrated<GenerateResult>): Html {
  const { image, options } = result;
  const several = roundsOf(result.candidates).length > 1;
  return html`<div class="hero">
    <figure>
      <img
        class="${pixelClass(image.width)}"
        src="${result.urlOf(image)}"
        alt="The result for the prompt: ${options.prompt}"
      />
      <figcaption>${image.width} × ${image.height} pixels, seed ${options.seed}</figcaption>
      ${firstPicture(result)}
    </figure>
    <div>${figures(result)}${scoreChart(result)}${chartKey(several)}</div>
  </div>`;
}

/** Everything that is needed to make the picture again. */
function recipeSection(result: GenerateResult): Html {
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

/** Who judges, and how several do so together. */
export function juryChips(jury: Jury): Html {
  const several = isJoined(jury);
  return html`<li>${several ? 'verifiers' : 'verifier'} <b>${jury.judges.join(', ')}</b></li>
    ${several ? html`<li>joined by <b>${describeJury(jury)}</b></li>` : null}`;
}

/** The line under a title: the search in words. */
function searchChips(result: GenerateResult): Html {
  const { model, search, jury } = result.options;
  return html`<ul class="chips">
    <li><b>${describeSearch(search)}</b></li>
    <li>model <b>${model}</b></li>
    ${juryChips(jury)}
  </ul>`;
}

/** The notice of a run that was interrupted. */
export function incompleteNotice(complete: boolean): Html | null {
  if (complete) return null;
  return html`<p class="notice">This search was interrupted: what it had found until then is below.</p>`;
}

/** The HTML page of one run. */
export async function generateReport(found: GenerateResult): Promise<string> {
  const { prompt } = found.options;
  const { thumbnails, first } = found.pictures;
  const small = [...thumbnails.values()].map((image) => [image, TREE_PICTURE] as const);
  const result = await illustrate(found, [...small, [first, FIRST_PICTURE], [found.image, LARGE_PICTURE]]);
  return page({
    title: `${prompt} \u2013 varsearch`,
    kind: 'search report',
    body: html`<h1>${prompt}</h1>
      ${searchChips(result)}${incompleteNotice(result.complete)} ${hero(result)}
      ${observerSection(result.report)} ${judgesSection(result)} ${treeSection(result)}
      ${ledgerSection(result)} ${recipeSection(result)}`,
  });
}
