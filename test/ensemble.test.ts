// Several verifiers that guide a search together, and others that report on its winner, by import.

import { describe, expect, it } from 'vitest';

import {
  compare,
  compareJson,
  encodeWithRecipe,
  generate,
  isAbortError,
  openVarsearch,
  replay,
  resultJson,
  type Standing,
} from '../src/index.js';
import { fakeCatalogs } from './fakes/catalogs.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const fakes = () => ({ model: fakeModel(), verifier: fakeVerifier() });

/** The mean rank of a standing by ranks, 1 for the best. */
function rankOf(standing: Standing): number {
  if ('rank' in standing) return standing.rank;
  throw new Error(`a rank was expected: ${JSON.stringify(standing)}`);
}

describe('several verifiers', () => {
  const members = () => [fakeVerifier({ name: 'red' }), fakeVerifier({ name: 'blue', likes: 'blue' })];

  it('guide a search together, each with its own scores and costs in the result', async () => {
    const result = await generate({ prompt: 'red', model: fakeModel(), verifier: members(), seed: 3 }).result;
    expect(result.options.jury).toEqual({
      judges: ['red', 'blue'],
      observers: [],
      weights: [1, 1],
      rule: 'rank',
    });
    expect(result.ledger).toMatchObject({ nfe: 132, imagesDecoded: 51, imagesVerified: 102 });
    expect(Object.keys(result.hashes.jury)).toEqual(['red/judge.safetensors', 'blue/judge.safetensors']);
    for (const { scores } of result.candidates) expect(Object.keys(scores)).toEqual(['red', 'blue']);
    // Ranks are counted among all pictures: the nearer to 1, the better.
    const best = result.trace.map((point) => rankOf(point.best));
    expect(best).toEqual(best.toSorted((a, b) => b - a));
    expect(result.trace.at(-1)?.best).toEqual(result.standing);
    expect(result.standing).toMatchObject({ of: 51 });
    expect(rankOf(result.standing)).toBeGreaterThanOrEqual(1);
    expect(result.recipe.standing).toEqual(result.standing);
    const json = JSON.parse(JSON.stringify(resultJson(result, 'x.png'))) as unknown;
    const { candidates, fates, standing, winner } = result;
    expect(json).toMatchObject({ format: 2, candidates, fates, standing, winner: winner.id });
  });

  it.each(['rank', 'z-score', 'weighted-sum'] as const)('by %s are replayed from the recipe', async (by) => {
    const catalogs = fakeCatalogs();
    const options = { prompt: 'red', verifier: 'clip-score,aesthetic', ensemble: by, weights: [2, 1] };
    const made = await generate({ ...options, strategy: 'gto' }, { catalogs }).result;
    const again = await replay(await encodeWithRecipe(made.image, made.recipe), {}, { catalogs }).result;
    expect(again.identical).toBe(true);
    expect(again.result.candidates).toEqual(made.candidates);
    expect(again.result.fates).toEqual(made.fates);
    expect(again.result.recipe).toEqual(made.recipe);
  });

  it('stay open where they were handed in', async () => {
    const verifier = members();
    const { options } = await generate({
      prompt: 'red',
      model: fakeModel(),
      verifier,
      ensemble: 'z-score',
      candidates: 1,
    }).result;
    expect(options.jury).toMatchObject({ judges: ['red', 'blue'], rule: 'z-score', weights: [1, 1] });
    expect(verifier.map((each) => each.closed())).toEqual([false, false]);
  });

  it('find the same whatever the order in which they are named', async () => {
    const three = [...members(), fakeVerifier({ name: 'contrary', likes: 'not red' })];
    const found = [];
    for (const verifier of [three, three.toReversed()]) {
      found.push(await generate({ prompt: 'red', model: fakeModel(), verifier, keepElected: true }).result);
    }
    const [one, other] = found;
    expect(other?.candidates).toEqual(one?.candidates);
    expect(other?.fates).toEqual(one?.fates);
    expect(other?.recipe.pixels).toBe(one?.recipe.pixels);
    expect(other?.standing).toEqual(one?.standing);
  });

  it('keep what an interrupted search had, and replay it', async () => {
    const controller = new AbortController();
    const given = { model: fakeModel(), verifier: members() };
    const run = generate({ prompt: 'red', ...given, paper: true, signal: controller.signal });
    let groups = 0;
    for await (const event of run) if (event.type === 'judged' && ++groups === 6) break;
    const partial = await run.soFar();
    controller.abort();
    await expect(run.result).rejects.toSatisfy(isAbortError);
    if (!partial) throw new Error('nothing was judged');
    expect(rankOf(partial.standing)).toBe(Math.min(...partial.trace.map(({ best }) => rankOf(best))));
    expect(partial.standing).toMatchObject({ of: partial.candidates.length });
    const png = await encodeWithRecipe(partial.image, partial.recipe);
    const again = await replay(png, { model: fakeModel(), verifier: members() }).result;
    expect(again.identical).toBe(true);
    expect(again.result.winner.id).toBe(partial.winner.id);
  });

  it('are compared over the pictures of all strategies', async () => {
    const compared = await compare({ prompt: 'red', model: fakeModel(), verifier: members(), budget: 60 })
      .result;
    const { results, standings, best } = compared;
    const ranks = standings.map(rankOf);
    expect(best).toBe(results[ranks.indexOf(Math.min(...ranks))]);
    // The winner of a strategy is not the best by its own score: that one says nothing outside of its search.
    const images = results.reduce((sum, { ledger }) => sum + ledger.imagesDecoded, 0);
    for (const rank of ranks) expect(rank).toBeLessThan(images / 2);
    expect(standings).toEqual(ranks.map((rank) => ({ rank, of: images })));
    expect(compareJson(compared)).toMatchObject({ format: 2, standings });
    const single = await compare({ prompt: 'red', ...fakes(), budget: 60 }).result;
    expect(single.standings).toEqual(single.results.map(({ standing }) => standing));
    expect(compareJson(single).standings).toEqual(single.standings);
  });
});

