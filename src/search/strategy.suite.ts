// The suite that every strategy passes: determinism, agreement with the definition and with the arithmetic of its cost, order
// of events, data that never changes, pictures shown once, releases, errors, cancellation. A new strategy adds a file that
// calls it with a few settings.

import { describe, expect, it } from 'vitest';

import { isAbortError } from '../core/errors.js';
import { RandomKey } from '../core/random.js';
import { Reservation } from '../core/reservation.js';
import type { View } from '../models/contract.js';
import { heightOf, isRelative, type Jury, JURY_RULES, resolveJury } from '../verifiers/jury.js';
import {
  bitBench,
  type BitJudge,
  BitModel,
  type BitModelOptions,
  type Bits,
  BitWorld,
  TARGET_ALONE,
} from './bit-model.suite.js';
import type { Candidate, Fate, Search, SearchEvent, SearchResult, Shown } from './contract.js';
import { referenceSearch } from './reference.suite.js';
import {
  checkSearch,
  estimate,
  findStrategy,
  memoryNeed,
  resolveSearch,
  type SearchOptions,
  startSearch,
} from './registry.js';
import { rolloutOf, untilOf } from './rollout.js';

/** The world that strategies are tried in where nothing else is said. */
export const WORLD = new BitWorld([2, 3, 5, 8]);

/** A search over the bit model, and what it told and showed. */
export interface Played {
  readonly events: readonly SearchEvent[];
  readonly result: SearchResult;
  readonly model: BitModel;
  /** What was shown, in order. */
  readonly shown: readonly Shown[];
}

/** How a search over the bit model is run. */
export interface PlayOptions {
  /** @default 1 */
  readonly seed?: number;
  /** @default a new one over WORLD */
  readonly model?: BitModel;
  /** @default the judge who knows the target */
  readonly jury?: Jury;
  readonly signal?: AbortSignal;
  readonly reservation?: Reservation;
  readonly show?: (pictures: readonly Shown[]) => Promise<void>;
  /** Called with every event as it comes. */
  readonly onEvent?: (event: SearchEvent) => void;
}

/** Runs a search to its end. */
export async function play(options: SearchOptions, how: PlayOptions = {}): Promise<Played> {
  const { model = new BitModel(WORLD), onEvent } = how;
  const shown: Shown[] = [];
  const events: SearchEvent[] = [];
  const show = (pictures: readonly Shown[]): Promise<void> => Promise.resolve(void shown.push(...pictures));
  const search = begin(options, { show, ...how, model });
  for (;;) {
    const next = await search.next();
    if (next.done === true) return { events, result: next.value, model, shown };
    events.push(next.value);
    onEvent?.(next.value);
  }
}

function begin(
  options: SearchOptions,
  { seed = 1, model = new BitModel(WORLD), jury = TARGET_ALONE, signal, reservation, show }: PlayOptions = {},
): Search {
  const search = resolveSearch(options, model.schedule);
  checkSearch(search, { schedule: model.schedule, jury });
  const bench = bitBench(model, jury);
  const draw = RandomKey.fromSeed(seed);
  return startSearch(search, { generator: model, bench, draw, signal, reservation, show });
}

async function drain(search: Search): Promise<void> {
  while ((await search.next()).done !== true);
}

/** The bits of every candidate's picture, in the order of candidates. */
export function picturesOf({ result, shown, model }: Played): readonly Bits[] {
  const pictures = new Map(
    shown.map(({ candidate, image }) => [candidate.id, model.world.bitsOf(image)] as const),
  );
  return result.candidates.map(({ id, sameAs }) => pictures.get(sameAs ?? id) ?? []);
}

/** The score of the picture that a search by one judge gives. */
export function scoreOf({ result }: Pick<Played, 'result'>): number {
  return heightOf(result.standing);
}

/** The standings of the best of every round, higher is better. */
export function bestOfRounds({ events }: Pick<Played, 'events'>): number[] {
  return events.flatMap((event) =>
    event.type === 'elected' ? event.fates.slice(0, 1).map(({ standing }) => heightOf(standing)) : [],
  );
}

