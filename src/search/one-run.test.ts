// A generator that draws whole pictures in one run is asked for them where nothing is drawn from what lies between, and the search is
// the same to the bit.

import { expect, it } from 'vitest';

import type { Draw } from '../core/random.js';
import type { CallOptions, Prefix } from '../models/contract.js';
import { BitModel } from './bit-model.suite.js';
import type { SearchOptions } from './registry.js';
import { play, WORLD } from './strategy.suite.js';

class OneRunModel extends BitModel {
  readonly drawn: number[] = [];
  extended = 0;

  override extend(...given: Parameters<BitModel['extend']>): Promise<Prefix[]> {
    this.extended++;
    return super.extend(...given);
  }

  async rollOut(draws: readonly Draw[], until: number, call?: CallOptions): Promise<Prefix[]> {
    this.drawn.push(draws.length);
    let prefixes = draws.map(() => this.begin());
    for (let step = 1; step <= until; step++) {
      const requests = prefixes.map((prefix, i) => ({ prefix, draw: (draws[i] as Draw).fold(step) }));
      const next = await super.extend(requests, call);
      for (const prefix of prefixes) prefix.release();
      prefixes = next;
    }
    return prefixes;
  }
}

/** Plays a search with both kinds of generator; gives what the one with rollouts was asked for. */
async function compared(options: SearchOptions): Promise<Pick<OneRunModel, 'drawn' | 'extended'>> {
  const usual = await play(options);
  const model = new OneRunModel(WORLD);
  const { events, result } = await play(options, { model });
  expect(events).toEqual(usual.events);
  expect(result).toEqual(usual.result);
  expect(model.ledger.record().nfe).toBe(usual.model.ledger.record().nfe);
  expect(model.alive).toBe(0);
  return model;
}

it('draws the pictures of random search so, and previews', async () => {
  expect(await compared({ strategy: 'random', images: 9 })).toMatchObject({ drawn: [4, 5], extended: 0 });
  const previews = await compared({ strategy: 'random', images: 9, rollout: 'preview:2' });
  // The winner is completed step by step.
  expect(previews).toMatchObject({ drawn: [4, 5], extended: 2 });
});

it('takes those of zero-order search so, whose rounds all begin at nothing', async () => {
  const { drawn, extended } = await compared({ strategy: 'zero-order' });
  expect(drawn.length).toBeGreaterThan(1);
  expect(extended).toBe(0);
});

it('goes step by step where candidates are drawn from', async () => {
  for (const keepElected of [false, true]) {
    const options: SearchOptions = { strategy: 'beam', width: 2, candidates: 3, keepElected };
    const { drawn, extended } = await compared(options);
    expect(drawn).toEqual([]);
    expect(extended).toBeGreaterThan(0);
  }
});
