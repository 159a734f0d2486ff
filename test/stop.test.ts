// Searches that their caller ends: by stop(), by leaving a block, or by a score that is enough.

import { describe, expect, it } from 'vitest';

import { encodeWithRecipe, generate, type GenerateEvent, isAbortError, openVarsearch } from '../src/index.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const fakes = () => ({ model: fakeModel({ delay: 5 }), verifier: fakeVerifier() });
const MANY = { strategy: 'random', images: 10_000 } as const;

describe('stop()', () => {
  it('ends a search with the best until then', async () => {
    const given = fakes();
    const run = generate({ prompt: 'red', ...given, ...MANY });
    for await (const event of run) {
      if (event.type === 'judged') run.stop();
    }
    const result = await run.result;
    expect(result).toMatchObject({ complete: true, endedBy: 'stop', candidates: { length: 4 } });
    expect(given.model.alive()).toBe(0);
    run.stop();
  });

  it('rejects where nothing was judged yet, at once', async () => {
    const run = generate({ prompt: 'red', ...fakes(), ...MANY });
    run.stop();
    await expect(run.result).rejects.toSatisfy(isAbortError);
    expect(await run.soFar()).toBeNull();
  });

  it('is what leaving the iteration is not: the run goes on for whoever waits for it', async () => {
    const run = generate({ prompt: 'red', ...fakes(), candidates: 1 });
    for await (const event of run) if (event.type === 'judged') break;
    expect(await run.result).toMatchObject({ endedBy: 'search' });
  });

  it('is called at the end of a block by await using, which waits until all is freed', async () => {
    const given = fakes();
    let run;
    {
      await using own = generate({ prompt: 'red', ...given, ...MANY });
      run = own;
      for await (const event of own) if (event.type === 'judged') break;
    }
    expect(given.model.alive()).toBe(0);
    expect(await run.result).toMatchObject({ endedBy: 'stop' });
  });

  it('ends a comparison with what was finished', async () => {
    await using open = await openVarsearch(fakes());
    const run = open.compare({ prompt: 'red', budget: 40 });
    for await (const event of run) if (event.type === 'end') run.stop();
    const { complete, results } = await run.result;
    expect([complete, results.length]).toEqual([false, 1]);
    const none = open.compare({ prompt: 'red', budget: 40_000 });
    none.stop();
    await expect(none.result).rejects.toSatisfy(isAbortError);
  });
});

describe('a score that is enough', () => {
  const told = (most?: number) => ({ ...fakeVerifier(), ...(most === undefined ? {} : { most }) });

  it('ends a search at the first picture that reaches it, whatever the groups', async () => {
    const model = fakeModel();
    const all = await generate({ prompt: 'red', model, verifier: told(), strategy: 'random', images: 40 })
      .result;
    const scores = all.candidates.map((each) => each.scores['fake-score'] ?? NaN);
    const stopAt = scores.toSorted((a, b) => a - b)[20] ?? NaN;
    const first = scores.findIndex((score) => score >= stopAt) + 1;
    const run = generate({ prompt: 'red', model, verifier: told(), strategy: 'random', images: 40, stopAt });
    const events: GenerateEvent[] = [];
    for await (const event of run) events.push(event);
    const result = await run.result;
    expect(result).toMatchObject({ complete: true, endedBy: 'score', winner: { id: first } });
    expect(result.candidates.length).toBeLessThan(40);
    expect(events.at(-1)).toEqual({ type: 'ended', by: 'score' });
    expect(model.alive()).toBe(0);
    await using open = await openVarsearch({ model, verifier: told() });
    const again = await open.replay(await encodeWithRecipe(result.image, result.recipe)).result;
    expect(again.identical).toBe(true);
  });

  it('may be the highest that the verifier gives', async () => {
    const verifier = told(0);
    const { endedBy, candidates } = await generate({
      prompt: 'red',
      model: fakeModel(),
      verifier: { ...verifier, prepare: async (...call) => ({ ...(await verifier.prepare(...call)), score: (images) => Promise.resolve(images.map(() => 0)) }) }, // prettier-ignore
      ...MANY,
      stopAt: 'most',
    }).result;
    expect([endedBy, candidates.length]).toEqual(['score', 4]);
  });

  it('is refused where it can never be reached', async () => {
    const run = (stopAt: number | string, verifier: ReturnType<typeof told>[]): Promise<unknown> =>
      generate({ prompt: 'red', model: fakeModel(), verifier, candidates: 1, stopAt }).result;
    await expect(run(2, [told(1)])).rejects.toThrow("option 'stopAt' is 2, but fake-score gives at most 1");
    await expect(run('most', [told()])).rejects.toThrow('fake-score tells no highest score');
    const two = [told(1), { ...told(1), name: 'other' }];
    await expect(run(0.5, two)).rejects.toThrow('is for one verifier or a weighted sum');
    expect(() => run('lots', [told()])).toThrow("option 'stopAt' must be a number, or 'most'");
  });
});
