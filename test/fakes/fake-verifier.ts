// A judge without weights: the nearer to red a picture's middle, the higher its score. Words of the prompt shift it.

import type { Image } from '../../src/core/image.js';
import type { Verifier } from '../../src/verifiers/contract.js';

/** A verifier that can tell whether it was closed. */
export interface FakeVerifier extends Verifier {
  readonly closed: () => boolean;
}

function redness(image: Image, shift: number): number {
  let sum = 0;
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      const at = (y * image.width + x) * 3;
      const [red = 0, green = 0, blue = 0] = image.data.subarray(at, at + 3);
      const weight = 1 - Math.hypot(x / image.width - 0.5, y / image.height - 0.5);
      sum += (weight * (red - (green + blue) / 2)) / 255;
    }
  }
  return sum / (image.width * image.height) + shift;
}

/** A loaded fake verifier. */
export function fakeVerifier(options: { readonly name?: string; readonly hash?: string } = {}): FakeVerifier {
  let closed = false;
  return {
    name: options.name ?? 'fake-score',
    hashes: () => Promise.resolve({ 'judge.safetensors': options.hash ?? 'b'.repeat(64) }),
    closed: () => closed,
    prepare(prompt, ledger) {
      const shift = prompt.length / 1000;
      return Promise.resolve({
        score: (images: readonly Image[]) =>
          ledger.time('verifier', () => {
            ledger.add({ imagesVerified: images.length });
            return Promise.resolve(images.map((image) => redness(image, shift)));
          }),
        close: () => undefined,
      });
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
}
