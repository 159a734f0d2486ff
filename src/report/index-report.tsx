// The page over a folder of runs: a table of them that can be sorted, each with its picture and a link to its own page.

import type { VNode } from 'preact';

import { formatCount, formatDuration, formatScore } from '../core/format.js';
import type { Image } from '../core/image.js';
import { Page, renderPage } from './components/page.js';
import { type Column, Table } from './components/table.js';
import { illustrate, pixelClass, type UrlOf } from './pictures.js';

/** A run of a folder, or a comparison by the best of its runs. */
export interface IndexRow {
  /** Its page, by its address from here. */
  readonly href: string;
  readonly prompt: string;
  /** Its strategy, or what was compared. */
  readonly what: string;
  readonly model: string;
  /** What the picture is judged by. */
  readonly judges: string;
  /** The number that it was judged by, higher or lower by the rule; null where there is none to show. */
  readonly score: number | null;
  readonly nfe: number;
  readonly milliseconds: number;
  /** @default shown without a picture */
  readonly picture?: Image;
}

/** Pictures in the table are at most this many pixels wide. */
const SIDE = 64;

function NameCell({ row, urlOf }: { readonly row: IndexRow; readonly urlOf: UrlOf }): VNode {
  const { href, prompt, picture } = row;
  return (
    <a href={href} class="run">
      {picture && (
        <img class={pixelClass(picture.width)} src={urlOf(picture)} alt="" width={SIDE} height={SIDE} />
      )}
      {prompt}
    </a>
  );
}

const COLUMNS: readonly Column<IndexRow>[] = [
  { head: 'Search', cell: ({ what }) => what, sort: ({ what }) => what, align: 'left' },
  { head: 'Model', cell: ({ model }) => model, sort: ({ model }) => model, align: 'left' },
  { head: 'Judged by', cell: ({ judges }) => judges, sort: ({ judges }) => judges, align: 'left' },
  {
    head: 'Score',
    cell: ({ score }) => (score === null ? '\u2013' : formatScore(score)),
    sort: ({ score }) => score ?? '',
  },
  { head: 'NFE', cell: ({ nfe }) => formatCount(nfe), sort: ({ nfe }) => nfe },
  {
    head: 'Time',
    cell: ({ milliseconds }) => formatDuration(milliseconds),
    sort: ({ milliseconds }) => milliseconds,
  },
];

/** The HTML page over a folder of runs. */
export async function indexReport(folder: string, rows: readonly IndexRow[]): Promise<string> {
  const pictures = rows.flatMap(({ picture }) => (picture ? [[picture, SIDE * 2] as const] : []));
  const { urlOf } = await illustrate({}, pictures);
  return renderPage(
    <Page title={`${folder} \u2013 varsearch`} kind="runs">
      <h1>{folder}</h1>
      <p class="lead">{`${rows.length === 1 ? 'One run' : `${formatCount(rows.length)} runs`}. Scores of different verifiers do not compare.`}</p>
      <Table<IndexRow>
        label={`Runs in ${folder}`}
        rows={rows}
        first={{
          head: 'Prompt',
          cell: (row) => <NameCell {...{ row, urlOf }} />,
          sort: ({ prompt }) => prompt,
        }}
        columns={COLUMNS}
      />
    </Page>,
  );
}