describe('a report', () => {
  it('says what other verifiers think of the winner, and leaves the search and its costs as they were', async () => {
    const plain = await generate({ prompt: 'red', ...fakes(), seed: 3 }).result;
    expect(plain.report).toBeNull();
    const given = fakes();
    const holdOut = [fakeVerifier({ name: 'contrary', likes: 'not red' }), given.verifier];
    const run = generate({ prompt: 'red', ...given, seed: 3, holdOut });
    const result = await run.result;
    expect(result.candidates).toEqual(plain.candidates);
    expect(result.fates).toEqual(plain.fates);
    expect(result.options.jury.observers).toEqual(['contrary', 'fake-score']);
    expect({ ...result.ledger, milliseconds: 0 }).toEqual({ ...plain.ledger, milliseconds: 0 });
    expect(result.report).toMatchObject({ pictures: 15, hacking: false, fell: ['contrary'] });
    expect(result.report?.message).toMatch(/\(contrary -\d\.\d\d\) is within chance/);
    expect(result.report?.rows.map(({ verifier, role }) => `${verifier} ${role}`)).toEqual([
      'fake-score guiding',
      'contrary held-out',
    ]);
    const counts = { nfe: 0, imagesDecoded: 0, imagesVerified: 16 };
    expect(result.report?.ledger).toMatchObject(counts);
    expect(resultJson(result, 'x.png').report).toEqual(result.report);
    const events: string[] = [];
    for await (const { type } of run) events.push(type);
    expect(events.at(-1)).toBe('report');
  });

  it('of random search finds the winner among the first round, and of several runs each has its own', async () => {
    const catalogs = fakeCatalogs();
    const varsearch = await openVarsearch({ holdOut: 'ensemble-members' }, { catalogs });
    const random = await varsearch.generate({ prompt: 'red', strategy: 'random', images: 9 }).result;
    expect(random.report).toMatchObject({ pictures: 9, ledger: { imagesVerified: 18 } });
    const { results } = await varsearch.compare({ prompt: 'red', budget: 40 }).result;
    for (const { report } of results) {
      expect(report?.rows.map(({ verifier }) => verifier)).toEqual([
        'clip-score',
        'aesthetic',
        'image-reward',
      ]);
    }
    await varsearch.close();
    expect(catalogs.loaded.verifiers.map((each) => each.closed())).toEqual([true, true, true]);
  });
});

describe('the embedded verifiers together', () => {
  it('find the same tree whatever memory and threads, and are replayed', async () => {
    const options = {
      prompt: 'a red star',
      verifier: 'clip-score,oracle',
      strategy: 'gto',
      candidates: [3, 3, 1, 1, 1, 1],
    } as const;
    const whole = await generate({ ...options, seed: 5, holdOut: 'clip-score' }).result;
    const parts = await generate({ ...options, seed: 5, threads: 1, memory: '20MB' }).result;
    expect(parts.ledger.forwardCalls).toBeGreaterThan(whole.ledger.forwardCalls);
    expect(parts.candidates).toEqual(whole.candidates);
    expect(parts.fates).toEqual(whole.fates);
    expect(parts.recipe.pixels).toBe(whole.recipe.pixels);
    expect(whole.ledger).toMatchObject({ imagesDecoded: 10, imagesVerified: 20 });
    expect(whole.report?.rows.map(({ role }) => role)).toEqual(['guiding', 'guiding']);
    const again = await replay(await encodeWithRecipe(whole.image, whole.recipe)).result;
    expect([again.identical, again.differences]).toEqual([true, []]);
  });
});
