// The observers' report: gains in deviations, the rule of verifier hacking, and costs that stay apart from the search's.

import { describe, expect, it } from 'vitest';

import { fakeVerifier } from '../../test/fakes/fake-verifier.js';
import { createImage, type Image } from '../core/image.js';
import type { Candidate, Shown } from '../search/contract.js';
import type { Verifier } from '../verifiers/contract.js';
import { judgeRows, measureGain, type ObserverRow, Observers } from './observers.js';

describe('a gain', () => {
  it("counts deviations of a sample above the samples' mean", () => {
    expect(measureGain([1, 2, 3], 4)).toEqual({ mean: 2, deviation: 1, first: 1, winner: 4, gain: 2 });
    expect(measureGain([3, 1], 1)).toMatchObject({ mean: 2, deviation: Math.SQRT2, gain: -1 / Math.SQRT2 });
  });

  it('is 0 where nothing differs, and unknown where only the winner does', () => {
    expect(measureGain([0.1, 0.1, 0.1], 0.1)).toMatchObject({ mean: 0.1, deviation: 0, gain: 0 });
    expect(measureGain([0.1, 0.1, 0.1], 0.2)).toMatchObject({ deviation: 0, gain: null });
    expect(measureGain([5], 5)).toMatchObject({ mean: 5, deviation: null, gain: 0 });
    expect(measureGain([5], 6)).toMatchObject({ deviation: null, gain: null });
  });
});

describe('the finding', () => {
  const row = (verifier: string, role: ObserverRow['role'], gain: number | null): ObserverRow => {
    return { verifier, role, mean: 0, deviation: 1, first: 0, winner: gain ?? 0, gain };
  };

  it('is verifier hacking when the guiding gain is above 0 and the mean held-out gain below', () => {
    const rows = [row('a', 'guiding', 2), row('b', 'held-out', 0.5), row('c', 'held-out', -1)];
    expect(judgeRows(rows, 15)).toEqual({
      guidingGain: 2,
      heldOutGain: -0.25,
      hacking: true,
      fell: ['c'],
      message:
        'verifier hacking: what guided the search rose while what did not fell (c -1.00): mean gain of the guiding ' +
        'verifiers +2.00, of the held-out ones -0.25, in deviations of the 15 pictures of the first round',
    });
  });

  it.each([
    [
      'the held-out ones rise on average',
      [2],
      [1, -0.5],
      ['b1'],
      /^no sign .*, although some fell \(b1 -0\.50\): /,
    ],
    ['all rise', [2, 1], [1], [], /^no sign of verifier hacking: mean gain .* \+1\.50/],
    ['the guiding ones fell too', [-1], [-2], ['b0'], /^no sign/],
    ['the held-out ones stay', [1], [0], [], /^no sign/],
    ['nothing differs', [1], [null], [], /^nothing can be said/],
    ['nobody was held out', [1], [], [], /^no verifier was held out/],
  ] as const)('is none when %s', (_, guiding, heldOut, fell, message) => {
    const rows = [
      ...guiding.map((gain, i) => row(`a${i}`, 'guiding', gain)),
      ...heldOut.map((gain, i) => row(`b${i}`, 'held-out', gain)),
    ];
    const finding = judgeRows(rows, 3);
    expect(finding).toMatchObject({ hacking: false, fell });
    expect(finding.message).toMatch(message);
  });
});

describe('a report', () => {
  const grey = (red: number, blue: number): Image => createImage(1, 1, Uint8Array.of(red, 0, blue));
  const shown = (id: number, parent: number, image: Image, guide: number): Shown => {
    const place = { id, parent, step: parent === 0 ? 1 : 2, judgedAt: 2, path: [1, 0, id] };
    const candidate: Candidate = { ...place, scores: { guide } };
    return { candidate, image, state: new Uint8Array(0) };
  };
  const first = [shown(1, 0, grey(10, 200), 1), shown(2, 0, grey(20, 100), 3)];
  const second = [shown(3, 2, grey(200, 50), 9), shown(4, 2, grey(0, 0), 0)];
  const candidates = [...first, ...second].map(({ candidate }) => candidate);
  const winner = candidates[2] as Candidate;
  const result = { candidates, winner, image: (second[0] as Shown).image };

  it('asks only those held out, only about the first round and the winner, at costs of its own', async () => {
    const seen: Image[] = [];
    const blue = fakeVerifier({ name: 'blue', likes: 'blue', onScore: (images) => seen.push(...images) });
    const guide = fakeVerifier({ name: 'guide', onScore: () => expect.unreachable() });
    const observers = await Observers.open([guide, blue], { prompt: 'x', judges: ['guide'] });
    await observers.see(first);
    await observers.see(second);
    // As they are drawn: nobody keeps the pictures for later.
    expect(seen).toEqual(first.map(({ image }) => image));
    const report = await observers.report(result);
    observers.close();
    expect(seen).toEqual([...first.map(({ image }) => image), result.image]);
    expect(report.rows.map(({ verifier, role }) => [verifier, role])).toEqual([
      ['guide', 'guiding'],
      ['blue', 'held-out'],
    ]);
    expect(report.rows[0]).toMatchObject({ mean: 2, first: 1, winner: 9 });
    expect(report).toMatchObject({ pictures: 2, hacking: true, fell: ['blue'] });
    expect(report.ledger.imagesVerified).toBe(3);
    expect(Object.keys(report.hashes)).toEqual(['blue/judge.safetensors']);
  });

  it('does not ask again about a winner of the first round, nor about one that was taken over from there', async () => {
    const seen: Image[] = [];
    const blue = fakeVerifier({ name: 'blue', likes: 'blue', onScore: (images) => seen.push(...images) });
    const observers = await Observers.open([blue], { prompt: 'x', judges: ['guide'] });
    await observers.see(first);
    const taken: Candidate = { ...winner, sameAs: 1 };
    const report = await observers.report({ ...result, candidates: [...candidates, taken], winner: taken });
    expect(seen).toHaveLength(2);
    expect(report.rows[1]?.winner).toBe(report.rows[1]?.first);
  });

  it('fails before the search where a verifier cannot read the prompt, and closes the judges made so far', async () => {
    let closed = 0;
    const judge = {
      score: () => Promise.resolve([]),
      close: () => {
        closed++;
      },
    };
    const good: Verifier = { ...fakeVerifier(), name: 'good', prepare: () => Promise.resolve(judge) };
    const bad: Verifier = { ...fakeVerifier(), name: 'bad', prepare: () => Promise.reject(new Error('no')) };
    await expect(Observers.open([good, bad], { prompt: 'x', judges: [] })).rejects.toThrow('no');
    expect(closed).toBe(1);
  });

  it('refuses scores that are missing or no numbers, and ends when it is cancelled', async () => {
    const judgeOf = (score: () => Promise<number[]>): Verifier => ({
      ...fakeVerifier(),
      name: 'odd',
      prepare: () => Promise.resolve({ score, close: () => undefined }),
    });
    for (const scores of [[], [1, NaN]]) {
      const odd = judgeOf(() => Promise.resolve(scores));
      const observers = await Observers.open([odd], { prompt: 'x', judges: ['guide'] });
      await expect(observers.see(first)).rejects.toThrow(/'odd' (gave 0 scores for|scored picture 2 of) 2/);
    }
    const controller = new AbortController();
    const slow = judgeOf(() => {
      controller.abort();
      return Promise.resolve([1, 2]);
    });
    const { signal } = controller;
    const observers = await Observers.open([slow], { prompt: 'x', judges: ['guide'], signal });
    await expect(observers.see(first)).rejects.toThrow(/abort/i);
  });
});
