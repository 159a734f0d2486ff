// Rollouts that stop early: candidates are judged by previews, and the winner alone is completed and judged once more.

import { describe, expect, it } from 'vitest';

import { RandomKey } from '../core/random.js';
import { resolveJury } from '../verifiers/jury.js';
import { bitBench, BitModel, type Bits, BitWorld } from './bit-model.suite.js';
import type { Candidate, SearchEvent, SearchResult, Shown } from './contract.js';
import { type Beam, Rollouts } from './rollouts.js';

const WORLD = new BitWorld([2, 3, 5, 8]);
const UNTIL = 2;

/** A beam search over the first steps, completed at the end. */
async function search(
  seed: number,
  { keepElected = false, rank = false } = {},
): Promise<{
  events: SearchEvent[];
  result: SearchResult;
  shown: Shown[];
  model: BitModel;
}> {
  const model = new BitModel(WORLD, { room: 3 });
  const shown: Shown[] = [];
  const events: SearchEvent[] = [];
  const jury = rank ? resolveJury(['target', 'light']) : undefined;
  const rollouts = new Rollouts(
    {
      generator: model,
      bench: bitBench(model, jury),
      draw: RandomKey.fromSeed(seed),
      show: (pictures) => Promise.resolve(void shown.push(...pictures)),
    },
    { until: UNTIL, keepElected },
  );
  const run = (async function* () {
    try {
      let beams: readonly Beam[] = [rollouts.begin()];
      for (let step = 1; step <= UNTIL; step++) {
        beams = yield* rollouts.play(beams, { round: step, rounds: UNTIL, step, total: 6 }, 2);
      }
      return yield* rollouts.complete('best');
    } finally {
      rollouts.close();
    }
  })();
  for (;;) {
    const next = await run.next();
    if (next.done === true) return { events, result: next.value, shown, model };
    events.push(next.value);
  }
}

/** The picture of a path, drawn from nothing. */
function drawnFrom(seed: number, candidates: readonly Candidate[], last: Candidate): Bits {
  const byId = new Map(candidates.map((each) => [each.id, each]));
  const draws = new Map<number, readonly number[]>();
  const visit = (candidate: Candidate | undefined, until: number): void => {
    if (!candidate) return;
    const origin = byId.get(candidate.sameAs ?? candidate.id) ?? candidate;
    const parent = byId.get(origin.parent);
    const from = parent?.judgedAt === origin.judgedAt ? parent.step : (parent?.judgedAt ?? 0);
    visit(parent, from);
    for (let step = from + 1; step <= until; step++) draws.set(step, origin.path);
  };
  visit(last, last.judgedAt);
  let bits: Bits = [];
  for (let step = 1; step <= WORLD.schedule.steps.length; step++) {
    const path = draws.get(step);
    if (path) {
      bits = WORLD.extend(bits, path.reduce((key, i) => key.fold(i), RandomKey.fromSeed(seed)).fold(step));
    }
  }
  return bits;
}

describe.each([
  { keepElected: false, rank: false },
  { keepElected: true, rank: false },
  { keepElected: false, rank: true },
])('rollouts that stop early, %o', (options) => {
  it.each([1, 2, 3, 4])('complete the winner as its rollout would have gone on, seed %i', async (seed) => {
    const { result, shown, events } = await search(seed, options);
    const last = result.candidates.at(-1)!;
    expect(result.winner).toBe(last.id);
    expect(last).toMatchObject({ step: 4, judgedAt: 4 });
    const previews = result.candidates.slice(0, -1);
    expect(previews.map(({ judgedAt }) => judgedAt)).toEqual(previews.map(() => UNTIL));
    expect(shown.map(({ image }) => image.width).slice(0, -1)).toEqual(shown.slice(0, -1).map(() => 5));
    const picture = WORLD.bitsOf(shown.at(-1)!.image);
    expect(picture).toHaveLength(4);
    expect(picture).toEqual(drawnFrom(seed, result.candidates, last));
    // Its first steps are those of the preview that won.
    const parent = result.candidates[last.parent - 1]!;
    const preview = shown.find(({ candidate }) => candidate.id === (parent.sameAs ?? parent.id))!;
    expect(picture.slice(0, UNTIL)).toEqual(WORLD.bitsOf(preview.image));
    const best = Math.max(...previews.map(({ scores }) => scores['target']!));
    if (!options.rank) expect(parent.scores['target']).toBe(best);
    expect(events.filter(({ type }) => type === 'elected')).toHaveLength(UNTIL + 1);
  });

  it('pay for the last steps of one picture only, and release everything', async () => {
    const { model, shown } = await search(1, options);
    expect(model.alive).toBe(0);
    // 6 rollouts of 2 steps, 6 of 1 (of those kept none is drawn again), and the 2 steps of the winner.
    const inherited = options.keepElected ? 2 : 0;
    expect(model.ledger.record().nfe).toBe(6 * 2 + (6 - inherited) + 2);
    expect(shown).toHaveLength(12 - inherited + 1);
  });
});

it('rollouts of all steps need no completion', async () => {
  const model = new BitModel(WORLD);
  const rollouts = new Rollouts({ generator: model, bench: bitBench(model), draw: RandomKey.fromSeed(1) });
  const events: SearchEvent[] = [];
  for await (const event of rollouts.play(
    [rollouts.begin()],
    { round: 1, rounds: 1, step: 4, total: 3 },
    0,
  )) {
    events.push(event);
  }
  expect((await rollouts.complete('best').next()).value).toEqual(rollouts.result('best'));
  rollouts.close();
  expect(model.alive).toBe(0);
});