/** The mean score over some seeds. */
export async function meanScore(options: SearchOptions, seeds = 40): Promise<number> {
  let sum = 0;
  for (let seed = 0; seed < seeds; seed++) sum += scoreOf(await play(options, { seed }));
  return sum / seeds;
}

const WEIGHTED = JURY_RULES.map((rule) => resolveJury(['target', 'liveliness'], { rule, weights: [2, 1] }));

/** The juries that a search takes of those that weigh. */
function weightedFor(options: SearchOptions): readonly Jury[] {
  const { strategy, ...sizes } = resolveSearch(options, WORLD.schedule);
  const absolute = findStrategy(strategy).needs?.(sizes, WORLD.schedule).absolute === true;
  return WEIGHTED.filter((jury) => !absolute || !isRelative(jury));
}

/** Whether rounds judge prefixes as far as they have come, and not completions. */
const judgesPrefixes = ({ strategy }: SearchOptions): boolean => strategy === 'particles';

/** Runs the contract suite for one strategy; `settings` are options that it must hold for. */
export function describeStrategy(name: string, settings: readonly SearchOptions[]): void {
  const cases = settings.map((options) => [JSON.stringify(options), options] as const);
  describe.each(cases)(`${name} %s`, (_, options) => {
    checkDefinition(options);
    checkJuries(options);
    checkEvents(options);
    checkData(options);
    checkPictures(options);
    checkReleases(options);
    checkMemory(options);
    checkCancelling(options);
  });
}

/**
 * In the least memory, where nothing is held that can be drawn again, a search finds what it finds in plenty. Whoever does not say
 * what he holds gets all that there is.
 */
function checkMemory(options: SearchOptions): void {
  if (!findStrategy(options.strategy).rounds) return;
  it.each([TARGET_ALONE, ...weightedFor(options)])(
    'gives the same in the least memory, by $rule',
    async (jury) => {
      const search = resolveSearch(options, WORLD.schedule);
      const need = memoryNeed(search, { schedule: WORLD.schedule, jury });
      const plenty = await play(options, { seed: 3, jury });
      for (const bytes of [need?.least ?? NaN, need?.most ?? NaN]) {
        const reservation = new Reservation(bytes);
        const tight = await play(options, { seed: 3, jury, reservation });
        expect(tight.result).toEqual(plenty.result);
        expect(picturesOf(tight)).toEqual(picturesOf(plenty));
        expect(tight.model.ledger.record().nfe).toBe(plenty.model.ledger.record().nfe);
        expect(tight.model.alive).toBe(0);
        expect(reservation.held).toBe(0);
      }
      const short = new Reservation((need?.least ?? NaN) - 1);
      await expect(play(options, { jury, reservation: short })).rejects.toThrow(/does not fit into \d/);
    },
  );
}

/** Compares a search with the definition of its strategy. */
async function expectDefinition(options: SearchOptions, seed: number, jury: Jury): Promise<void> {
  const played = await play(options, { seed, jury });
  const { result } = played;
  const search = resolveSearch(options, WORLD.schedule);
  const expected = referenceSearch(search, WORLD, RandomKey.fromSeed(seed), jury);
  const fates = new Map(result.fates.map((fate) => [fate.id, fate]));
  const numbers = result.candidates.map(({ id }) => numberOf(fates.get(id)));
  const pictures = picturesOf(played);
  expect(numbers).toEqual(expected.numbers);
  expect(pictures).toEqual(expected.pictures);
  expect(pictures[result.winner - 1]).toEqual(expected.winner);
  expect(heightOf(result.standing)).toBe(expected.number);
  expect(result.candidates.map(({ scores }) => scores)).toEqual(
    pictures.map((bits) => {
      const scores = WORLD.scoresOf(bits);
      return Object.fromEntries(jury.judges.map((judge) => [judge, scores[judge as BitJudge]]));
    }),
  );
}

function numberOf(fate: Fate | undefined): number {
  return fate ? heightOf(fate.standing) : NaN;
}

