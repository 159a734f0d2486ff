// A search over pictures of a model of random numbers: there is nothing to prefer in them, so that a coin is their judge, keyed by the
// order in which it sees them. What it tells is tokens, time by phase and memory.

import { seatJury } from '../../src/engine/jury.js';
import { type Ledger, RandomKey } from '../../src/index.js';
import type { Generator } from '../../src/models/contract.js';
import { estimate, resolveSearch, type SearchOptions, startSearch } from '../../src/search/registry.js';
import type { Verifier } from '../../src/verifiers/contract.js';

/** What a search has found out, for those who watch it. */
export type Told = (words: string) => void;

function coin(): Verifier {
  let seen = 0;
  return {
    name: 'coin',
    flops: 0,
    hashes: () => Promise.resolve({}),
    prepare: () =>
      Promise.resolve({
        score: (images) =>
          Promise.resolve(images.map(() => RandomKey.fromSeed(0).fold(seen++).uniform(1)[0] ?? NaN)),
        close: () => undefined,
      }),
    close: () => Promise.resolve(),
  };
}

/** Plays a search to its end and tells each round as it begins. */
export async function searchOnce(
  generator: Generator,
  ledger: Ledger,
  { options, told }: { readonly options: SearchOptions; readonly told: Told },
): Promise<void> {
  const search = resolveSearch(options, generator.schedule);
  const bench = await seatJury([coin()], {}).prepare('a picture', ledger);
  const draw = RandomKey.fromSeed(7);
  for await (const event of startSearch(search, { generator, bench, draw })) {
    if (event.type === 'round') {
      told(`round ${event.round} of ${event.rounds}, ${event.candidates} candidates`);
    }
  }
  bench.close();
  const { nfe, tokens, forwards, imagesDecoded, milliseconds } = ledger.record();
  const expected = estimate(search, generator.schedule);
  told(
    `search ${JSON.stringify(search)}: ${nfe} NFE, ${tokens} tokens in ${forwards} forward passes (foreseen ${expected.tokens}), ` +
      `${imagesDecoded} pictures decoded; transformer ${seconds(milliseconds.transformer)}, decoder ${seconds(milliseconds.decoder)}`,
  );
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
