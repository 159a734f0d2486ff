// The small parts of pages: sections, chips, figures, facts, notices, and what is folded away.

import type { ComponentChildren, VNode } from 'preact';

/** A section with its heading; `id` has to be the only one of its name on the page. */
export interface SectionProps {
  readonly id: string;
  readonly title: string;
  /** A sentence below the heading. */
  readonly lead?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A section of a page. */
export function Section({ id, title, lead, children }: SectionProps): VNode {
  return (
    <section aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {lead !== undefined && <p class="lead">{lead}</p>}
      {children}
    </section>
  );
}

/** A row of small labels; `name` comes before the bold value. */
export function Chips({
  items,
}: {
  readonly items: readonly { readonly name?: string; readonly value: string }[];
}): VNode {
  return (
    <ul class="chips">
      {items.map(({ name, value }) => (
        <li>
          {name === undefined ? '' : `${name} `}
          <b>{value}</b>
        </li>
      ))}
    </ul>
  );
}

/** A number that is worth being large. */
export interface Figure {
  readonly name: string;
  readonly value: ComponentChildren;
  /** What it is of, in small below it. */
  readonly note?: string;
  /** In the colour of the winner. @default false */
  readonly main?: boolean;
}

/** Large numbers side by side. */
export function Figures({ items }: { readonly items: readonly Figure[] }): VNode {
  return (
    <dl class="figures">
      {items.map(({ name, value, note = '', main = false }) => (
        <div class={main ? 'main' : undefined}>
          <dt>{name}</dt>
          <dd>
            {value}
            {note !== '' && <small>{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Names and values. */
export type FactList = readonly (readonly [name: string, value: ComponentChildren])[];

/** A list of facts; hidden ones are shown by the page's script. */
export function Facts({ items, hidden }: { readonly items: FactList; readonly hidden?: boolean }): VNode {
  return (
    <dl class="facts" hidden={hidden}>
      {items.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

/**
 * Something that is to be noticed: 'alarm' for what must not be passed over, 'notice' for what limits what the page says, 'calm' for
 * what is as it should be.
 */
export function Notice({
  tone = 'notice',
  children,
}: {
  readonly tone?: 'alarm' | 'notice' | 'calm';
  readonly children: ComponentChildren;
}): VNode {
  if (tone === 'alarm') {
    return (
      <p class="notice warning" role="alert">
        {children}
      </p>
    );
  }
  return <p class={tone === 'calm' ? 'notice calm' : 'notice'}>{children}</p>;
}

/** Text that is unfolded on demand, such as a file: as it is, in a box that scrolls. */
export function Folded({ summary, text }: { readonly summary: string; readonly text: string }): VNode {
  return (
    <details>
      <summary>{summary}</summary>
      <pre tabIndex={0} role="region" aria-label={summary}>
        {text}
      </pre>
    </details>
  );
}

/** A command line, with a button that copies it, which the page's script gives its work. */
export function Command({ text }: { readonly text: string }): VNode {
  return (
    <div class="command">
      <code tabIndex={0} role="region" aria-label="Command">
        {text}
      </code>
      <button type="button" data-copy hidden>
        Copy
      </button>
    </div>
  );
}