function checkDefinition(options: SearchOptions): void {
  it.each([1, 2, 3, 4, 5])('finds what the definition finds, seed %i', async (seed) => {
    await expectDefinition(options, seed, TARGET_ALONE);
  });

  it.each([1, 2, 3, 7])('finds the same in groups of %i', async (room) => {
    const whole = await play(options);
    const parts = await play(options, { model: new BitModel(WORLD, { room }) });
    expect(parts.result).toEqual(whole.result);
    expect(parts.shown).toEqual(whole.shown);
  });

  it('finds the same where nobody is shown anything', async () => {
    const unseen = await play(options, { show: undefined as never });
    const seen = await play(options);
    expect([unseen.events, unseen.result]).toEqual([seen.events, seen.result]);
  });

  it('depends on the seed', async () => {
    expect(picturesOf(await play(options, { seed: 1 }))).not.toEqual(
      picturesOf(await play(options, { seed: 2 })),
    );
  });

  it('costs what is foretold: nothing is computed twice', async () => {
    for (const room of [1, 3, 64]) {
      const { model } = await play(options, { model: new BitModel(WORLD, { room }) });
      const { nfe, forwards, tokens, imagesDecoded, imagesVerified } = model.ledger.record();
      const { images, exact, ...foretold } = estimate(resolveSearch(options, WORLD.schedule), WORLD.schedule);
      expect([imagesDecoded, imagesVerified]).toEqual([images, images]);
      expect(foretold.nfe).toBe(nfe);
      if (exact) expect(foretold).toMatchObject({ forwards, tokens });
      else {
        expect(foretold.forwards).toBeGreaterThanOrEqual(forwards);
        expect(foretold.tokens).toBeGreaterThanOrEqual(tokens);
      }
    }
  });
}

function checkJuries(options: SearchOptions): void {
  describe.each(weightedFor(options))('with a jury by $rule', (jury) => {
    it.each([1, 2, 3])('finds what the definition finds, seed %i', async (seed) => {
      await expectDefinition(options, seed, jury);
    });

    it.each([1, 3, 100])('finds the same in groups of %i, and releases every prefix', async (room) => {
      for (const seed of [1, 2]) {
        const whole = await play(options, { seed, jury });
        const parts = await play(options, { seed, jury, model: new BitModel(WORLD, { room }) });
        expect(parts.result).toEqual(whole.result);
        expect(parts.model.alive).toBe(0);
      }
    });

    it('in which one alone has a say finds what that one finds alone', async () => {
      for (const seed of [1, 2]) {
        const silent = { ...jury, weights: [1, 0] };
        const joined = await play(options, { seed, jury: silent, model: new BitModel(WORLD, { room: 3 }) });
        expect(shapeOf(joined)).toEqual(shapeOf(await play(options, { seed })));
      }
    });

    it('finds the same in whatever order the judges are named', async () => {
      const names = ['target', 'liveliness', 'light'];
      const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]; // prettier-ignore
      for (const weights of [
        [1, 1, 1],
        [0.1, 0.2, 0.2],
        [1 / 3, 1, 2 / 3],
      ]) {
        const found = orders.map(async (order) => {
          const given = {
            rule: jury.rule as (typeof JURY_RULES)[number],
            weights: order.map((i) => weights[i] ?? 0),
          };
          const { result } = await play(options, {
            jury: resolveJury(
              order.map((i) => names[i] ?? ''),
              given,
            ),
          });
          return result;
        });
        const [first, ...others] = await Promise.all(found);
        for (const other of others) expect(other).toEqual(first);
      }
    });
  });
}

/** What a search drew and elected, without scores. */
function shapeOf({ result, shown }: Played): unknown {
  return {
    winner: result.winner,
    pictures: shown.map(({ image }) => image),
    candidates: result.candidates.map(({ id, parent, step, path, sameAs }) => ({
      id,
      parent,
      step,
      path,
      sameAs,
    })),
    fates: result.fates.map(({ id, copies }) => ({ id, copies })),
  };
}

/** A round as it was told. */
interface ToldRound {
  readonly candidates: readonly Candidate[];
  readonly fates: readonly Fate[];
}

