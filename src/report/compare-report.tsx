// The page that puts strategies side by side: pictures, score against what was spent, and one table of ledgers.

import type { ComponentChildren, VNode } from 'preact';

import {
  formatCount,
  formatDuration,
  formatGain,
  formatLarge,
  formatPercent,
  formatScore,
} from '../core/format.js';
import { flopsOf } from '../core/ledger.js';
import { builtInCatalogs } from '../engine/catalogs.js';
import type { Schedule } from '../models/contract.js';
import { compareCommandOf } from '../run/command.js';
import { type CompareResult, runName, type SearchNote, standingsOfAll } from '../run/compare.js';
import { heldOutNames, type ObserverRow } from '../run/observers.js';
import type { GenerateResult } from '../run/result.js';
import { perPicture, traceOf, type TracePoint } from '../run/standings.js';
import { STRATEGIES } from '../search/registry.js';
import { heightOf, isRelative, type Jury, type Standing } from '../verifiers/jury.js';
import { Chart, Key } from './components/chart.js';
import { Page, type PageLink, renderPage } from './components/page.js';
import { Chips, Command, Section } from './components/parts.js';
import { RowName, Table } from './components/table.js';
import { IncompleteNotice, juryChips, LARGE_PICTURE, Warnings } from './generate-report.js';
import { ledgerLines } from './ledger-view.js';
import { Finding } from './observer-view.js';
import { describeOutcome, describeSpread } from './outcome.js';
import { illustrate, pixelClass, type UrlOf } from './pictures.js';
import { roundsOf } from './tree-layout.js';
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
const STRATEGY_TONES = ['tone-blue', 'tone-violet', 'tone-winner', 'tone-kept', 'tone-pruned'] as const;

