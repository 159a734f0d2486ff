// The page that puts strategies side by side: pictures, score against what was spent, and one table of ledgers.

import { formatCount, formatDuration, formatGain, formatLarge, formatScore } from '../core/format.js';
import type { Schedule } from '../models/contract.js';
import { type CompareResult, runName, type SearchNote, standingsOfAll } from '../run/compare.js';
import { heldOutNames, type ObserverRow } from '../run/observers.js';
import type { GenerateResult } from '../run/result.js';
import { traceOf, type TracePoint } from '../run/standings.js';
import { STRATEGIES } from '../search/registry.js';
import { heightOf, isRelative, type Jury, type Standing } from '../verifiers/jury.js';
import { chart } from './chart.js';
import { incompleteNotice, juryChips, LARGE_PICTURE, pixelClass } from './generate-report.js';
import type { Html } from './html.js';
import { html } from './html.js';
import { ledgerLines } from './ledger-view.js';
import { findingBox } from './observer-view.js';
import { page } from './page.js';
import { illustrate, type UrlOf } from './pictures.js';
import {
  describeAmong,
  describeRule,
  describeScores,
  describeSizes,
  isJoined,
  shortStanding,
  standingAxis,
  strategyTitle,
} from './words.js';

/** The colours of the strategies, in the order of their list. */
const TONES = ['tone-blue', 'tone-violet', 'tone-winner', 'tone-kept', 'tone-pruned'] as const;

/** A strategy has the same colour on every page, whatever it is compared with. */
function toneOf(strategy: string): string {
  const index = STRATEGIES.findIndex(({ name }) => name === strategy);
  return TONES[index % TONES.length] ?? TONES[0];
}

/** The colour of a run; a model after the first has broken lines. */
function toneOfRun({ options }: GenerateResult, { results, several }: CompareResult): string {
  const models = [...new Set(results.map((each) => each.options.model))];
  return `${toneOf(options.search.strategy)}${several && models.indexOf(options.model) > 0 ? ' broken' : ''}`;
}

/** A run as a title: its strategy, and its model where models were named. */
function titleOfRun({ options }: GenerateResult, several: boolean): string {
  const title = strategyTitle(options.search.strategy);
  return several ? `${title} on ${options.model}` : title;
}

const AXES = {
  nfe: { label: 'NFE', of: (point: TracePoint): number => point.nfe },
  tokens: { label: 'tokens', of: (point: TracePoint): number => point.tokens },
  flops: { label: 'FLOPs', of: (point: TracePoint): number => point.flops },
  seconds: { label: 'seconds', of: (point: TracePoint): number => point.milliseconds / 1000 },
} as const;

/** What was spent: tokens of different models are not the same work. */
const axesOf = (several: boolean): readonly (typeof AXES)[keyof typeof AXES][] => [
  AXES.nfe,
  several ? AXES.flops : AXES.tokens,
  AXES.seconds,
];

/** A budget in words, for example "1,365 NFE". */
function describeBudget({ budget, unit }: CompareResult): string {
  if (unit === 'NFE') return `${formatCount(budget)} NFE`;
  return unit === 'FLOPs' ? `${formatLarge(budget)}FLOP` : `${budget} s`;
}

/** A result with the standing that it is compared by. */
interface Arm {
  readonly result: GenerateResult;
  readonly standing: Standing;
  readonly best: boolean;
}

function armsOf({ results, standings }: CompareResult): readonly Arm[] {
  const highest = Math.max(...standings.map(heightOf));
  return results.flatMap((result, i) => {
    const standing = standings[i];
    return standing ? [{ result, standing, best: heightOf(standing) === highest }] : [];
  });
}

/** The number of an arm; one of several judges with what it is: "mean rank 1.75 of 60". */
function armScore(standing: Standing, jury: Jury): Html {
  if (!isJoined(jury)) return html`<p class="score">${shortStanding(standing)}</p>`;
  return html`<p class="score">
    <small>${describeRule(jury)} </small>${shortStanding(standing)}<small> ${describeAmong(standing)}</small>
  </p>`;
}

