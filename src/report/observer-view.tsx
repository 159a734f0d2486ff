// What the observers of a search say: a table of what every verifier says of the winner, and a clear warning of verifier hacking.

import type { VNode } from 'preact';

import { formatCount, formatDuration, formatGain, formatScore } from '../core/format.js';
import type { ObserverReport, ObserverRow } from '../run/observers.js';
import { Notice, Section } from './components/parts.js';
import { RowName, Table } from './components/table.js';

const ROLES: Readonly<Record<ObserverRow['role'], string>> = {
  guiding: 'guided the search',
  'held-out': 'held out',
};

/** The finding of a report; an alarm where the search has hacked its verifiers, and nowhere else. */
export function Finding({
  report,
  of = '',
}: {
  readonly report: ObserverReport;
  readonly of?: string;
}): VNode {
  return <Notice tone={report.hacking ? 'alarm' : 'calm'}>{`${of}${report.message}`}</Notice>;
}

/** The section of a report on those that did not guide the search; nothing where there is no report. */
export function ObserverSection({ report }: { readonly report: ObserverReport | null }): VNode | null {
  if (!report) return null;
  const { pictures, rows, ledger } = report;
  const lead =
    `The winner against the ${pictures === 1 ? 'one picture' : `${formatCount(pictures)} pictures`} of the first round, which ${pictures === 1 ? 'is' : 'are'} what one gets ` +
    'without a search. A gain counts standard deviations of that round. Verifiers are hacked when those that guided the search rise on ' +
    'average while those held out fall further than chance takes them.';
  const caption = rows.some(({ role }) => role === 'held-out')
    ? `Asking those held out took ${formatCount(ledger.imagesVerified)} scores and ${formatDuration(ledger.milliseconds.verifier)}, which are not in the ledger below.`
    : undefined;
  return (
    <Section id="observers" title="Did the picture get better, or only its score?" lead={lead}>
      <Finding report={report} />
      <Table<ObserverRow>
        label="What every verifier says of the winner"
        {...(caption === undefined ? {} : { caption })}
        rows={rows}
        first={{
          head: 'Verifier',
          cell: ({ verifier, role }) => <RowName name={verifier} note={ROLES[role]} />,
        }}
        columns={[
          {
            head: 'First round',
            cell: ({ mean, deviation }) =>
              `${formatScore(mean)} \u00b1 ${deviation === null ? '?' : formatScore(deviation)}`,
          },
          { head: 'First picture', cell: ({ first }) => formatScore(first) },
          { head: 'Winner', cell: ({ winner }) => formatScore(winner) },
          {
            head: 'Gain',
            cell: ({ role, gain }) => (
              <span class={role === 'held-out' && gain !== null && gain < 0 ? 'most' : undefined}>
                {formatGain(gain)}
              </span>
            ),
          },
        ]}
      />
    </Section>
  );
}
