// An image model without weights for tests of everything above search: scale by scale its pictures get sharper,
// every draw comes from the key, and the ledger is kept as a real model keeps it. Counts what is not freed.

import type { Image } from '../../src/core/image.js';
import { createImage } from '../../src/core/image.js';
import type { Ledger } from '../../src/core/ledger.js';
import type {
  CallOptions,
  Extension,
  GenerationOptions,
  Generator,
  ImageModel,
  Prefix,
  Scale,
} from '../../src/models/contract.js';

/** How a fake model behaves. */
export interface FakeModelOptions {
  readonly name?: string;
  readonly scales?: readonly Scale[];
  readonly hashes?: Readonly<Record<string, string>>;
  /** Milliseconds that every forward pass takes, for tests of cancellation. */
  readonly delay?: number;
  /** Side of the pictures in pixels. @default 16 */
  readonly side?: number;
  /** Makes a picture of the random numbers of scales 1..k. @default a circle */
  readonly paint?: (draws: readonly Float64Array[], side: number) => Image;
  /** Called before every extension; may throw. */
  readonly onExtend?: (scale: number) => void;
}

/** Square scales of these sides. */
export const squares = (...sides: number[]): Scale[] => sides.map((side) => ({ height: side, width: side }));

/** A model whose living prefixes can be counted. */
export interface FakeModel extends ImageModel {
  /** Prefixes that were given out and not released yet. */
  readonly alive: () => number;
  /** What `prepare` was given, in order. */
  readonly prepared: readonly { readonly prompt: string; readonly options: GenerationOptions }[];
  readonly closed: () => boolean;
}

class FakePrefix implements Prefix {
  readonly scale: number;
  readonly parent: FakePrefix | null;
  /** Random numbers of this scale. */
  readonly draws: Float64Array;
  readonly count: { alive: number };
  forwarded = false;
  #owners = 1;

  constructor(parent: FakePrefix | null, draws: Float64Array, count: { alive: number }) {
    this.parent = parent;
    this.scale = parent ? parent.scale + 1 : 0;
    this.draws = draws;
    this.count = count;
    count.alive++;
    parent?.retain();
  }

  retain(): Prefix {
    if (this.#owners === 0) throw new Error('a freed prefix was used again');
    this.#owners++;
    return this;
  }

  release(): void {
    if (this.#owners === 0) throw new Error('a prefix was released more often than it was owned');
    if (--this.#owners > 0) return;
    this.count.alive--;
    this.parent?.release();
  }
}

const DRAWS = 6;

/** The random numbers of a prefix, coarse to fine. */
function drawsOf(prefix: FakePrefix): Float64Array[] {
  const chain: Float64Array[] = [];
  for (let each: FakePrefix | null = prefix; each && each.scale > 0; each = each.parent) {
    chain.unshift(each.draws);
  }
  return chain;
}

/** Coarse scales move the circle far, fine ones little; the first one picks the colours. */
function paintCircle(chain: readonly Float64Array[], side: number): Image {
  const at = (scale: number, index: number): number => chain[scale]?.[index] ?? 0.5;
  let [x, y, radius] = [0.5, 0.5, 0.25];
  chain.forEach((_, scale) => {
    const reach = 0.5 / (scale + 1);
    x += (at(scale, 0) - 0.5) * reach;
    y += (at(scale, 1) - 0.5) * reach;
    radius += (at(scale, 2) - 0.5) * reach * 0.4;
  });
  const colour = [3, 4, 5].map((index) => 60 + 180 * at(0, index));
  const data = new Uint8Array(side * side * 3);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const distance = Math.hypot((pixel % side) / side - x, Math.floor(pixel / side) / side - y) - radius;
    const cover = Math.min(1, Math.max(0, 0.5 - distance * side));
    for (let c = 0; c < 3; c++) data[pixel * 3 + c] = 245 + cover * ((colour[c] ?? 0) - 245);
  }
  return createImage(side, side, data);
}

interface Shared {
  readonly scales: readonly Scale[];
  readonly options: FakeModelOptions;
  readonly count: { alive: number };
}

class FakeGenerator implements Generator {
  readonly scales: readonly Scale[];
  readonly ledger: Ledger;
  readonly concurrency = 4;
  readonly #shared: Shared;

  constructor(shared: Shared, ledger: Ledger) {
    this.#shared = shared;
    this.scales = shared.scales;
    this.ledger = ledger;
  }

  begin(): Prefix {
    return new FakePrefix(null, new Float64Array(0), this.#shared.count);
  }

  async extend(requests: readonly Extension[], options: CallOptions = {}): Promise<Prefix[]> {
    const scale = requests[0]?.prefix.scale ?? 0;
    this.#shared.options.onExtend?.(scale);
    await this.ledger.time('transformer', () => this.#wait());
    options.signal?.throwIfAborted();
    this.ledger.add({ forwardCalls: 1, nfe: requests.length });
    return requests.map(({ prefix, key }) => {
      const parent = prefix as FakePrefix;
      const { height, width } = this.scales[parent.scale] ?? { height: 0, width: 0 };
      if (!parent.forwarded) {
        parent.forwarded = true;
        this.ledger.add({ forwards: 1, tokens: height * width, transformerFlops: height * width * 2e7 });
      }
      return new FakePrefix(parent, key.uniform(DRAWS), this.#shared.count);
    });
  }

  async decode(prefixes: readonly Prefix[], options: CallOptions = {}): Promise<Image[]> {
    options.signal?.throwIfAborted();
    this.ledger.add({ imagesDecoded: prefixes.length, decoderFlops: prefixes.length * 3e8 });
    const { side = 16, paint = paintCircle } = this.#shared.options;
    return await this.ledger.time('decoder', () =>
      Promise.resolve(prefixes.map((prefix) => paint(drawsOf(prefix as FakePrefix), side))),
    );
  }

  close(): void {
    // Nothing belongs to the prompt here.
  }

  #wait(): Promise<void> {
    const { delay = 0 } = this.#shared.options;
    return delay > 0 ? new Promise((resolve) => setTimeout(resolve, delay)) : Promise.resolve();
  }
}

/** A loaded fake model. */
export function fakeModel(options: FakeModelOptions = {}): FakeModel {
  const shared: Shared = { scales: options.scales ?? squares(1, 2, 3, 4), options, count: { alive: 0 } };
  const prepared: { prompt: string; options: GenerationOptions }[] = [];
  let closed = false;
  return {
    name: options.name ?? 'fake',
    hashes: () => Promise.resolve(options.hashes ?? { 'fake.safetensors': 'a'.repeat(64) }),
    prepared,
    alive: () => shared.count.alive,
    closed: () => closed,
    prepare(prompt, ledger, { signal: _, ...given } = {}) {
      prepared.push({ prompt, options: given });
      return Promise.resolve(new FakeGenerator(shared, ledger));
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
}