interface ArmContext {
  readonly several: boolean;
  readonly links: Readonly<Record<string, string>>;
  readonly urlOf: UrlOf;
}

function arm({ result, standing, best }: Arm, { several, links, urlOf }: ArmContext): Html {
  const { search, jury } = result.options;
  const title = titleOfRun(result, several);
  const link = links[runName(result, several)];
  return html`<article class="arm${best ? ' best' : ''}">
    <figure>
      <img
        class="${pixelClass(result.image.width)}"
        src="${urlOf(result.image)}"
        alt="The result of ${title}"
      />
    </figure>
    <h2>${title}</h2>
    ${armScore(standing, jury)} ${isJoined(jury) ? html`<p>${describeScores(result.winner)}</p>` : null}
    <p class="lead">
      ${describeSizes(search)}${best ? ' \u2013 the best' : ''}${result.complete ? '' : ' \u2013 interrupted'}
    </p>
    ${link === undefined ? null : html`<a href="${link}">its search tree</a>`}
  </article>`;
}

function charts(compared: CompareResult): Html {
  const { results, several } = compared;
  const standings = standingsOfAll(results);
  // A picture that is not complete is nothing that anybody would take.
  const traces = results.map(({ trace, candidates, schedule }) =>
    traceOf(trace, candidates, standings, schedule.steps.length),
  );
  const { jury } = compared.best.options;
  const { title, of: height, tick } = standingAxis(jury);
  const views = axesOf(several).map(({ label, of }) =>
    chart({
      summary: `Best score so far against ${label}, by ${several ? 'model and ' : ''}strategy.`,
      xLabel: label,
      yLabel: isJoined(jury) ? `best so far, ${title}` : 'best so far',
      ...(tick ? { yTick: tick } : {}),
      fromZero: true,
      size: 'small',
      series: results.map((result, i) => ({
        name: runName(result, several),
        tone: toneOfRun(result, compared),
        kind: 'steps',
        points: (traces[i] ?? []).map((point) => ({ x: of(point), y: height(point.best) })),
      })),
    }),
  );
  const key = results.map(
    (result) =>
      html`<li class="${toneOfRun(result, compared)}">
        <i></i><span>${titleOfRun(result, several)}</span>
      </li>`,
  );
  const relative = isRelative(jury)
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
  /** What is compared where the row is marked; NaN where there is nothing. */
  readonly value: (result: GenerateResult) => number;
  readonly text: (result: GenerateResult) => string;
  /** Which end of the row is worth marking. */
  readonly mark: 'most' | 'least' | null;
}

/** A row of numbers of one kind. */
function rowOf(
  name: string,
  note: string,
  value: Row['value'],
  rest: { readonly format: (value: number) => string; readonly mark?: Row['mark'] },
): Row {
  const text = (result: GenerateResult): string => {
    const found = value(result);
    return Number.isNaN(found) ? '\u2013' : rest.format(found);
  };
  return { name, note, value, text, mark: rest.mark ?? null };
}

/** What decides, what every one of several judges says, and what those say that did not guide the search. */
function scoreRows({ best, results, standings }: CompareResult): readonly Row[] {
  const { jury } = best.options;
  const standingOf = (result: GenerateResult): Standing | undefined => standings[results.indexOf(result)];
  const decides: Row = {
    name: isJoined(jury) ? describeRule(jury) : 'Score',
    note: isRelative(jury) ? 'among all pictures of this page' : '',
    value: (result) => {
      const standing = standingOf(result);
      return standing ? heightOf(standing) : NaN;
    },
    text: (result) => {
      const standing = standingOf(result);
      return standing ? `${shortStanding(standing)} ${describeAmong(standing)}`.trimEnd() : '\u2013';
    },
    mark: 'most',
  };
  const own = (name: string): Row =>
    rowOf(name, 'guided the search', ({ winner }) => winner.scores[name] ?? NaN, {
      format: formatScore,
      mark: 'most',
    });
  const observed = ({ report }: GenerateResult, name: string): ObserverRow | undefined =>
    report?.rows.find(({ verifier }) => verifier === name);
  const held = heldOutNames(results.map(({ report }) => report)).flatMap((verifier) => [
    rowOf(verifier, 'held out', (result) => observed(result, verifier)?.winner ?? NaN, {
      format: formatScore,
      mark: 'most',
    }),
    rowOf(
      `Gain by ${verifier}`,
      'held out; in deviations of the first round',
      (result) => observed(result, verifier)?.gain ?? NaN,
      { format: formatGain },
    ),
  ]);
  return [decides, ...(isJoined(jury) ? jury.judges.map(own) : []), ...held];
}

