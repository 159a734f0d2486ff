// The observers' report: gains in deviations, the rule of verifier hacking, and costs that stay apart from the search's.

import { describe, expect, it } from 'vitest';

import { fakeVerifier } from '../../test/fakes/fake-verifier.js';
import { createImage, type Image } from '../core/image.js';
import { RandomKey } from '../core/random.js';
import type { Candidate, Shown } from '../search/contract.js';
import type { Verifier } from '../verifiers/contract.js';
import { chanceBound, judgeRows, measureGain, type ObserverRow, Observers, spreadOf } from './observers.js';

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

  it('is verifier hacking when the guiding gain is above 0 and the mean held-out gain below what chance does', () => {
    const rows = [row('a', 'guiding', 2), row('b', 'held-out', -0.5), row('c', 'held-out', -6)];
    expect(judgeRows(rows, 15)).toEqual({
      guidingGain: 2,
      heldOutGain: -3.25,
      hacking: true,
      bound: chanceBound(15),
      fell: ['b', 'c'],
      message:
        'verifier hacking: what guided the search rose while what did not fell (b -0.50, c -6.00): mean gain of the guiding ' +
        'verifiers +2.00, of the held-out ones -3.25, in deviations of the 15 pictures of the first round',
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
    [
      'the guiding ones fell too',
      [-1],
      [-2],
      ['b0'],
      /^the fall of what did not guide \(b0 -2\.00\) is within chance/,
    ],
    [
      'the held-out ones fall as chance lets them',
      [2],
      [-2.2],
      ['b0'],
      /within chance \(-\d\.\d\d\).* neither yes nor no/,
    ],
    ['the held-out ones stay', [1], [0], [], /^no sign/],
    ['nothing differs', [1], [null], [], /^nothing can be said/],
    ['nobody was held out', [1], [], [], /^no verifier was held out/],
  ] as const)('is none when %s', (_, guiding, heldOut, fell, message) => {
    const rows = [
      ...guiding.map((gain, i) => row(`a${i}`, 'guiding', gain)),
      ...heldOut.map((gain, i) => row(`b${i}`, 'held-out', gain)),
    ];
    const finding = judgeRows(rows, 15);
    expect(finding).toMatchObject({ hacking: false, fell });
    expect(finding.message).toMatch(message);
  });
});

describe('chance', () => {
  it('has a bound that is known from tables, and none for few pictures', () => {
    // t of 4, 14 and 99 degrees of freedom leaves 1% above 3.747, 2.624 and 2.365.
    for (const [pictures, t] of [
      [5, 3.747],
      [15, 2.624],
      [100, 2.365],
    ] as const) {
      const bound = chanceBound(pictures) ?? NaN;
      expect(Math.abs(bound / (t * Math.sqrt(1 + 1 / pictures)) - 1)).toBeLessThan(0.01);
    }
    expect([1, 2, 4].map(chanceBound)).toEqual([null, null, null]);
    const lone: ObserverRow = {
      verifier: 'a',
      role: 'held-out',
      mean: 0,
      deviation: 1,
      first: 0,
      winner: 9,
      gain: 9,
    };
    expect(judgeRows([lone, { ...lone, role: 'guiding' }], 1).message).toMatch(
      /^nothing can be said of verifier hacking/,
    );
  });

  it.each([
    ['normal', (u: number, v: number) => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v)],
    ['even', (u: number) => u],
    ['with a long tail downwards', (u: number) => Math.log(1 - u)],
  ])('lets a guide that knows nothing seem hacked in at most 5 searches of 100: scores %s', (_, score) => {
    const key = RandomKey.fromSeed(5);
    for (const [pictures, heldOut] of [
      [5, 1],
      [15, 1],
      [15, 3],
      [64, 1],
    ] as const) {
      const searches = 2000;
      let hacked = 0;
      const drawn = key.fold(pictures).fold(heldOut);
      for (let search = 0; search < searches; search++) {
        const seen = Array.from({ length: pictures }, (): Record<string, number> => ({}));
        const rows = Array.from({ length: heldOut }, (__, i): ObserverRow => {
          const draw = drawn.fold(search).fold(i);
          const [u, v] = [draw.uniform(pictures + 1), draw.fold(0).uniform(pictures + 1)];
          const [winner = 0, ...samples] = Array.from(u, (each, k) => score(each, v[k] ?? 0));
          samples.forEach((sample, k) => Object.assign(seen[k] ?? {}, { [String(i)]: sample }));
          return { verifier: String(i), role: 'held-out', ...measureGain(samples, winner) };
        });
        // The guide always finds what it likes; to the others its winner is a picture like any other.
        const guide: ObserverRow = { ...(rows[0] as ObserverRow), role: 'guiding', gain: 2 };
        if (judgeRows([guide, ...rows], pictures, spreadOf(rows, seen)).hacking) hacked++;
      }
      // Of 2,000 searches with one in twenty, a deviation is half a per cent.
      expect(hacked / searches, `${pictures} pictures, ${heldOut} held out`).toBeLessThanOrEqual(0.055);
    }
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
    // Two pictures are too few for a claim.
    expect(report).toMatchObject({ pictures: 2, hacking: false, bound: null, fell: ['blue'] });
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