function roundsOf({ events }: Played): ToldRound[] {
  const rounds: ToldRound[] = [];
  let candidates: Candidate[] = [];
  for (const event of events) {
    if (event.type === 'round') candidates = [];
    else if (event.type === 'judged') candidates.push(...event.candidates);
    else rounds.push({ candidates, fates: event.fates });
  }
  return rounds;
}

function checkEvents(options: SearchOptions): void {
  const inGroups = (seed: number, jury?: Jury): Promise<Played> =>
    play(options, { seed, model: new BitModel(WORLD, { room: 3 }), ...(jury && { jury }) });

  it('tells of every round in order, and of every candidate once', async () => {
    const { events, result } = await inGroups(1);
    expect(events.map(({ type }) => type[0]).join('')).toMatch(/^(rj+e)+$/);
    const rounds = events.filter((event) => event.type === 'round');
    expect(rounds.map(({ round }) => round)).toEqual(rounds.map((_, index) => index + 1));
    expect(rounds.at(-1)?.step).toBe(WORLD.schedule.steps.length);
    expect(new Set(rounds.map((event) => event.rounds))).toEqual(new Set([rounds.length]));
    const elected = events.filter((event) => event.type === 'elected');
    expect(elected.map(({ round }) => round)).toEqual(rounds.map(({ round }) => round));
    const told = events.flatMap((event) => (event.type === 'judged' ? event.candidates : []));
    expect(told).toEqual(result.candidates);
    expect(told.map(({ id }) => id)).toEqual(told.map((_, index) => index + 1));
    const { path = [], sameAs } = told[(rounds.at(-1)?.completes ?? 0) - 1] ?? {};
    const [drawnIn] = sameAs === undefined ? path : (told[sameAs - 1]?.path ?? []);
    expect(told.map(({ path: [round] }) => round)).toEqual(
      // A preview that is completed goes on with its own draws.
      rounds.flatMap(({ round, candidates, completes }) =>
        Array<number | undefined>(candidates).fill(completes === undefined ? round : drawnIn),
      ),
    );
    const { steps } = WORLD.schedule;
    const until = untilOf(rolloutOf(resolveSearch(options, WORLD.schedule)));
    const asFar = judgesPrefixes(options) || until === 'none';
    for (const { step, judgedAt, view } of told) {
      const goal = asFar || typeof until !== 'number' ? steps.length : until;
      expect(judgedAt).toBe(asFar || step === steps.length ? step : goal);
      expect(view).toBe(until === 'none' && step < steps.length ? 'full' : undefined);
    }
    expect(rounds.map(({ completes }) => completes !== undefined)).toEqual(
      rounds.map((_, i) => typeof until === 'number' && i === rounds.length - 1),
    );
    if (typeof until === 'number') expect(told.at(-1)?.parent).toBe(rounds.at(-1)?.completes);
  });

  it('tells the best so far, the earliest of equals, which is the winner in the end', async () => {
    const { events, result } = await inGroups(3);
    const known = new Map(result.candidates.map(({ id, scores }) => [id, scores['target'] ?? NaN]));
    let [best, most] = [0, 0];
    for (const event of events) {
      if (event.type !== 'judged') continue;
      for (const { id, judgedAt } of event.candidates) {
        if (judgedAt > most || (known.get(id) ?? NaN) > (known.get(best) ?? NaN)) best = id;
        most = judgedAt;
      }
      expect(event.best).toBe(best);
    }
    expect(result.standing).toEqual({ score: known.get(result.winner) });
    if (!takesLastRound(options)) expect(result.winner).toBe(best);
  });

  it.each(weightedFor(options))(
    'tells a best so far by $rule that is the winner in the end',
    async (jury) => {
      const { events, result } = await inGroups(3, jury);
      const last = events.findLast((event) => event.type === 'judged');
      if (!takesLastRound(options)) expect(last?.best).toBe(result.winner);
      const most = Math.max(...result.candidates.map(({ judgedAt }) => judgedAt));
      const distinct = result.candidates.filter(
        ({ sameAs, judgedAt }) => sameAs === undefined && judgedAt === most,
      );
      const from = takesLastRound(options)
        ? (roundsOf({ events } as Played).at(-1)?.candidates ?? [])
        : distinct;
      if ('of' in result.standing) expect(result.standing.of).toBe(from.length);
    },
  );

  it('tells the fates of every round: all of its candidates, best first, the earlier of equals that go nowhere', async () => {
    for (const jury of [TARGET_ALONE, ...weightedFor(options)]) {
      const played = await inGroups(4, jury);
      const rounds = roundsOf(played);
      expect(played.result.fates).toEqual(rounds.flatMap(({ fates }) => fates));
      for (const { candidates, fates } of rounds) {
        // Who is elected of equals (in the last rounds nobody has copies), and the order of equal z-scores, is the definition's business.
        const open = jury.rule === 'z-score' || fates.every(({ copies }) => copies === 0);
        const order = (a: Fate, b: Fate): number => (open || a.copies + b.copies > 0 ? 0 : a.id - b.id);
        const ranking = fates.toSorted((a, b) => heightOf(b.standing) - heightOf(a.standing) || order(a, b));
        expect(fates).toEqual(ranking);
        expect(fates.map(({ id }) => id).sort((a, b) => a - b)).toEqual(candidates.map(({ id }) => id));
        for (const { standing } of fates) {
          if ('of' in standing) expect(standing.of).toBe(candidates.length);
          else expect(jury.rule).toMatch(/score|weighted-sum/);
        }
        // The best go on: copies fall from first to last. By weight, everybody has his share, rounded up or down.
        const copies = fates.map((fate) => fate.copies);
        if (!judgesPrefixes(options)) expect(copies).toEqual(copies.toSorted((a, b) => b - a));
        const drawn = copies.reduce((sum, each) => sum + each, 0);
        for (const { weight, copies: own } of drawn > 0 ? fates : []) {
          if (weight !== undefined) expect(Math.abs(own - weight * drawn)).toBeLessThan(1);
        }
      }
    }
  });

  it('grows a tree: the parents of a round are those of the round before that have copies', async () => {
    const played = await inGroups(5);
    const byId = new Map(played.result.candidates.map((candidate) => [candidate.id, candidate]));
    const pictures = picturesOf(played);
    let parents: readonly number[] = [0];
    const { completes } = played.events.findLast((event) => event.type === 'round') ?? {};
    for (const { candidates, fates } of roundsOf(played)) {
      const [only] = candidates;
      if (only?.step === WORLD.schedule.steps.length && completes !== undefined) {
        expect(only.parent).toBe(completes);
        const preview = pictures[only.parent - 1] ?? [];
        expect(pictures[only.id - 1]?.slice(0, preview.length)).toEqual(preview);
        continue;
      }
      expect([...new Set(candidates.map(({ parent }) => parent))]).toEqual(parents);
      for (const { id, parent, step, path } of candidates) {
        expect(path[1]).toBe(parents.indexOf(parent));
        const from = byId.get(parent);
        if (!from) continue;
        // What is drawn around a picture shares nothing with it.
        if (from.step === WORLD.schedule.steps.length) continue;
        if (!judgesPrefixes(options)) expect(from.step).toBe(step - 1);
        expect(from.step).toBeLessThan(step);
        const shared = pictures[parent - 1]?.slice(0, from.step);
        expect(pictures[id - 1]?.slice(0, from.step)).toEqual(shared);
      }
      parents = fates.filter(({ copies }) => copies > 0).map(({ id }) => id);
    }
    expect(parents).toEqual([]);
  });
}

