// Beam search with the embedded model, w = 3 and c = 5, phase by phase, against the floor of its matrix products.

import { Ledger, type LedgerRecord, type PHASES } from '../src/core/ledger.js';
import { RandomKey } from '../src/core/random.js';
import { seatJury } from '../src/engine/jury.js';
import { findModel } from '../src/models/catalog.js';
import type { ImageModel } from '../src/models/contract.js';
import { createRuntime } from '../src/runtime/index.js';
import { resolveSearch, startSearch } from '../src/search/registry.js';
import { findVerifier } from '../src/verifiers/catalog.js';
import type { Verifier } from '../src/verifiers/contract.js';
import { matMulRate } from './matmul.js';
import { type BenchLine, median, repeat } from './measure.js';

const PROMPT = 'three red stars left of a blue circle';
const REPEATS = 5;

interface Timed {
  readonly total: number;
  readonly record: LedgerRecord;
}

async function searchOnce(model: ImageModel, verifier: Verifier): Promise<Timed> {
  const ledger = new Ledger();
  const start = performance.now();
  const generator = await model.prepare(PROMPT, ledger);
  const bench = await seatJury([verifier], {}).prepare(PROMPT, ledger);
  const sizes = resolveSearch({ strategy: 'beam', width: 3, candidates: 5 }, generator.schedule);
  const search = startSearch(sizes, { generator, bench, draw: RandomKey.fromSeed(7) });
  while (!(await search.next()).done);
  generator.close();
  bench.close();
  return { total: performance.now() - start, record: ledger.record() };
}

/** Beam search, w = 3 and c = 5. */
export const searchBenchmark = {
  name: 'toybox, beam search, w = 3, c = 5 (CLIPScore, seed 7)',
  run: async (): Promise<readonly BenchLine[]> => {
    const rate = await matMulRate();
    const runtime = await createRuntime();
    const model = await findModel('toybox').load({ runtime });
    const verifier = await findVerifier('clip-score').load({ runtime });
    const runs = await repeat(REPEATS, () => searchOnce(model, verifier));
    await model.close();
    await verifier.close();
    await runtime.close();
    const total = median(runs.map((run) => run.total));
    const phase = (name: (typeof PHASES)[number]): number =>
      median(runs.map(({ record }) => record.milliseconds[name]));
    const inside = phase('transformer') + phase('decoder') + phase('verifier');
    const { transformerFlops = 0, decoderFlops = 0 } = runs[0]?.record ?? {};
    return [
      { what: 'matrix product rate', value: rate / 1e9, unit: 'GFLOP/s' },
      { what: 'whole search', value: total, unit: 'ms' },
      { what: 'text', value: phase('text'), unit: 'ms' },
      {
        what: 'transformer',
        value: phase('transformer'),
        unit: 'ms',
        floor: (transformerFlops / rate) * 1000,
        goal: 3,
      },
      { what: 'decoder', value: phase('decoder'), unit: 'ms', floor: (decoderFlops / rate) * 1000 },
      { what: 'verifier', value: phase('verifier'), unit: 'ms' },
      {
        what: 'outside transformer, decoder and verifier',
        value: (100 * (total - inside)) / total,
        unit: '%',
        goal: 15,
      },
    ];
  },
};
