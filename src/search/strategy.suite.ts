// The suite that every strategy passes: determinism, agreement with the definition, order of events, releases, errors,
// cancellation. A new strategy adds a file that calls it with a few settings.

import { describe, expect, it } from 'vitest';

import { isAbortError, VarsearchError } from '../core/errors.js';
import { RandomKey } from '../core/random.js';
import { combineScores, ENSEMBLE_RULES, type EnsembleOptions } from '../verifiers/ensemble.js';
import { BitModel, type BitModelOptions, bitPanel, BitWorld } from './bit-model.suite.js';
import type { Search, SearchEvent, SearchResult } from './contract.js';
import { referenceSearch } from './reference.suite.js';
import {
  type ResolvedSearch,
  resolveSearch,
  type SearchOptions,
  startSearch,
  type StrategyName,
} from './registry.js';

const WORLD = new BitWorld([2, 3, 5, 8]);

/** A search over the bit model, and what it showed. */
export interface Played {
  readonly events: readonly SearchEvent[];
  readonly result: SearchResult;
  readonly model: BitModel;
}

/** Runs a search to its end. */
export async function play(
  options: SearchOptions,
  seed = 1,
  model = new BitModel(WORLD),
  rule: EnsembleOptions | null = null,
): Promise<Played> {
  const search = begin(resolveSearch(options, model.scales), model, { seed, rule });
  const events: SearchEvent[] = [];
  for (;;) {
    const next = await search.next();
    if (next.done === true) return { events, result: next.value, model };
    events.push(next.value);
  }
}

interface BeginOptions {
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly rule?: EnsembleOptions | null;
}

function begin(
  search: ResolvedSearch,
  model: BitModel,
  { seed = 1, signal, rule = null }: BeginOptions = {},
): Search {
  const panel = bitPanel(model, rule);
  return startSearch(search, { generator: model, panel, key: RandomKey.fromSeed(seed), signal });
}

async function drain(search: Search): Promise<void> {
  while ((await search.next()).done !== true);
}

/** Runs the contract suite for one strategy; `settings` are sizes that it must hold for. */
export function describeStrategy(
  strategy: StrategyName,
  settings: readonly Omit<SearchOptions, 'strategy'>[],
): void {
  const cases = settings.map((sizes): [string, SearchOptions] => [
    JSON.stringify(sizes),
    { strategy, ...sizes },
  ]);
  describe.each(cases)(`${strategy} %s`, (_, options) => {
    checkDefinition(options);
    checkEnsembles(options);
    checkEvents(options);
    checkReleases(options);
    checkFaults(options);
  });
}

function checkDefinition(options: SearchOptions): void {
  const search = resolveSearch(options, WORLD.scales);

  it.each([1, 2, 3, 4, 5])('finds what the definition finds, seed %i', async (seed) => {
    const { result } = await play(options, seed);
    const expected = referenceSearch(search, WORLD, RandomKey.fromSeed(seed));
    expect(result.tree.nodes.map(({ score }) => score)).toEqual(expected.scores);
    expect(result.score).toBe(expected.score);
    expect(WORLD.bitsOf(result.image)).toEqual(expected.bits);
  });

  it.each([1, 2, 3, 7])('finds the same in groups of %i', async (concurrency) => {
    const whole = await play(options);
    const parts = await play(options, 1, new BitModel(WORLD, { concurrency }));
    expect(parts.result).toEqual(whole.result);
  });

  it('depends on the seed', async () => {
    const scores = async (seed: number): Promise<number[]> =>
      (await play(options, seed)).result.tree.nodes.map(({ score }) => score);
    expect(await scores(1)).not.toEqual(await scores(2));
  });
}

