// The page that puts strategies side by side: pictures, score against what was spent, and one table of ledgers.

import { formatCount, formatDuration, formatGain, formatScore } from '../core/format.js';
import { type CompareResult, standingsOfAll } from '../run/compare.js';
import { heldOutNames, type HoldOutRow } from '../run/hold-out.js';
import type { GenerateResult, TracePoint } from '../run/result.js';
import { isRelativeSearch, memberNames, traceOf } from '../run/standings.js';
import { chart } from './chart.js';
import { incompleteNotice, LARGE_PICTURE, pixelClass } from './generate-report.js';
import { findingBox } from './hold-out-view.js';
import type { Html } from './html.js';
import { html } from './html.js';
import { LEDGER_LINES } from './ledger-view.js';
import { page } from './page.js';
import { dataUrl } from './pictures.js';
import {
  describeAxis,
  describeEnsemble,
  describeRule,
  describeScores,
  describeSizesBriefly,
  shortScore,
  strategyTitle,
} from './words.js';

const TONES = { beam: 'tone-winner', gto: 'tone-violet', random: 'tone-blue' } as const;

const AXES: readonly { readonly label: string; readonly of: (point: TracePoint) => number }[] = [
  { label: 'NFE', of: (point) => point.nfe },
  { label: 'tokens', of: (point) => point.tokens },
  { label: 'seconds', of: (point) => point.milliseconds / 1000 },
];

/** A result with the score that it is compared by. */
interface Arm {
  readonly result: GenerateResult;
  readonly score: number;
  readonly best: boolean;
}

function armsOf({ results, scores }: CompareResult): readonly Arm[] {
  return results.map((result, i) => {
    const score = scores[i] ?? NaN;
    return { result, score, best: score === Math.max(...scores) };
  });
}

function arm({ result, score, best }: Arm, link: string | undefined): Html {
  const { search, ensemble } = result.options;
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
    <p class="score">${shortScore(score, ensemble)}</p>
    ${ensemble ? html`<p>${describeScores(result.winner)}</p>` : null}
    <p class="lead">
      ${describeSizesBriefly(search)}${best ? ' \u2013 the best' : ''}${result.complete ? '' : ' \u2013 interrupted'}
    </p>
    ${link === undefined ? null : html`<a href="${link}">its search tree</a>`}
  </article>`;
}

function charts(compared: CompareResult): Html {
  const standings = standingsOfAll(compared.results);
  const traces = compared.results.map(({ trace, tree }) => traceOf(trace, tree.nodes, standings));
  const { options } = compared.best;
  const axis = options.ensemble ? `best so far, ${describeAxis(options)}` : 'best so far';
  const views = AXES.map(({ label, of }) =>
    chart({
      summary: `Best score so far against ${label}, by strategy.`,
      xLabel: label,
      yLabel: axis,
      fromZero: true,
      size: 'small',
      series: compared.results.map((result, i) => ({
        name: result.options.search.strategy,
        tone: TONES[result.options.search.strategy],
        kind: 'steps',
        points: (traces[i] ?? []).map((point) => ({ x: of(point), y: point.best })),
      })),
    }),
  );
  const key = compared.results.map(
    ({ options }) =>
      html`<li class="${TONES[options.search.strategy]}">
        <i></i><span>${strategyTitle(options.search.strategy)}</span>
      </li>`,
  );
  const relative = isRelativeSearch(options)
    ? ' All pictures of this page are ranked together here, and one of them may rank above the winner of its own search.'
    : '';
  return html`<section aria-labelledby="cost-title">
    <h2 id="cost-title">Score against cost</h2>
    <p class="lead">The best score so far, against three ways of counting what was spent.${relative}</p>
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

/** The score that decides, what the members of an ensemble say, and what those say that did not guide the search. */
function scoreRows(compared: CompareResult): readonly Row[] {
  const { best, results, scores } = compared;
  const { ensemble } = best.options;
  const own = (name: string): Row => ({
    name,
    note: 'guided the search',
    value: ({ winner }) => winner.scores[name] ?? NaN,
    format: formatScore,
    mark: 'most',
  });
  const held = heldOutNames(results.map(({ report }) => report));
  const rowOf = ({ report }: GenerateResult, name: string): HoldOutRow | undefined =>
    report?.rows.find(({ verifier }) => verifier === name);
  return [
    {
      name: ensemble ? describeRule(ensemble) : 'Score',
      note: isRelativeSearch(best.options) ? 'among all pictures of this page' : '',
      value: (result) => scores[results.indexOf(result)] ?? NaN,
      format: (score) => shortScore(score, ensemble),
      mark: 'most',
    },
    ...(ensemble ? memberNames(best.options).map(own) : []),
    ...held.flatMap((verifier): Row[] => [
      {
        name: verifier,
        note: 'held out',
        value: (result) => rowOf(result, verifier)?.winner ?? NaN,
        format: (score) => (Number.isNaN(score) ? '\u2013' : formatScore(score)),
        mark: 'most',
      },
      {
        name: `Gain by ${verifier}`,
        note: 'held out; in deviations of the first round',
        value: (result) => rowOf(result, verifier)?.gain ?? NaN,
        format: (gain) => (Number.isNaN(gain) ? '\u2013' : formatGain(gain)),
        mark: null,
      },
    ]),
  ];
}

const LEDGER_ROWS: readonly Row[] = [
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
  const rows = [...scoreRows(compared), ...LEDGER_ROWS].map(({ name, note, value, format, mark }) => {
    const values = results.map(value);
    const marked =
      mark === 'most'
        ? Math.max(...values.filter((each) => !Number.isNaN(each)))
        : mark === 'least'
          ? Math.min(...values)
          : NaN;
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
  const { model = '', seed = 0, ensemble = null } = first?.options ?? {};
  const names = first ? memberNames(first.options) : [];
  const arms = armsOf(compared).map((each) => arm(each, links[each.result.options.search.strategy]));
  const findings = compared.results.flatMap(({ options, report }) =>
    report ? findingBox(report, `${strategyTitle(options.search.strategy)}: `) : [],
  );
  return page({
    title: `${compared.prompt} \u2013 strategies compared \u2013 varsearch`,
    kind: 'strategies compared',
    body: html`<h1>${compared.prompt}</h1>
      <ul class="chips">
        <li>budget <b>${formatCount(compared.budget)} NFE</b></li>
        <li>model <b>${model}</b></li>
        <li>${ensemble ? 'verifiers' : 'verifier'} <b>${names.join(', ')}</b></li>
        ${ensemble ? html`<li>ensemble <b>${describeEnsemble(ensemble)}</b></li>` : null}
        <li>seed <b>${seed}</b></li>
      </ul>
      ${incompleteNotice(compared.complete)}
      <div class="arms">${arms}</div>
      ${findings} ${charts(compared)} ${table(compared)}`,
  });
}
