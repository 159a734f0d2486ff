// The ledger: what a search cost. Models and verifiers write it, strategies never look at a clock.
//
// Several searches may share an engine, which works their calls off one after the other. A search's time in a phase is that of
// its own calls: what it waited for those of others goes to the phase 'waiting'. Whoever has the queue tells (`noteWaiting`) the
// ledger for which the call is made, wherever in the work of `time` that is.

import { AsyncLocalStorage } from 'node:async_hooks';

/** The parts of a run whose wall-clock time is kept apart. */
export const PHASES = ['load', 'text', 'transformer', 'decoder', 'verifier', 'waiting'] as const;

/** One of the parts of a run. */
export type Phase = (typeof PHASES)[number];

/** All counts of a ledger, as plain data. */
export interface LedgerCounts {
  /** Function evaluations as the paper counts them: one per scale per sequence, nothing shared, guidance not doubled. */
  nfe: number;
  /** Calls of the transformer really made (one call serves a whole micro-batch). */
  forwardCalls: number;
  /** Sequences that went through the transformer, one per scale (guidance not doubled). */
  forwards: number;
  /** Tokens of those sequences (guidance not doubled). */
  tokens: number;
  /** Floating-point operations of the transformer's matrix products, guidance counted as it is run. */
  transformerFlops: number;
  /** Floating-point operations of the decoder's convolutions. */
  decoderFlops: number;
  /** Floating-point operations of the verifiers' matrix products on pictures, where a verifier tells them. */
  verifierFlops: number;
  imagesDecoded: number;
  /** Pictures scored, summed over verifiers. */
  imagesVerified: number;
}

/** Waiting within the work that is timed at the moment. */
const timed = new AsyncLocalStorage<{ waited: number }>();

/** Notes that the work under way has waited for that of others. */
export function noteWaiting(milliseconds: number): void {
  const work = timed.getStore();
  if (work) work.waited += milliseconds;
}

const ZERO: LedgerCounts = {
  nfe: 0,
  forwardCalls: 0,
  forwards: 0,
  tokens: 0,
  transformerFlops: 0,
  decoderFlops: 0,
  verifierFlops: 0,
  imagesDecoded: 0,
  imagesVerified: 0,
};

/** A ledger as it is written to result.json. */
export interface LedgerRecord extends LedgerCounts {
  /** Milliseconds of wall-clock time per phase; in 'waiting' others had the engine. */
  readonly milliseconds: Readonly<Record<Phase, number>>;
}

/** All operations that a ledger has counted: of transformer, decoder and verifiers. */
export function flopsOf(counts: LedgerCounts): number {
  return counts.transformerFlops + counts.decoderFlops + counts.verifierFlops;
}

/** Counts and times of one run; shared by everything that takes part in it. */
export class Ledger {
  readonly #counts: LedgerCounts = { ...ZERO };
  readonly #milliseconds: Record<Phase, number> = {
    load: 0,
    text: 0,
    transformer: 0,
    decoder: 0,
    verifier: 0,
    waiting: 0,
  };

  /** Adds to some of the counts. */
  add(counts: Partial<LedgerCounts>): void {
    for (const [name, value] of Object.entries(counts) as [keyof LedgerCounts, number][]) {
      this.#counts[name] += value;
    }
  }

  /** Adds time to a phase. */
  addTime(phase: Phase, milliseconds: number): void {
    this.#milliseconds[phase] += milliseconds;
  }

  /** Runs `work` and adds its wall-clock time to a phase, without what it waited for others, also when it fails. */
  async time<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const own = { waited: 0 };
    try {
      return await timed.run(own, work);
    } finally {
      const all = performance.now() - start;
      // Calls that are made together wait together.
      const waited = Math.min(own.waited, all);
      this.addTime(phase, all - waited);
      this.addTime('waiting', waited);
    }
  }

  /** The ledger so far, as plain data. */
  record(): LedgerRecord {
    return { ...this.#counts, milliseconds: { ...this.#milliseconds } };
  }
}