function checkEnsembles(options: SearchOptions): void {
  const search = resolveSearch(options, WORLD.scales);

  describe.each(ENSEMBLE_RULES)('with an ensemble by %s', (by) => {
    const rule = { by, weights: [2, 1] };

    it.each([1, 2, 3])('finds what the definition finds, seed %i', async (seed) => {
      const { result } = await play(options, seed, new BitModel(WORLD), rule);
      const expected = referenceSearch(search, WORLD, RandomKey.fromSeed(seed), (pictures) =>
        combineScores(
          [pictures.map((bits) => WORLD.score(bits)), pictures.map((bits) => WORLD.liveliness(bits))],
          rule,
        ),
      );
      expect(result.tree.nodes.map(({ score }) => score)).toEqual(expected.scores);
      expect(result.score).toBe(expected.score);
      expect(WORLD.bitsOf(result.image)).toEqual(expected.bits);
      expect(result.tree.nodes.map(({ scores }) => scores)).toEqual(
        result.tree.nodes.map(({ image }) => {
          const bits = WORLD.bitsOf(image);
          return { target: WORLD.score(bits), liveliness: WORLD.liveliness(bits) };
        }),
      );
    });

    it.each([1, 3, 100])('finds the same in groups of %i, and releases every prefix', async (concurrency) => {
      for (const seed of [1, 2]) {
        const whole = await play(options, seed, new BitModel(WORLD), rule);
        const parts = await play(options, seed, new BitModel(WORLD, { concurrency }), rule);
        expect(parts.result).toEqual(whole.result);
        expect(parts.model.alive).toBe(0);
      }
    });

    it('of one member finds what that member finds alone', async () => {
      for (const seed of [1, 2]) {
        const shape = ({ result }: Played): unknown => ({
          winner: result.winner.id,
          image: result.image,
          nodes: result.tree.nodes.map(({ id, parent, beam, candidate, kept, scores }) => {
            return { id, parent, beam, candidate, kept, scores };
          }),
        });
        const model = new BitModel(WORLD, { concurrency: 3 });
        const joined = await play(options, seed, model, { by, weights: [1] });
        expect(shape(joined)).toEqual(shape(await play(options, seed)));
      }
    });

    it('tells a best so far that is the result in the end', async () => {
      const { events, result } = await play(options, 3, new BitModel(WORLD, { concurrency: 3 }), rule);
      const last = events.findLast((event) => event.type === 'scored');
      if (options.result !== 'last-round') expect(last?.best).toBe(result.winner);
      expect(result.winner.kept).toBe(true);
    });
  });
}

function checkEvents(options: SearchOptions): void {
  it('tells of every round in order, and of every candidate once', async () => {
    const { events, result } = await play(options, 1, new BitModel(WORLD, { concurrency: 3 }));
    const order = events.map(({ type }) => type[0]).join('');
    expect(order).toMatch(/^(rs+e)+$/);
    const rounds = events.filter((event) => event.type === 'round');
    expect(rounds.map(({ scale }) => scale)).toEqual(rounds.map((_, index) => index + 1));
    expect(new Set(rounds.map((event) => event.rounds))).toEqual(new Set([rounds.length]));
    const told = events.flatMap((event) => (event.type === 'scored' ? event.nodes : []));
    expect(told).toEqual(result.tree.nodes);
    expect(told.map(({ id }) => id)).toEqual(told.map((_, index) => index + 1));
    expect(rounds.reduce((sum, { candidates }) => sum + candidates, 0)).toBe(told.length);
  });

  it('tells the best so far, which is the result in the end', async () => {
    const { events, result } = await play(options, 3, new BitModel(WORLD, { concurrency: 3 }));
    let best = -Infinity;
    for (const event of events) {
      if (event.type !== 'scored') continue;
      best = Math.max(best, ...event.nodes.map(({ score }) => score));
      expect(event.best.score).toBe(best);
    }
    if (options.result !== 'last-round') expect(result.score).toBe(best);
    expect(result.winner.score).toBe(result.score);
    expect(result.winner.image).toBe(result.image);
    expect(result.winner.kept).toBe(true);
  });

  it('elects the best of the round, best first, the earlier of equals', async () => {
    const { events } = await play(options, 4);
    let round: { readonly id: number; readonly score: number }[] = [];
    for (const event of events) {
      if (event.type === 'round') round = [];
      else if (event.type === 'scored') round.push(...event.nodes);
      else {
        const ranking = round.sort((a, b) => b.score - a.score || a.id - b.id).map(({ id }) => id);
        expect(event.nodes.map(({ id }) => id)).toEqual(ranking.slice(0, event.nodes.length));
      }
    }
  });

  it('grows a tree: every parent was elected the scale before, and every kept node is a parent or the winner', async () => {
    const { result } = await play(options, 5);
    const byId = new Map(result.tree.nodes.map((node) => [node.id, node]));
    const parents = new Set(result.tree.nodes.map(({ parent }) => parent));
    for (const node of result.tree.nodes) {
      const parent = byId.get(node.parent);
      if (parent) {
        expect(parent.scale).toBe(node.scale - 1);
        expect(parent.kept).toBe(true);
        const shared = WORLD.bitsOf(parent.image).slice(0, parent.scale);
        expect(WORLD.bitsOf(node.image).slice(0, parent.scale)).toEqual(shared);
      } else expect(node.parent).toBe(0);
      expect(node.kept).toBe(parents.has(node.id) || node === result.winner);
    }
  });
}