/** Whether the winner is of the last round, whatever came before. */
function takesLastRound(options: SearchOptions): boolean {
  return 'result' in options && options.result === 'last-round';
}

function checkData(options: SearchOptions): void {
  it('tells plain JSON that never changes later, and no pixels', async () => {
    const snapshots: string[] = [];
    const onEvent = (event: SearchEvent): void => {
      expect(JSON.parse(JSON.stringify(event))).toEqual(event);
      snapshots.push(JSON.stringify(event));
    };
    for (const jury of [TARGET_ALONE, ...weightedFor(options)]) {
      snapshots.length = 0;
      const { events, result } = await play(options, {
        jury,
        onEvent,
        model: new BitModel(WORLD, { room: 2 }),
      });
      expect(events.map((event) => JSON.stringify(event))).toEqual(snapshots);
      expect(JSON.parse(JSON.stringify(result))).toEqual(result);
      const names = ['id', 'judgedAt', 'parent', 'path', 'scores', 'step'];
      for (const { sameAs, view: _, ...candidate } of result.candidates) {
        expect(Object.keys(candidate).sort()).toEqual(names);
        expect(sameAs ?? 1).toBeGreaterThan(0);
      }
    }
  });

  it('gives a result that does not change when what was told is changed', async () => {
    const expected = (await play(options)).result;
    const spoil = (event: SearchEvent): void => {
      if (event.type === 'judged') (event.candidates as Candidate[]).length = 0;
      if (event.type === 'elected') (event.fates as Fate[]).length = 0;
    };
    expect((await play(options, { onEvent: spoil })).result).toEqual(expected);
  });

  it('gives the same when it is resolved again, also from JSON', () => {
    const once = resolveSearch(options, WORLD.schedule);
    expect(resolveSearch(once, WORLD.schedule)).toEqual(once);
    expect(resolveSearch(JSON.parse(JSON.stringify(once)) as SearchOptions, WORLD.schedule)).toEqual(once);
  });
}

