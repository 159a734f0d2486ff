// A table that scrolls by itself where it is wider than the page, and can be scrolled by the keyboard.

import type { ComponentChildren, VNode } from 'preact';

/** A column of a table. */
export interface Column<Row> {
  readonly head: ComponentChildren;
  readonly cell: (row: Row, index: number) => ComponentChildren;
  /** Words stand left, numbers right. @default 'right' */
  readonly align?: 'left' | 'right';
  /** What the rows can be sorted by; a button in the head does so. @default they cannot */
  readonly sort?: (row: Row) => number | string;
}

/** What a table shows. */
export interface TableProps<Row> {
  /** What it is, in a few words, for those who meet it as a region of the page. */
  readonly label: string;
  /** Said above it. */
  readonly caption?: ComponentChildren;
  readonly rows: readonly Row[];
  /** The first column, which names the rows; its head may be ''. */
  readonly first: Omit<Column<Row>, 'align'>;
  readonly columns: readonly Column<Row>[];
  /** Leaves out the heads, of a table of names and values. @default true */
  readonly heads?: boolean;
}

const classOf = ({ align }: Pick<Column<never>, 'align'>): string | undefined =>
  align === 'left' ? 'left' : undefined;

function Head<Row>({ column }: { readonly column: Column<Row> }): VNode {
  const { head, sort } = column;
  // An empty head names nothing.
  if (head === '') return <td />;
  return (
    <th scope="col" class={classOf(column)}>
      {sort ? (
        <button type="button" class="sort">
          {head}
        </button>
      ) : (
        head
      )}
    </th>
  );
}

/** The table. */
export function Table<Row>({ label, caption, rows, first, columns, heads = true }: TableProps<Row>): VNode {
  return (
    <div class="table" tabIndex={0} role="region" aria-label={label}>
      <table>
        {caption !== undefined && <caption>{caption}</caption>}
        {heads && (
          <thead>
            <tr>
              <Head column={{ ...first, align: 'left' }} />
              {columns.map((column) => (
                <Head column={column} />
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row, index) => (
            <tr>
              <th scope="row" data-sort={first.sort?.(row)}>
                {first.cell(row, index)}
              </th>
              {columns.map((column) => (
                <td class={classOf(column)} data-sort={column.sort?.(row)}>
                  {column.cell(row, index)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The name of a row with a note below it. */
export function RowName({ name, note = '' }: { readonly name: string; readonly note?: string }): VNode {
  return (
    <>
      {name}
      {note !== '' && <small>{note}</small>}
    </>
  );
}
