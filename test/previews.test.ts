// Searches by previews through the public API: what is completed and judged however the search ends, what is made again from its
// recipe, what is said of it, and that the dry run foretells what a real model costs.

import { describe, expect, it } from 'vitest';

import {
  encodeWithRecipe,
  estimate,
  generate,
  type GenerateEvent,
  type GenerateResult,
  openVarsearch,
  type PictureOptions,
  resolveSearch,
  resultFiles,
  resultJson,
  type SearchOptions,
} from '../src/index.js';
import { findModel } from '../src/models/catalog.js';
import { briefScores } from '../src/report/words.js';
import { previewOf } from '../src/run/standings.js';
import { dryRun } from '../src/search/dry-run.js';
import { rolloutOf, untilOf } from '../src/search/rollout.js';
import { readHtml } from './fakes/check-html.js';
import { cliBench } from './fakes/cli.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const fakes = (delay = 0) => ({ model: fakeModel({ delay }), verifier: fakeVerifier() });
const PREVIEWS: readonly PictureOptions[] = [
  { prompt: 'red', strategy: 'random', images: 6, rollout: 'preview:2' },
  { prompt: 'red', strategy: 'gto', candidates: 3, rollout: 'preview:3' },
  { prompt: 'red', strategy: 'beam', width: 2, candidates: 3, keepElected: true, rollout: 'preview:2' },
];
const ENDLESS = { prompt: 'red', strategy: 'random', images: 10_000 } as const;

/** The winner is whole, and was judged once more after the best preview was: the earliest of the highest. */
function expectCompleted(result: GenerateResult, steps = 4): void {
  const { candidates, winner } = result;
  const previews = candidates.slice(0, -1);
  expect(winner).toBe(candidates.at(-1));
  expect(winner).toMatchObject({ step: steps, judgedAt: steps });
  expect(Math.max(...previews.map(({ judgedAt }) => judgedAt))).toBeLessThan(steps);
  const scores = previews.map(({ scores: own }) => own['fake-score'] ?? NaN);
  expect(winner.parent).toBe(scores.indexOf(Math.max(...scores)) + 1);
  expect(previewOf(candidates, winner)).toBe(candidates[winner.parent - 1]);
  expect(result.standing).toEqual({ score: winner.scores['fake-score'] });
}

describe('a search by previews', () => {
  it.each(PREVIEWS)('%o gives a whole picture, which its recipe makes again', async (options) => {
    const given = fakes();
    await using open = await openVarsearch(given);
    const result = await open.generate(options).result;
    expect(result).toMatchObject({ endedBy: 'search', recipe: { complete: true } });
    const { winner, candidates, recipe } = result;
    expect(winner.judgedAt).toBe(4);
    expect(candidates.filter(({ judgedAt }) => judgedAt === 4)).toEqual([winner]);
    expect(recipe.options.search).toMatchObject({
      rollout: 'rollout' in options ? options.rollout : 'missing',
    });
    const [picture] = await open.redraw(result, [winner.id]);
    expect(picture).toEqual(result.image);
    const again = await open.replay(await encodeWithRecipe(result.image, recipe)).result;
    expect(again.identical).toBe(true);
    expect(again.result.candidates).toEqual(candidates);
    expect(given.model.alive()).toBe(0);
  });

  it('is the same search when nothing is said of rollouts as when they are full', async () => {
    await using open = await openVarsearch(fakes());
    const one = await open.generate({ prompt: 'red', candidates: 2 }).result;
    const other = await open.generate({ prompt: 'red', candidates: 2, rollout: 'full' }).result;
    const bytes = ({ image, recipe }: GenerateResult) => encodeWithRecipe(image, recipe);
    expect(await bytes(other)).toEqual(await bytes(one));
    expect(one.options.search).not.toHaveProperty('rollout');
    const random = await open.generate({ ...ENDLESS, images: 3, rollout: 'none' }).result;
    expect(random.options.search).toEqual({ strategy: 'random', images: 3 });
  });

  it('without rollouts judges what there is, and gives the best of the last round', async () => {
    await using open = await openVarsearch(fakes());
    const run = open.generate({ prompt: 'red', width: 2, candidates: 2, rollout: 'none' });
    const result = await run.result;
    const { candidates, winner } = result;
    for (const { step, judgedAt, view } of candidates) {
      expect([judgedAt, view]).toEqual([step, step < 4 ? 'full' : undefined]);
    }
    const last = candidates.filter(({ step }) => step === 4).map(({ scores }) => scores['fake-score'] ?? NaN);
    expect(winner.scores['fake-score']).toBe(Math.max(...last));
    const json = resultJson(result, 'x.png');
    expect(json.options.search).toMatchObject({ rollout: 'none' });
    const again = await open.replay(await encodeWithRecipe(result.image, result.recipe)).result;
    expect(again.identical).toBe(true);
  });
});

