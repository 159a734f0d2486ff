// The toybox detector as a verifier: the share of the prompt's demands that a picture meets, 0..1. It is the judge that
// the benchmarks use, so a search that it guides says how far search can go, not how good a verifier is.

import { setImmediate } from 'node:timers/promises';

import { UsageError } from '../core/errors.js';
import { fit } from '../models/clip/preprocess.js';
import { oracleScore } from '../toybox/judge/judge.js';
import { parsePrompt } from '../toybox/world/parser.js';
import { PICTURE_SIDE } from '../toybox/world/scene.js';
import type { Judge, Verifier } from './contract.js';

/** The oracle; it has no files and holds nothing. Prompts that toybox cannot parse are a UsageError. */
export function oracle(): Verifier {
  return {
    name: 'oracle',
    most: 1,
    flops: 0,
    hashes: () => Promise.resolve({}),
    prepare: (prompt, ledger): Promise<Judge> => {
      if (prompt.trim() === '') {
        return Promise.reject(new UsageError('the oracle needs a prompt, and it is empty'));
      }
      return Promise.resolve(prompt)
        .then(parsePrompt)
        .then((parsed) => ({
          async score(images, options = {}) {
            const scores: number[] = [];
            await ledger.time('verifier', async () => {
              for (const image of images) {
                // Judging is synchronous: let timers and cancellation in between pictures.
                await setImmediate();
                options.signal?.throwIfAborted();
                scores.push(
                  oracleScore(parsed, fit(image, { shorterSide: PICTURE_SIDE, size: PICTURE_SIDE })),
                );
              }
            });
            ledger.add({ imagesVerified: images.length });
            return scores;
          },
          close: () => undefined,
        }));
    },
    close: () => Promise.resolve(),
  };
}