/** A strategy has the same colour on every page, whatever it is compared with. */
function toneOf(strategy: string): string {
  const index = STRATEGIES.findIndex(({ name }) => name === strategy);
  return STRATEGY_TONES[index % STRATEGY_TONES.length] ?? STRATEGY_TONES[0];
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
  nfe: { label: 'NFE', whole: true, of: (point: TracePoint): number => point.nfe },
  tokens: { label: 'tokens', whole: true, of: (point: TracePoint): number => point.tokens },
  flops: { label: 'FLOPs', whole: false, of: (point: TracePoint): number => point.flops },
  seconds: { label: 'seconds', whole: false, of: (point: TracePoint): number => point.milliseconds / 1000 },
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

/** Files of a run, by their addresses from the page. */
export type RunLinks = Readonly<Record<string, readonly PageLink[]>>;

/** The number of an arm; one of several judges with what it is: "mean rank 1.75 of 60". */
function ArmScore({
  standing,
  jury,
  note,
}: {
  readonly standing: Standing;
  readonly jury: Jury;
  readonly note: string;
}): VNode {
  if (!isJoined(jury)) {
    return (
      <p class="score">
        {shortStanding(standing)}
        {note !== '' && <small>{` ${note}`}</small>}
      </p>
    );
  }
  return (
    <p class="score">
      <small>{`${describeRule(jury)} `}</small>
      {shortStanding(standing)}
      <small>{` ${describeAmong(standing)}`}</small>
    </p>
  );
}

interface ArmProps {
  readonly arm: Arm;
  readonly several: boolean;
  readonly links: RunLinks;
  readonly urlOf: UrlOf;
}

function ArmView({ arm: { result, standing, best }, several, links, urlOf }: ArmProps): VNode {
  const { search, jury } = result.options;
  const title = titleOfRun(result, several);
  const words = [
    describeSizes(search),
    ...(best ? ['the best'] : []),
    ...(result.complete ? [] : ['interrupted']),
  ];
  const beside = links[runName(result, several)] ?? [];
  return (
    <article class={best ? 'arm best' : 'arm'}>
      <figure>
        <img
          class={pixelClass(result.image.width)}
          src={urlOf(result.image)}
          alt={`The result of ${title}`}
        />
      </figure>
      <h2>{title}</h2>
      <ArmScore {...{ standing, jury }} note={describeSpread(result, jury.judges[0] ?? '')} />
      {isJoined(jury) && <p>{describeScores(result.winner)}</p>}
      <p class="lead">{words.join(' \u2013 ')}</p>
      <p class="outcome">{describeOutcome(result).join(' ')}</p>
      {beside.length > 0 && (
        <p class="links">
          {beside.map(({ href, text }) => (
            <a href={href}>{text}</a>
          ))}
        </p>
      )}
    </article>
  );
}

/** What a search had reached, step by step; pictures that are drawn together without a choice between them are steps of their own. */
function stepsOf(
  { trace, candidates, schedule }: GenerateResult,
  standings: ReturnType<typeof standingsOfAll>,
): readonly TracePoint[] {
  const spent = roundsOf(candidates).length > 1 ? trace : perPicture(trace);
  // A picture that is not complete is nothing that anybody would take.
  return traceOf(spent, candidates, standings, schedule.steps.length);
}

function Charts({ compared }: { readonly compared: CompareResult }): VNode {
  const { results, several } = compared;
  const standings = standingsOfAll(results);
  const traces = results.map((result) => stepsOf(result, standings));
  const { jury } = compared.best.options;
  const { title, of: height, tick } = standingAxis(jury);
  const independent = results.some(({ candidates }) => roundsOf(candidates).length === 1);
  const lead = [
    'The best score so far, against three ways of counting what was spent.',
    independent
      ? 'Independent pictures are drawn together: each is a step of its own, at its share of what they cost.'
      : '',
    isRelative(jury)
      ? 'All pictures of this page are ranked together here, and one of them may rank above the winner of its own search.'
      : '',
  ];
  return (
    <Section id="cost" title="Score against cost" lead={lead.filter((part) => part !== '').join(' ')}>
      <div class="arms">
        {axesOf(several).map(({ label, whole, of }) => (
          <div>
            <Chart
              summary={`Best score so far against ${label}, by ${several ? 'model and ' : ''}strategy.`}
              x={{ label, whole, fromZero: true }}
              y={{
                label: isJoined(jury) ? `best so far, ${title}` : 'best so far',
                ...(tick ? { write: tick } : {}),
              }}
              size="small"
              series={results.map((result, i) => ({
                name: runName(result, several),
                tone: toneOfRun(result, compared),
                kind: 'steps',
                end: true,
                points: (traces[i] ?? []).map((point) => ({ x: of(point), y: height(point.best) })),
              }))}
            />
          </div>
        ))}
      </div>
      <Key
        items={results.map((result) => ({
          tone: toneOfRun(result, compared),
          words: titleOfRun(result, several),
        }))}
      />
    </Section>
  );
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

/** What every search was given, and what it took of that. */
function budgetRows(compared: CompareResult): readonly Row[] {
  const { budget, unit } = compared;
  const spent = ({ ledger, milliseconds }: GenerateResult): number => {
    if (unit === 'NFE') return ledger.nfe;
    return unit === 'FLOPs' ? flopsOf(ledger) : (milliseconds - ledger.milliseconds.load) / 1000;
  };
  return [
    rowOf('Budget', 'the same for all', () => budget, { format: () => describeBudget(compared) }),
    rowOf('Spent of it', '', (result) => spent(result) / budget, { format: formatPercent }),
  ];
}

/** A cell of the table: the best of its row is marked. */
function Cell({
  row,
  result,
  results,
}: {
  readonly row: Row;
  readonly result: GenerateResult;
  readonly results: readonly GenerateResult[];
}): VNode {
  const { value, text, mark } = row;
  const values = results.map(value).filter((each) => !Number.isNaN(each));
  const marked = mark === 'most' ? Math.max(...values) : mark === 'least' ? Math.min(...values) : NaN;
  return <span class={value(result) === marked && mark ? mark : undefined}>{text(result)}</span>;
}

function LedgerTable({ compared }: { readonly compared: CompareResult }): VNode {
  const { results, best, several } = compared;
  const headOf = ({ options: { model, search } }: GenerateResult): ComponentChildren =>
    several ? (
      <>
        {model}
        <br />
        {search.strategy}
      </>
    ) : (
      search.strategy
    );
  return (
    <Section
      id="table"
      title="Ledger"
      lead="The same NFE is not the same work: tokens, FLOPs and time say what it was."
    >
      <Table<Row>
        label="Scores and ledgers side by side"
        rows={[...scoreRows(compared), ...budgetRows(compared), ...ledgerRows(best.schedule.unit)]}
        first={{ head: '', cell: ({ name, note }) => <RowName name={name} note={note} /> }}
        columns={results.map((result) => ({
          head: headOf(result),
          cell: (row) => <Cell {...{ row, result, results }} />,
        }))}
      />
    </Section>
  );
}

interface NotesProps {
  readonly id: string;
  readonly title: string;
  readonly list: readonly SearchNote[];
}

/** Searches that are not as the others, with the reason. */
function Notes({ id, title, list }: NotesProps): VNode | null {
  if (list.length === 0) return null;
  return (
    <Section id={id} title={title}>
      <ul>
        {list.map(({ model, strategy, why }) => (
          <li>{`${strategy} on ${model}: ${why}`}</li>
        ))}
      </ul>
    </Section>
  );
}

/** What a page may be given beside the comparison. */
export interface CompareReportOptions {
  /** What lies beside the page. @default nothing */
  readonly links?: readonly PageLink[];
  /** The files of every run by its name (compare.ts). @default none */
  readonly runs?: RunLinks;
}

/** The HTML page of a comparison. */
export async function compareReport(
  compared: CompareResult,
  { links = [], runs = {} }: CompareReportOptions = {},
): Promise<string> {
  const { several, skipped, limited, results } = compared;
  const { seed, jury } = compared.best.options;
  const models = [...new Set(results.map(({ options }) => options.model))];
  const command = compareCommandOf(compared.options, await builtInCatalogs());
  const what = several ? 'models compared' : 'strategies compared';
  const { urlOf } = await illustrate(
    {},
    results.map(({ image }) => [image, LARGE_PICTURE] as const),
  );
  return renderPage(
    <Page title={`${compared.prompt} \u2013 ${what} \u2013 varsearch`} kind={what} links={links}>
      <h1>{compared.prompt}</h1>
      <Chips
        items={[
          { name: 'budget', value: describeBudget(compared) },
          { name: models.length === 1 ? 'model' : 'models', value: models.join(', ') },
          ...juryChips(jury),
          { name: 'seed', value: String(seed) },
        ]}
      />
      <IncompleteNotice complete={compared.complete} />
      <Warnings messages={[...new Set(results.flatMap(({ warnings }) => warnings))]} />
      <div class="arms">
        {armsOf(compared).map((arm) => (
          <ArmView {...{ arm, several, urlOf }} links={runs} />
        ))}
      </div>
      {results.map((result) =>
        result.report ? <Finding report={result.report} of={`${titleOfRun(result, several)}: `} /> : null,
      )}
      <Charts compared={compared} />
      <LedgerTable compared={compared} />
      <Notes id="skipped" title="Not run" list={skipped} />
      <Notes id="limited" title="With less than the budget" list={limited} />
      {command !== null && (
        <Section id="again" title="Run it again">
          <Command text={command} />
        </Section>
      )}
    </Page>,
  );
}