describe('previews of a search that is ended early', () => {
  const none = { prompt: 'red', strategy: 'gto', candidates: 2_000, rollout: 'none' } as const;
  const arms: readonly (readonly [string, PictureOptions])[] = [
    ['random search', { ...ENDLESS, rollout: 'preview:3' }],
    ['beam search', { prompt: 'red', candidates: 2_000, rollout: 'preview:2' }],
    ['a search without rollouts', none],
  ];

  it.each(arms)('by stop(): the best of %s is completed and judged, and made again', async (_, options) => {
    const given = fakes(1);
    await using open = await openVarsearch(given);
    const run = open.generate({ ...options, seed: 3 });
    const events: GenerateEvent[] = [];
    for await (const event of run) {
      events.push(event);
      if (event.type === 'judged') run.stop();
    }
    const result = await run.result;
    expectCompleted(result);
    expect(result).toMatchObject({ complete: true, endedBy: 'stop', recipe: { completed: true } });
    expect(result.recipe.candidate).toBe(result.winner.parent);
    const told = events.map(({ type }) => type).filter((type) => type !== 'work');
    expect(told.slice(-4)).toEqual(['ended', 'round', 'judged', 'elected']);
    // The remaining steps, a look, and the judges.
    expect(events.slice(-3).map(({ type }) => type)).toEqual(['work', 'judged', 'elected']);
    expect(events.findLast((event) => event.type === 'round')?.completes).toBe(result.winner.parent);
    expect(resultJson(result, 'x.png').candidates).toEqual(result.candidates);
    const picture = await encodeWithRecipe(result.image, result.recipe);
    const again = await open.replay(picture, { allowLarge: true }).result;
    expect(again.identical).toBe(true);
    expect(given.model.alive()).toBe(0);
  });

  it('by a time', async () => {
    const run = generate({ ...ENDLESS, ...fakes(5), rollout: 'preview:2', time: 100 });
    expectCompleted(await run.result);
    expect(await run.result).toMatchObject({ endedBy: 'time' });
  });

  it('by a score: the first preview that reaches it is completed, and may fall short of it then', async () => {
    await using open = await openVarsearch(fakes());
    const options = { ...ENDLESS, images: 40, rollout: 'preview:2' } as const;
    const all = await open.generate(options).result;
    const scores = all.candidates.slice(0, -1).map((each) => each.scores['fake-score'] ?? NaN);
    const stopAt = scores.toSorted((a, b) => a - b)[20] ?? NaN;
    const result = await open.generate({ ...options, stopAt }).result;
    expect(result.endedBy).toBe('score');
    expect(result.winner.parent).toBe(scores.findIndex((score) => score >= stopAt) + 1);
    expect(result.winner.judgedAt).toBe(4);
    const again = await open.replay(await encodeWithRecipe(result.image, result.recipe)).result;
    expect(again.identical).toBe(true);
  });

  it('while the winner is being completed: that goes on, and the search is through', async () => {
    const run = generate({ prompt: 'red', ...fakes(2), candidates: 2, rollout: 'preview:2' });
    for await (const event of run) if (event.type === 'round' && event.completes !== undefined) run.stop();
    const result = await run.result;
    expect(result).toMatchObject({ endedBy: 'search', recipe: { complete: true } });
    expect(result.candidates.filter(({ judgedAt }) => judgedAt === 4)).toHaveLength(1);
  });

  it('by an interruption: the best preview is kept as it is, marked as not complete', async () => {
    const controller = new AbortController();
    await using open = await openVarsearch(fakes(1));
    const run = open.generate({ ...ENDLESS, rollout: 'preview:2', signal: controller.signal });
    for await (const event of run) {
      if (event.type === 'judged') break;
    }
    controller.abort();
    await expect(run.result).rejects.toThrow();
    const found = await run.soFar();
    expect(found).toMatchObject({ complete: false, winner: { judgedAt: 2 } });
    if (!found) return;
    const picture = await encodeWithRecipe(found.image, found.recipe);
    const again = await open.replay(picture, { allowLarge: true }).result;
    expect(again.identical).toBe(true);
  });
});

