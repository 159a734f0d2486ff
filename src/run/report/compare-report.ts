// The page that puts strategies side by side: pictures, score against what was spent, and one table of ledgers.

import type { CompareResult } from '../compare.js';
import { describeSizesBriefly, strategyTitle } from '../describe.js';
import { formatCount, formatDuration, formatScore } from '../format.js';
import type { GenerateResult, TracePoint } from '../result.js';
import { chart } from './chart.js';
import { incompleteNotice, LARGE_PICTURE, pixelClass } from './generate-report.js';
import type { Html } from './html.js';
import { html } from './html.js';
import { LEDGER_LINES } from './ledger-view.js';
import { page } from './page.js';
import { dataUrl } from './pictures.js';

const TONES = { beam: 'tone-winner', gto: 'tone-violet', random: 'tone-blue' } as const;

const AXES: readonly { readonly label: string; readonly of: (point: TracePoint) => number }[] = [
  { label: 'NFE', of: (point) => point.nfe },
  { label: 'tokens', of: (point) => point.tokens },
  { label: 'seconds', of: (point) => point.milliseconds / 1000 },
];

function arm(result: GenerateResult, compared: CompareResult, link: string | undefined): Html {
  const { search } = result.options;
  const best = result.score === compared.best.score;
  const title = strategyTitle(search.strategy);
  return html`<article class="arm${best ? ' best' : ''}">
    <figure>
      <img
        class="${pixelClass(result.image.width)}"
        src="${dataUrl(result.image, LARGE_PICTURE)}"
        alt="The result of ${title}"
      />
    </figure>
    <h2>${title}</h2>
    <p class="score">${formatScore(result.score)}</p>
    <p class="lead">
      ${describeSizesBriefly(search)}${best ? ' \u2013 the best' : ''}${result.complete ? '' : ' \u2013 interrupted'}
    </p>
    ${link === undefined ? null : html`<a href="${link}">its search tree</a>`}
  </article>`;
}

function charts(compared: CompareResult): Html {
  const views = AXES.map(({ label, of }) =>
    chart({
      summary: `Best score so far against ${label}, by strategy.`,
      xLabel: label,
      yLabel: 'best so far',
      fromZero: true,
      size: 'small',
      series: compared.results.map((result) => ({
        name: result.options.search.strategy,
        tone: TONES[result.options.search.strategy],
        kind: 'steps',
        points: result.trace.map((point) => ({ x: of(point), y: point.best })),
      })),
    }),
  );
  const key = compared.results.map(
    ({ options }) =>
      html`<li class="${TONES[options.search.strategy]}">
        <i></i><span>${strategyTitle(options.search.strategy)}</span>
      </li>`,
  );
  return html`<section aria-labelledby="cost-title">
    <h2 id="cost-title">Score against cost</h2>
    <p class="lead">The best score so far, against three ways of counting what was spent.</p>
    <div class="arms">${views.map((view) => html`<div>${view}</div>`)}</div>
    <ul class="key">
      ${key}
    </ul>
  </section>`;
}

interface Row {
  readonly name: string;
  readonly note: string;
  readonly value: (result: GenerateResult) => number;
  readonly format: (value: number) => string;
  /** Which end of the row is worth marking. */
  readonly mark: 'most' | 'least' | null;
}

const ROWS: readonly Row[] = [
  { name: 'Score', note: '', value: (r) => r.score, format: formatScore, mark: 'most' },
  ...LEDGER_LINES.map(({ name, note, value, format }): Row => ({
    name,
    note,
    value: (result) => value(result.ledger),
    format,
    mark: null,
  })),
  ...(['transformer', 'decoder', 'verifier'] as const).map((phase): Row => ({
    name: `Time in the ${phase}`,
    note: '',
    value: (result) => result.ledger.milliseconds[phase],
    format: formatDuration,
    mark: null,
  })),
  {
    name: 'Time in all',
    note: 'without loading',
    value: (r) => r.milliseconds - r.ledger.milliseconds.load,
    format: formatDuration,
    mark: 'least',
  },
];

function table(compared: CompareResult): Html {
  const { results } = compared;
  const heads = results.map(({ options }) => html`<th scope="col">${options.search.strategy}</th>`);
  const rows = ROWS.map(({ name, note, value, format, mark }) => {
    const values = results.map(value);
    const marked = mark === 'most' ? Math.max(...values) : mark === 'least' ? Math.min(...values) : NaN;
    const cells = values.map(
      (each) => html`<td><span class="${each === marked ? mark : ''}">${format(each)}</span></td>`,
    );
    return html`<tr>
      <th scope="row">${name}${note === '' ? null : html`<small>${note}</small>`}</th>
      ${cells}
    </tr>`;
  });
  return html`<section aria-labelledby="table-title">
    <h2 id="table-title">Ledger</h2>
    <p class="lead">The same NFE is not the same work: tokens, FLOPs and time say what it was.</p>
    <div class="table">
      <table>
        <thead>
          <tr>
            <th></th>
            ${heads}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** The HTML page of a comparison; `links` leads from a strategy's name to the page of its own run. */
export function compareReport(compared: CompareResult, links: Readonly<Record<string, string>> = {}): string {
  const [first] = compared.results;
  const { model = '', verifier = '', seed = 0 } = first?.options ?? {};
  const arms = compared.results.map((result) => arm(result, compared, links[result.options.search.strategy]));
  return page({
    title: `${compared.prompt} \u2013 strategies compared \u2013 varsearch`,
    kind: 'strategies compared',
    body: html`<h1>${compared.prompt}</h1>
      <ul class="chips">
        <li>budget <b>${formatCount(compared.budget)} NFE</b></li>
        <li>model <b>${model}</b></li>
        <li>verifier <b>${verifier}</b></li>
        <li>seed <b>${seed}</b></li>
      </ul>
      ${incompleteNotice(compared.complete)}
      <div class="arms">${arms}</div>
      ${charts(compared)} ${table(compared)}`,
  });
}
