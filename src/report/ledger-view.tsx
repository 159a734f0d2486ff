// The ledger of a run: what was counted, what was really computed, and where the time went.

import { sum } from 'd3-array';
import type { VNode } from 'preact';

import { formatCount, formatDuration, formatLarge, formatPercent } from '../core/format.js';
import type { LedgerRecord, Phase } from '../core/ledger.js';
import { PHASES } from '../core/ledger.js';
import type { Schedule } from '../models/contract.js';
import type { GenerateResult } from '../run/result.js';
import { Section } from './components/parts.js';
import { RowName, Table } from './components/table.js';

/** One count of the ledger with its explanation. */
export interface LedgerLine {
  readonly name: string;
  readonly note: string;
  readonly value: (ledger: LedgerRecord) => number;
  readonly format: (value: number) => string;
}

const flops = (value: number): string => `${formatLarge(value)}FLOP`;

/** The counts of a ledger in the order in which reports show them; `unit` is what the model calls its steps. */
export const ledgerLines = (unit: Schedule['unit']): readonly LedgerLine[] => [
  {
    name: 'NFE',
    note: `as the paper counts: per ${unit} and sequence, nothing shared`,
    value: (l) => l.nfe,
    format: formatCount,
  },
  {
    name: 'Forward passes',
    note: 'sequences that really went through the transformer',
    value: (l) => l.forwards,
    format: formatCount,
  },
  { name: 'Calls', note: 'one call serves a whole batch', value: (l) => l.forwardCalls, format: formatCount },
  { name: 'Tokens', note: 'of those forward passes', value: (l) => l.tokens, format: formatCount },
  {
    name: 'Transformer',
    note: 'matrix products, guidance as it is run',
    value: (l) => l.transformerFlops,
    format: flops,
  },
  { name: 'Decoder', note: 'convolutions', value: (l) => l.decoderFlops, format: flops },
  {
    name: 'Verifiers',
    note: 'matrix products, where they tell',
    value: (l) => l.verifierFlops,
    format: flops,
  },
  { name: 'Pictures decoded', note: '', value: (l) => l.imagesDecoded, format: formatCount },
  {
    name: 'Pictures scored',
    note: 'summed over verifiers',
    value: (l) => l.imagesVerified,
    format: formatCount,
  },
];

const TONES: Readonly<Record<Phase | 'other', string>> = {
  load: 'tone-mean',
  text: 'tone-blue',
  transformer: 'tone-kept',
  decoder: 'tone-violet',
  verifier: 'tone-winner',
  waiting: 'tone-mean',
  other: 'tone-pruned',
};

/** Milliseconds by phase, with the rest of the wall-clock time as 'other'. */
export function timeByPhase(
  ledger: LedgerRecord,
  milliseconds: number,
): readonly (readonly [Phase | 'other', number])[] {
  const phases = PHASES.map((phase) => [phase, ledger.milliseconds[phase]] as const);
  const rest = milliseconds - phases.reduce((sum, [, time]) => sum + time, 0);
  return [...phases, ['other', Math.max(0, rest)] as const];
}

/** How many of the paper's function evaluations were not computed because something was shared. */
export function savedShare({ nfe, forwards }: LedgerRecord): number {
  return nfe === 0 ? 0 : 1 - forwards / nfe;
}

function CountsTable({ ledger, schedule }: Pick<GenerateResult, 'ledger' | 'schedule'>): VNode {
  return (
    <Table
      label="What was counted"
      heads={false}
      rows={ledgerLines(schedule.unit)}
      first={{ head: '', cell: ({ name, note }) => <RowName name={name} note={note} /> }}
      columns={[{ head: '', cell: ({ value, format }) => format(value(ledger)) }]}
    />
  );
}

function TimeBars({ ledger, milliseconds }: Pick<GenerateResult, 'ledger' | 'milliseconds'>): VNode {
  const times = timeByPhase(ledger, milliseconds);
  const total = sum(times, ([, time]) => time) || 1;
  const width = (time: number): string => `width:${((time / total) * 100).toFixed(2)}%`;
  return (
    <>
      <h3>{formatDuration(milliseconds)} of wall-clock time</h3>
      <div class="bar" aria-hidden="true">
        {times
          .filter(([, time]) => time > 0)
          .map(([phase, time]) => (
            <i class={TONES[phase]} style={width(time)} title={`${phase} ${formatDuration(time)}`} />
          ))}
      </div>
      <div class="rows">
        {times.map(([phase, time]) => (
          <>
            <span>{phase}</span>
            <span class={`track ${TONES[phase]}`}>
              <i style={width(time)} />
            </span>
            <span class="number">
              {formatDuration(time)} <span class="share">{formatPercent(time / total)}</span>
            </span>
          </>
        ))}
      </div>
    </>
  );
}

/** The section of a report that shows the ledger. */
export function LedgerSection({ result }: { readonly result: GenerateResult }): VNode {
  const { ledger, milliseconds, schedule } = result;
  const saved = savedShare(ledger);
  const lead =
    saved > 0
      ? `The paper would count ${formatCount(ledger.nfe)} function evaluations. Nothing is computed twice here, so ${formatCount(ledger.forwards)} forward passes were run: ${formatPercent(saved)} fewer.`
      : `${formatCount(ledger.nfe)} function evaluations, ${formatCount(ledger.forwards)} forward passes.`;
  return (
    <Section id="ledger" title="Ledger" lead={lead}>
      <div class="two">
        <div>
          <CountsTable {...{ ledger, schedule }} />
        </div>
        <div>
          <TimeBars {...{ ledger, milliseconds }} />
        </div>
      </div>
    </Section>
  );
}
