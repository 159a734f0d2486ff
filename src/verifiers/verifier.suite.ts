// The contract that every verifier passes, as one test suite: a verifier's test file calls `describeVerifier` with how
// to open it. What a verifier is exempted from, it says with a reason.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { greyPicture, patternPicture } from '../../test/fixtures/pictures.js';
import { isAbortError, UsageError, VarsearchError } from '../core/errors.js';
import type { Image } from '../core/image.js';
import { Ledger, PHASES } from '../core/ledger.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import type { Judge, Verifier } from './contract.js';

/** A verifier under test. */
export interface VerifierCase {
  /** Opens it in the suite's runtime. */
  open(runtime: Runtime): Promise<Verifier>;
  /** Two prompts that it understands and, where prompts matter, scores differently for `pictures`. */
  readonly prompts: readonly [string, string];
  /** At least three pictures, of which the first two get different scores for the first prompt. */
  readonly pictures: readonly Image[];
  /** Ways to open it that must fail, and what the error says. */
  readonly faults: readonly {
    readonly what: string;
    open(runtime: Runtime): Promise<Verifier>;
    readonly says: RegExp;
  }[];
  /** Why scores do not depend on the prompt. @default they do */
  readonly sameForAllPrompts?: string;
  /** How far a score in a batch may be from the score alone, and why it is not the same. @default the same bits */
  readonly batchBound?: { readonly largest: number; readonly reason: string };
}

/** Pictures that no verifier may stumble over. */
const ODD_PICTURES: readonly (readonly [string, Image])[] = [
  ['grey', greyPicture(64, 64)],
  ['black', greyPicture(64, 64, 0)],
  ['of one pixel', patternPicture(1, 1)],
  ['very wide', patternPicture(640, 20)],
  ['very high', patternPicture(20, 640)],
  ['large', patternPicture(512, 384)],
];

/** Runs the contract suite over a verifier. */
export function describeVerifier(name: string, verifierCase: VerifierCase): void {
  const { prompts, pictures, faults, batchBound } = verifierCase;
  const [prompt, otherPrompt] = prompts;
  describe(`the verifier ${name}`, () => {
    let runtime: Runtime;
    let verifier: Verifier;
    let judge: Judge;
    const ledger = new Ledger();

    beforeAll(async () => {
      runtime = await createRuntime({ threads: 1 });
      verifier = await verifierCase.open(runtime);
      judge = await verifier.prepare(prompt, ledger);
    });
    afterAll(async () => {
      judge.close();
      await verifier.close();
      await runtime.close();
    });

    const oneByOne = async (images: readonly Image[]): Promise<number[]> => {
      const scores: number[] = [];
      for (const image of images) scores.push(...(await judge.score([image])));
      return scores;
    };

    it('has a name and tells the hashes of its files', async () => {
      expect(verifier.name).toMatch(/^[a-z][a-z0-9-]*$/);
      for (const hash of Object.values(await verifier.hashes())) expect(hash).toMatch(/^[0-9a-f]{64}$/);
    });

    it('scores a batch as it scores one by one', async () => {
      const [batch, single] = [await judge.score(pictures), await oneByOne(pictures)];
      if (!batchBound) expect(batch).toEqual(single);
      batch.forEach((score, i) =>
        expect(Math.abs(score - (single[i] ?? NaN))).toBeLessThanOrEqual(batchBound?.largest ?? 0),
      );
    });

    it('keeps the order of the pictures', async () => {
      const scores = await judge.score(pictures);
      expect(scores.length).toBe(pictures.length);
      expect(scores[0]).not.toBe(scores[1]);
      const bound = batchBound?.largest ?? 0;
      (await judge.score(pictures.toReversed()))
        .reverse()
        .forEach((score, i) => expect(Math.abs(score - (scores[i] ?? NaN))).toBeLessThanOrEqual(bound));
    });

    it('gives the same scores again, also when opened again', async () => {
      const scores = await judge.score(pictures);
      expect(await judge.score(pictures)).toEqual(scores);
      const again = await verifierCase.open(runtime);
      const anotherJudge = await again.prepare(prompt, new Ledger());
      expect(await anotherJudge.score(pictures)).toEqual(scores);
      anotherJudge.close();
      await again.close();
    });

    it('serves several prompts at once without mixing them up', async () => {
      const other = await verifier.prepare(otherPrompt, new Ledger());
      const [mine, others] = await Promise.all([judge.score(pictures), other.score(pictures)]);
      if (verifierCase.sameForAllPrompts === undefined) expect(others).not.toEqual(mine);
      else expect(others).toEqual(mine);
      expect(await judge.score(pictures)).toEqual(mine);
      expect(await other.score(pictures)).toEqual(others);
      other.close();
    });

    it('scores nothing for no pictures', async () => {
      expect(await judge.score([])).toEqual([]);
    });

    it.each(ODD_PICTURES)('scores a picture that is %s', async (_, image) => {
      const [score] = await judge.score([image]);
      expect(Number.isFinite(score)).toBe(true);
    });

    it('refuses an empty prompt', async () => {
      for (const empty of ['', ' \n ']) {
        await expect(verifier.prepare(empty, new Ledger())).rejects.toThrow(UsageError);
      }
    });

    it('can be cancelled before and during a call, and goes on working', async () => {
      const expected = await judge.score(pictures);
      const before = judge.score(pictures, { signal: AbortSignal.abort() });
      await expect(before).rejects.toSatisfy(isAbortError);
      const controller = new AbortController();
      const during = judge.score(pictures, { signal: controller.signal });
      controller.abort();
      await expect(during).rejects.toSatisfy(isAbortError);
      expect(await judge.score(pictures)).toEqual(expected);
    });

    it('writes its costs to the ledger of the prompt', async () => {
      const own = new Ledger();
      const another = await verifier.prepare(prompt, own);
      expect(own.record().imagesVerified).toBe(0);
      await another.score(pictures);
      await another.score(pictures.slice(1));
      another.close();
      const { imagesVerified, milliseconds } = own.record();
      expect(imagesVerified).toBe(2 * pictures.length - 1);
      expect(milliseconds.verifier).toBeGreaterThan(0);
      for (const phase of PHASES) if (phase !== 'verifier') expect(milliseconds[phase]).toBe(0);
    });

    it('releases all that it holds', async () => {
      const before = await runtime.stats();
      const another = await verifierCase.open(runtime);
      const anotherJudge = await another.prepare(prompt, new Ledger());
      await anotherJudge.score(pictures);
      anotherJudge.close();
      await another.close();
      const { sessions, tensors, bytes } = await runtime.stats();
      expect({ sessions, tensors, bytes }).toEqual({
        sessions: before.sessions,
        tensors: before.tensors,
        bytes: before.bytes,
      });
    });

    for (const { what, open, says } of faults) {
      it(`fails with a clear error: ${what}`, async () => {
        const before = await runtime.stats();
        const opening = open(runtime);
        await expect(opening).rejects.toThrow(VarsearchError);
        await expect(opening).rejects.toThrow(says);
        expect((await runtime.stats()).sessions).toBe(before.sessions);
      });
    }
  });
}