describe('what is said of previews', () => {
  it('in the terminal: both scores, and how many were unfinished', async () => {
    const bench = cliBench();
    const flags = ['--strategy', 'beam', '--width', '3', '--candidates', '2', '--rollout', 'preview:2'];
    const { code, stdout } = await bench.run('generate', 'red', '--out', 'here', ...flags);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\S+ \S+ \(its preview: \S+; the first preview: \S+\)$/m);
    expect(stdout).toMatch(
      /judged by previews of 2: 10 pictures \(9 of them previews of \d+ \u00d7 \d+\), 17 NFE, /,
    );
  });

  it('on the page: both scores, what was judged, and that they do not compare', async () => {
    const previews = await generate({ prompt: 'red', ...fakes(), candidates: 2, rollout: 'preview:2' })
      .result;
    const page = String((await resultFiles(previews))['index.html']);
    readHtml(page);
    const preview = previews.candidates[previews.winner.parent - 1];
    expect(page).toContain('Its preview');
    expect(page).toContain(`${briefScores(preview ?? { scores: {} })}<small>after 2 of 4 scales`);
    expect(page).toContain('completed to a preview of 2 scales');
    expect(page).toContain('a preview of 2 scales</dd>');
    expect(page).not.toContain('what one gets without a search');
    const none = await generate({ prompt: 'red', ...fakes(), candidates: 2, rollout: 'none' }).result;
    const other = String((await resultFiles(none))['index.html']);
    readHtml(other);
    expect(other).toContain('scored as far as it had come');
    expect(other).not.toContain('Its preview');
  });

  it('by observers: nothing, since scores at different steps do not compare', async () => {
    const observer = { ...fakeVerifier(), name: 'other' };
    const options = { prompt: 'red', ...fakes(), holdOut: [observer], candidates: 2 } as const;
    const { report } = await generate({ ...options, rollout: 'preview:2' }).result;
    expect(report?.rows.map(({ gain }) => gain)).toEqual([null, null]);
    expect(report).toMatchObject({ hacking: false, message: /not finished when they were judged/ });
    const full = await generate(options).result;
    expect(full.report?.message).not.toMatch(/not finished/);
  });

  it('beforehand: what full rollouts would cost, and what of a budget is left', async () => {
    const flags = ['--model', 'infinity-2b', '--strategy', 'beam', '--width', '3', '--candidates', '5', '--paper'];
    const { stdout } = await cliBench().run('generate', '--dry-run', ...flags, '--rollout', 'preview:7');
    const tokens = stdout.split('\n').map((text) => / +(\d[\d,]*) +[\d.]+ [A-Z] +[\d,]+$/.exec(text)?.[1]);
    expect(tokens.slice(2, 4)).toEqual(['49,841', '1,646,641']);
  });
});

describe('the cost of previews with the embedded model', () => {
  const searches: readonly SearchOptions[] = [
    { strategy: 'random', images: 2, rollout: 'preview:5' },
    { strategy: 'beam', width: 2, budget: 40, rollout: 'preview:4' },
    { strategy: 'gto', candidates: 2, rollout: 'none' },
  ];

  it('is what the dry run counts, and the arithmetic foretells', async () => {
    await using open = await openVarsearch({ model: 'toybox', verifier: fakeVerifier() });
    for (const options of searches) {
      const { ledger, schedule, image, pictures } = await open.generate({ prompt: 'a red star', ...options })
        .result;
      const search = resolveSearch(options, schedule);
      const { nfe, forwards, tokens, transformerFlops, imagesDecoded } = ledger;
      const { milliseconds: _, forwardCalls, leaked, mostHeld, ...counted } = await dryRun(search, schedule);
      expect(leaked).toBe(0);
      expect(Math.min(forwardCalls, mostHeld)).toBeGreaterThan(0);
      const found = { nfe, forwards, tokens, transformerFlops, imagesDecoded };
      expect(counted, JSON.stringify(options)).toMatchObject(found);
      expect(estimate(search, schedule)).toEqual({
        nfe,
        forwards,
        tokens,
        flops: transformerFlops,
        images: imagesDecoded,
        exact: true,
      });
      expect(image.width).toBe(64);
      if (untilOf(rolloutOf(options)) === 5) expect(pictures.first.width).toBe(48);
    }
    // What is known without weights has the same steps.
    const { steps } = findModel('toybox').schedule();
    expect(steps.map(({ readout }) => readout.width)).toEqual([8, 16, 24, 32, 48, 64]);
  });
});
