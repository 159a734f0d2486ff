// Two verifiers without eyes. The coin is the negative control of a study: its score is a number that prompt and pixels draw, so that
// a search that it guides must gain nothing.

import { createHash } from 'node:crypto';

import type { Image } from '../core/image.js';
import type { Verifier } from '../verifiers/contract.js';

function blind(name: string, score: (prompt: string, image: Image) => number): Verifier {
  return {
    name,
    flops: 0,
    hashes: () => Promise.resolve({}),
    prepare: (prompt, ledger) =>
      Promise.resolve({
        score: (images) => {
          ledger.add({ imagesVerified: images.length });
          return Promise.resolve(images.map((image) => score(prompt, image)));
        },
        close: () => undefined,
      }),
    close: () => Promise.resolve(),
  };
}

/** A number from 0 to 1 that says nothing about the picture, and is always the same for the same prompt and pixels. */
export const COIN = blind('coin', (prompt, { data }) => {
  const digest = createHash('sha256').update(prompt).update('\0').update(data).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
});

/** For those who draw a single picture: there is nothing to choose. */
export const NONE = blind('none', () => 0);