function checkPictures(options: SearchOptions): void {
  it('shows every new picture once, before it is told of, with a state that draws it again', async () => {
    const seen: number[] = [];
    const model = new BitModel(WORLD, { room: 3 });
    const show = async (pictures: readonly Shown[]): Promise<void> => {
      // Nothing goes on while somebody looks.
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(...pictures.map(({ candidate }) => candidate.id));
    };
    const onEvent = (event: SearchEvent): void => {
      if (event.type !== 'judged') return;
      for (const { id, sameAs } of event.candidates) {
        expect(seen.includes(id)).toBe(sameAs === undefined);
        if (sameAs !== undefined) expect(seen).toContain(sameAs);
      }
    };
    const { result } = await play(options, { model, show, onEvent });
    const drawn = result.candidates.filter(({ sameAs }) => sameAs === undefined);
    expect(seen).toEqual(drawn.map(({ id }) => id));

    const { shown } = await play(options);
    expect(shown.map(({ candidate }) => candidate)).toEqual(drawn);
    const { nfe } = model.ledger.record();
    for (const { image, state, candidate } of shown) {
      const prefix = model.unpack(state);
      expect(prefix.step).toBe(candidate.judgedAt);
      const whole = prefix.step === WORLD.schedule.steps.length;
      const views: readonly View[] = whole ? ['own', 'full'] : [candidate.view ?? 'own'];
      for (const view of views) expect(await model.decode([prefix], view)).toEqual([image]);
      expect(candidate.scores).toEqual({ target: WORLD.scoresOf(WORLD.bitsOf(image)).target });
      prefix.release();
    }
    expect(model.ledger.record().nfe).toBe(nfe);
  });

  it('ends with the error of those who look, and releases every prefix', async () => {
    const model = new BitModel(WORLD);
    const show = (): Promise<void> => Promise.reject(new Error('the disk is full'));
    await expect(play(options, { model, show })).rejects.toThrow('the disk is full');
    expect(model.alive).toBe(0);
  });
}

