// A judge without weights: the nearer to its colour a picture's middle, the higher its score. Words of the prompt shift it.

import type { Image } from '../../src/core/image.js';
import type { Verifier } from '../../src/verifiers/contract.js';

/** A verifier that can tell whether it was closed. */
export interface FakeVerifier extends Verifier {
  readonly closed: () => boolean;
}

/** How a fake verifier judges. */
export interface FakeVerifierOptions {
  readonly name?: string;
  readonly hash?: string;
  /** What it likes: a colour, or everything but red. @default 'red' */
  readonly likes?: 'red' | 'blue' | 'not red';
  /** Called with the pictures of every call. */
  readonly onScore?: (images: readonly Image[]) => void;
}

/** What a picture's score would cost. */
const FLOPS = 3e6;

type Colour = readonly [red: number, green: number, blue: number];

const LIKING: Readonly<Record<'red' | 'blue' | 'not red', (colour: Colour) => number>> = {
  red: ([red, green, blue]) => red - (green + blue) / 2,
  blue: ([red, green, blue]) => blue - (red + green) / 2,
  'not red': ([red, green, blue]) => (green + blue) / 2 - red,
};

function liking(image: Image, shift: number, likes: keyof typeof LIKING): number {
  let sum = 0;
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      const at = (y * image.width + x) * 3;
      const [red = 0, green = 0, blue = 0] = image.data.subarray(at, at + 3);
      const weight = 1 - Math.hypot(x / image.width - 0.5, y / image.height - 0.5);
      sum += (weight * LIKING[likes]([red, green, blue])) / 255;
    }
  }
  return sum / (image.width * image.height) + shift;
}

/** A loaded fake verifier. */
export function fakeVerifier(options: FakeVerifierOptions = {}): FakeVerifier {
  let closed = false;
  return {
    name: options.name ?? 'fake-score',
    flops: FLOPS,
    hashes: () => Promise.resolve({ 'judge.safetensors': options.hash ?? 'b'.repeat(64) }),
    closed: () => closed,
    prepare(prompt, ledger) {
      const shift = prompt.length / 1000;
      return Promise.resolve({
        score: (images: readonly Image[]) =>
          ledger.time('verifier', () => {
            ledger.add({ imagesVerified: images.length, verifierFlops: images.length * FLOPS });
            options.onScore?.(images);
            return Promise.resolve(images.map((image) => liking(image, shift, options.likes ?? 'red')));
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
