// A search that is given a time: the best until then is the result, and it is made again from its recipe.

import { describe, expect, it } from 'vitest';

import { encodeWithRecipe, generate, type GenerateEvent, openVarsearch, resultJson } from '../src/index.js';
import { parseTime } from '../src/run/time.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const DELAY = 10;
const fakes = () => ({ model: fakeModel({ delay: DELAY }), verifier: fakeVerifier() });

describe('a time', () => {
  it('is milliseconds, or a number with a unit', () => {
    const spans = [30_000, '30s', '0.5 min', '500ms', '2min', '1h', 1];
    expect(spans.map(parseTime)).toEqual([30_000, 30_000, 30_000, 500, 120_000, 3_600_000, 1]);
    for (const wrong of ['30', '', 's', '-1s', '0s', 0, NaN, Infinity, '1e3s', '30 parsecs', '1000h', null]) {
      expect(parseTime(wrong), String(wrong)).toBeNull();
    }
    expect(() => generate({ prompt: 'red', time: '30' })).toThrow(
      "option 'time' must be milliseconds, or a time such as '30s', '2min' or '500ms'",
    );
  });
});

describe('a search with a time', () => {
  it.each(['random', 'gto', 'beam'] as const)('by %s gives the best until then', async (strategy) => {
    const given = fakes();
    const sizes = strategy === 'random' ? { images: 10_000 } : { candidates: 2_000 };
    const run = generate({ prompt: 'red', ...given, strategy, ...sizes, time: 300 });
    const events: GenerateEvent[] = [];
    for await (const event of run) events.push(event);
    const result = await run.result;
    expect(result).toMatchObject({ complete: true, endedBy: 'time', recipe: { complete: false } });
    expect(resultJson(result, 'x.png')).toMatchObject({ endedBy: 'time' });
    expect(events.at(-1)).toEqual({ type: 'ended', by: 'time' });
    const scores = result.candidates.map((each) => each.scores['fake-score'] ?? NaN);
    expect(scores.length).toBeGreaterThan(0);
    expect(result.standing).toEqual({ score: Math.max(...scores) });
    expect(result.winner.scores['fake-score']).toBe(Math.max(...scores));
    expect(given.model.alive()).toBe(0);
    // A step or two beyond the time, which no machine of ours takes long for.
    expect(result.milliseconds).toBeLessThan(5_000);
  });

  it('goes on to its first pictures where the time is up before them', async () => {
    const run = generate({ prompt: 'red', ...fakes(), images: 10_000, strategy: 'random', time: 1 });
    const { endedBy, candidates } = await run.result;
    expect(endedBy).toBe('time');
    expect(candidates).toHaveLength(4);
  });

  it('says nothing of a time that was enough', async () => {
    const result = await generate({ prompt: 'red', ...fakes(), candidates: 1, time: '1min' }).result;
    expect(result).toMatchObject({ complete: true, endedBy: 'search', recipe: { complete: true } });
    expect(resultJson(result, 'x.png')).not.toHaveProperty('endedBy');
  });

  it('is cancelled like any other', async () => {
    const signal = AbortSignal.timeout(20);
    const run = generate({ prompt: 'red', ...fakes(), candidates: 2_000, time: 30, signal });
    const failure: unknown = await run.result.catch((error: unknown) => error);
    expect(failure).toBe(signal.reason);
  });

  it('has a picture that its recipe makes again', async () => {
    await using open = await openVarsearch(fakes());
    const sizes = { strategy: 'random', images: 10_000 } as const;
    const { image, recipe } = await open.generate({ prompt: 'red', ...sizes, time: 300 }).result;
    expect(
      await open.replay(await encodeWithRecipe(image, recipe), { allowLarge: true }).result,
    ).toMatchObject({
      identical: true,
    });
  });

  it('has it for every strategy of a comparison', async () => {
    await using open = await openVarsearch(fakes());
    const { results } = await open.compare({ prompt: 'red', budget: 40_000, time: 60 }).result;
    expect(results.map(({ endedBy }) => endedBy)).toEqual(['time', 'time', 'time']);
  });
});