function checkReleases(options: SearchOptions): void {
  const sizes = resolveSearch(options, WORLD.schedule);
  const keepsRollouts = 'keepElected' in sizes && sizes.keepElected;
  const width = ('width' in options ? options.width : undefined) ?? 1;
  const previews = typeof untilOf(rolloutOf(sizes)) === 'number';

  it('releases every prefix when it ends', async () => {
    const { model } = await play(options);
    expect(model.alive).toBe(0);
    model.close();
  });

  it('holds no more than its elected candidates from round to round', async () => {
    const { steps } = WORLD.schedule;
    for (const jury of [TARGET_ALONE, ...weightedFor(options)]) {
      const model = new BitModel(WORLD);
      let step = 0;
      const onEvent = (event: SearchEvent): void => {
        if (event.type === 'round') step = event.step;
        if (event.type !== 'elected' || step === steps.length) return;
        const copied = event.fates.filter(({ copies }) => copies > 0).length;
        // After the last round of previews, until one of them is completed.
        const elected = copied > 0 || !previews ? copied : width;
        const chains = elected * (keepsRollouts ? steps.length - step + 1 : 1);
        // Of previews those that may be completed stay, too: the best, or where a jury ranks all that no other is ahead of for good.
        const leading = !previews ? 0 : jury === TARGET_ALONE ? 2 : model.options.room;
        expect(model.alive).toBeLessThanOrEqual(chains + (leading ?? 64 / 2));
        expect(model.alive).toBeGreaterThan(0);
      };
      await play(options, { model, jury, onEvent });
    }
  });

  it('releases every prefix when it is left after any event', async () => {
    const { events } = await play(options);
    for (let stop = 0; stop <= events.length; stop++) {
      const model = new BitModel(WORLD);
      const running = begin(options, { model });
      for (let i = 0; i < stop; i++) await running.next();
      if (stop > 0 && stop < events.length) expect(model.alive).toBeGreaterThan(0);
      await running.return(undefined as never);
      expect(model.alive, `after event ${stop}`).toBe(0);
    }
  });

  it('releases every prefix when a loop is left by break', async () => {
    const model = new BitModel(WORLD);
    for await (const event of begin(options, { model })) if (event.type === 'judged') break;
    expect(model.alive).toBe(0);
  });

  it('releases every prefix when any call fails, and passes the error on', async () => {
    const calls = await countCalls(options);
    for (let failing = 0; failing < calls; failing++) {
      const onCall: BitModelOptions['onCall'] = (_, number) => {
        if (number === failing) throw new Error(`call ${number} failed`);
      };
      const model = new BitModel(WORLD, { onCall, room: 4 });
      await expect(drain(begin(options, { model }))).rejects.toThrow(`call ${failing} failed`);
      expect(model.alive).toBe(0);
    }
  });
}

function checkCancelling(options: SearchOptions): void {
  it('ends between any two calls when it is cancelled, and releases every prefix', async () => {
    const calls = await countCalls(options);
    for (let cancelling = 0; cancelling < calls; cancelling++) {
      const controller = new AbortController();
      let last = -1;
      const onCall: BitModelOptions['onCall'] = (_, number) => {
        last = number;
        if (number === cancelling) controller.abort();
      };
      const model = new BitModel(WORLD, { onCall, room: 4 });
      const failure = await drain(begin(options, { model, signal: controller.signal })).catch(
        (error: unknown) => error,
      );
      expect(isAbortError(failure)).toBe(true);
      expect(last).toBe(cancelling);
      expect(model.alive).toBe(0);
    }
  });

  it('ends when it is cancelled while somebody looks', async () => {
    const controller = new AbortController();
    const model = new BitModel(WORLD);
    const show = (): Promise<void> => {
      controller.abort();
      return Promise.resolve();
    };
    const events: SearchEvent[] = [];
    const onEvent = (event: SearchEvent): void => void events.push(event);
    const playing = play(options, { model, show, signal: controller.signal, onEvent });
    await expect(playing).rejects.toSatisfy(isAbortError);
    expect(events.map(({ type }) => type)).toEqual(['round']);
    expect(model.alive).toBe(0);
  });

  it('does nothing when it is cancelled before it begins', async () => {
    const model = new BitModel(WORLD);
    const reason = new Error('not wanted any more');
    await expect(drain(begin(options, { model, signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect(model.ledger.record().nfe).toBe(0);
    expect(model.alive).toBe(0);
  });
}

async function countCalls(options: SearchOptions): Promise<number> {
  let calls = 0;
  await drain(begin(options, { model: new BitModel(WORLD, { onCall: () => calls++, room: 4 }) }));
  return calls;
}
