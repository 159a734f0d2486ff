// The ledger: what a search cost. Models and verifiers write it, strategies never look at a clock.

/** The parts of a run whose wall-clock time is kept apart. */
export const PHASES = ['load', 'text', 'transformer', 'decoder', 'verifier'] as const;

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
  imagesDecoded: number;
  /** Pictures scored, summed over verifiers. */
  imagesVerified: number;
}

const ZERO: LedgerCounts = {
  nfe: 0,
  forwardCalls: 0,
  forwards: 0,
  tokens: 0,
  transformerFlops: 0,
  decoderFlops: 0,
  imagesDecoded: 0,
  imagesVerified: 0,
};

/** A ledger as it is written to result.json. */
export interface LedgerRecord extends LedgerCounts {
  /** Milliseconds of wall-clock time per phase. */
  readonly milliseconds: Readonly<Record<Phase, number>>;
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

  /** Runs `work` and adds its wall-clock time to a phase, also when it fails. */
  async time<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.addTime(phase, performance.now() - start);
    }
  }

  /** The ledger so far, as plain data. */
  record(): LedgerRecord {
    return { ...this.#counts, milliseconds: { ...this.#milliseconds } };
  }
}