function checkReleases(options: SearchOptions): void {
  const search = resolveSearch(options, WORLD.scales);

  it('releases every prefix when it ends', async () => {
    const { model } = await play(options);
    expect(model.alive).toBe(0);
  });

  it('holds no more than its elected candidates from round to round', async () => {
    const model = new BitModel(WORLD);
    for await (const event of begin(search, model)) {
      if (event.type !== 'elected') continue;
      const scales = options.keepElected ? WORLD.scales.length : event.scale;
      expect(model.alive).toBeLessThanOrEqual(1 + event.nodes.length * scales);
    }
  });

  it('releases every prefix when it is left after any event', async () => {
    const { events } = await play(options);
    for (let stop = 0; stop <= events.length; stop++) {
      const model = new BitModel(WORLD);
      const running = begin(search, model);
      for (let i = 0; i < stop; i++) await running.next();
      if (stop > 0 && stop < events.length) expect(model.alive).toBeGreaterThan(0);
      await running.return(undefined as never);
      expect(model.alive, `after event ${stop}`).toBe(0);
    }
  });

  it('releases every prefix when any call fails, and passes the error on', async () => {
    const calls = await countCalls(search);
    for (let failing = 0; failing < calls; failing++) {
      const onCall: BitModelOptions['onCall'] = (_, number) => {
        if (number === failing) throw new Error(`call ${number} failed`);
      };
      const model = new BitModel(WORLD, { onCall, concurrency: 4 });
      await expect(drain(begin(search, model))).rejects.toThrow(`call ${failing} failed`);
      expect(model.alive).toBe(0);
    }
  });

  it('ends between any two calls when it is cancelled, and releases every prefix', async () => {
    const calls = await countCalls(search);
    for (let cancelling = 0; cancelling < calls; cancelling++) {
      const controller = new AbortController();
      let last = -1;
      const onCall: BitModelOptions['onCall'] = (_, number) => {
        last = number;
        if (number === cancelling) controller.abort();
      };
      const model = new BitModel(WORLD, { onCall, concurrency: 4 });
      const failure = await drain(begin(search, model, { signal: controller.signal })).catch(
        (error: unknown) => error,
      );
      expect(isAbortError(failure)).toBe(true);
      expect(last).toBe(cancelling);
      expect(model.alive).toBe(0);
    }
  });

  it('does nothing when it is cancelled before it begins', async () => {
    const model = new BitModel(WORLD);
    const reason = new Error('not wanted any more');
    await expect(drain(begin(search, model, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect(model.ledger.record().nfe).toBe(0);
    expect(model.alive).toBe(0);
  });
}

function checkFaults(options: SearchOptions): void {
  const search = resolveSearch(options, WORLD.scales);
  const faults: [string, (scores: number[]) => number[], RegExp][] = [
    ['NaN', (scores) => [...scores.slice(0, -1), NaN], /scored picture \d+ of \d+ as NaN/],
    ['an infinite score', (scores) => scores.map(() => Infinity), /scored picture 1 of \d+ as Infinity/],
    ['a score too few', (scores) => scores.slice(1), /gave \d+ scores for \d+ pictures/],
    ['a score too many', (scores) => [...scores, 0], /gave \d+ scores for \d+ pictures/],
  ];
  it.each(faults)('refuses %s', async (_, corrupt, message) => {
    const model = new BitModel(WORLD, { corrupt });
    const failure = await drain(begin(search, model)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(VarsearchError);
    expect((failure as Error).message).toMatch(message);
    expect(model.alive).toBe(0);
  });
}

async function countCalls(search: ResolvedSearch): Promise<number> {
  let calls = 0;
  await drain(begin(search, new BitModel(WORLD, { onCall: () => calls++, concurrency: 4 })));
  return calls;
}

/** The mean score over some seeds. */
export async function meanScore(options: SearchOptions, seeds = 40): Promise<number> {
  let sum = 0;
  for (let seed = 0; seed < seeds; seed++) sum += (await play(options, seed)).result.score;
  return sum / seeds;
}