const ledgerRows = (unit: Schedule['unit']): readonly Row[] => [
  ...ledgerLines(unit).map(({ name, note, value, format }) =>
    rowOf(name, note, ({ ledger }) => value(ledger), { format }),
  ),
  ...(['transformer', 'decoder', 'verifier'] as const).map((phase) =>
    rowOf(`Time in the ${phase}`, '', ({ ledger }) => ledger.milliseconds[phase], { format: formatDuration }),
  ),
  rowOf(
    'Time in all',
    'without loading',
    ({ milliseconds, ledger }) => milliseconds - ledger.milliseconds.load,
    { format: formatDuration, mark: 'least' },
  ),
];

function table(compared: CompareResult): Html {
  const { results, best, several } = compared;
  const heads = results.map(({ options: { model, search } }) => {
    return html`<th scope="col">${several ? html`${model}<br />` : null}${search.strategy}</th>`;
  });
  const all = [...scoreRows(compared), ...ledgerRows(best.schedule.unit)];
  const rows = all.map(({ name, note, value, text, mark }) => {
    const values = results.map(value).filter((each) => !Number.isNaN(each));
    const marked = mark === 'most' ? Math.max(...values) : mark === 'least' ? Math.min(...values) : NaN;
    const cells = results.map(
      (result) => html`<td><span class="${value(result) === marked ? mark : ''}">${text(result)}</span></td>`,
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

/** Searches that are not as the others, with the reason. */
function notes(title: string, list: readonly SearchNote[]): Html | null {
  if (list.length === 0) return null;
  return html`<section>
    <h2>${title}</h2>
    <ul>
      ${list.map(({ model, strategy, why }) => html`<li>${strategy} on ${model}: ${why}</li>`)}
    </ul>
  </section>`;
}

/** The HTML page of a comparison; `links` leads from a run's name (compare.ts) to its own page. */
export async function compareReport(
  compared: CompareResult,
  links: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { several, skipped, limited } = compared;
  const { seed, jury } = compared.best.options;
  const models = [...new Set(compared.results.map(({ options }) => options.model))];
  const what = several ? 'models compared' : 'strategies compared';
  const pictures = compared.results.map(({ image }) => [image, LARGE_PICTURE] as const);
  const { urlOf } = await illustrate({}, pictures);
  const arms = armsOf(compared).map((each) => arm(each, { several, links, urlOf }));
  const findings = compared.results.flatMap((result) =>
    result.report ? findingBox(result.report, `${titleOfRun(result, several)}: `) : [],
  );
  return page({
    title: `${compared.prompt} \u2013 ${what} \u2013 varsearch`,
    kind: what,
    body: html`<h1>${compared.prompt}</h1>
      <ul class="chips">
        <li>budget <b>${describeBudget(compared)}</b></li>
        <li>${models.length === 1 ? 'model' : 'models'} <b>${models.join(', ')}</b></li>
        ${juryChips(jury)}
        <li>seed <b>${seed}</b></li>
      </ul>
      ${incompleteNotice(compared.complete)}
      <div class="arms">${arms}</div>
      ${findings} ${charts(compared)} ${table(compared)} ${notes('Not run', skipped)}
      ${notes('With less than the budget', limited)}`,
  });
}
