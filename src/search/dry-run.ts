// A search without a model: the real strategies step through prefixes that hold nothing, and the ledger counts what a
// real model would have to do. It shows the costs that cost.ts works out, and that every prefix is released.

import { createImage, type Image } from '../core/image.js';
import { Ledger, type LedgerRecord } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import type { Extension, Generator, Prefix, Scale } from '../models/contract.js';
import { type Judge, type Panel, panelOf } from '../verifiers/contract.js';
import { type ResolvedSearch, startSearch } from './registry.js';

/** Sides of Infinity's 13 scales at 1024 x 1024; smaller pictures take the first 7 (256) or 10 (512). */
export const INFINITY_SIDES = [1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64] as const;

/** A schedule of square scales, from their sides in tokens. */
export function squareScales(sides: readonly number[]): Scale[] {
  return sides.map((side) => ({ height: side, width: side }));
}

/** What a dry run found. */
export interface DryRun extends LedgerRecord {
  /** Prefixes that were not released: 0, or the strategy leaks. */
  readonly leaked: number;
  /** The most tokens whose keys and values were held at once, over all prefixes. */
  readonly mostHeld: number;
}

/** How a search is run without a model. */
export interface DryRunOptions {
  /** Rollouts at once. @default 64 */
  readonly concurrency?: number;
  /** Who judges. @default one judge that finds all pictures alike */
  readonly panel?: (ledger: Ledger) => Panel;
}

/** Runs a search without a model and gives what it would cost. */
export async function dryRun(
  search: ResolvedSearch,
  scales: readonly Scale[],
  { concurrency = 64, panel = countingPanel }: DryRunOptions = {},
): Promise<DryRun> {
  const generator = new CountingGenerator(scales, concurrency);
  const key = RandomKey.fromSeed(0);
  const events = startSearch(search, { generator, panel: panel(generator.ledger), key });
  while ((await events.next()).done !== true);
  return { ...generator.ledger.record(), leaked: generator.alive, mostHeld: generator.mostHeld };
}

class CountingPrefix implements Prefix {
  readonly scale: number;
  readonly parent: CountingPrefix | null;
  readonly generator: CountingGenerator;
  hasForward = false;
  #owners = 1;

  constructor(generator: CountingGenerator, parent: CountingPrefix | null) {
    this.generator = generator;
    this.parent = parent?.retain() ?? null;
    this.scale = parent ? parent.scale + 1 : 0;
    generator.alive++;
  }

  retain(): this {
    this.assertAlive();
    this.#owners++;
    return this;
  }

  release(): void {
    this.assertAlive();
    if (--this.#owners > 0) return;
    this.generator.alive--;
    if (this.hasForward) this.generator.hold(this, -1);
    this.parent?.release();
  }

  assertAlive(): void {
    if (this.#owners === 0) {
      throw new RangeError(`a prefix of scale ${this.scale} was used after its release`);
    }
  }
}

/** A generator that draws nothing and counts everything. */
export class CountingGenerator implements Generator {
  readonly scales: readonly Scale[];
  readonly concurrency: number;
  readonly ledger = new Ledger();
  /** Prefixes that somebody owns. */
  alive = 0;
  /** The most tokens whose keys and values were held at once. */
  mostHeld = 0;
  #held = 0;

  constructor(scales: readonly Scale[], concurrency: number) {
    this.scales = scales;
    this.concurrency = concurrency;
  }

  begin(): Prefix {
    return new CountingPrefix(this, null);
  }

  extend(requests: readonly Extension[]): Promise<Prefix[]> {
    const prefixes = requests.map(({ prefix }) => own(prefix));
    for (const prefix of prefixes) prefix.assertAlive();
    const waiting = new Set(prefixes.filter(({ hasForward }) => !hasForward));
    for (const prefix of waiting) {
      this.ledger.add({ forwards: 1, tokens: this.#tokensAfter(prefix) });
      prefix.hasForward = true;
      this.hold(prefix, 1);
    }
    this.ledger.add({ nfe: requests.length, forwardCalls: waiting.size > 0 ? 1 : 0 });
    return Promise.resolve(prefixes.map((prefix) => new CountingPrefix(this, prefix)));
  }

  decode(prefixes: readonly Prefix[]): Promise<Image[]> {
    for (const prefix of prefixes) own(prefix).assertAlive();
    this.ledger.add({ imagesDecoded: prefixes.length });
    return Promise.resolve(prefixes.map(() => NO_PICTURE));
  }

  close(): void {
    if (this.alive > 0) throw new RangeError(`${this.alive} prefixes were not released before close`);
  }

  /** Notes that the keys and values that a prefix's forward made are held (1) or freed (-1); the last scale has none. */
  hold(prefix: Prefix, change: 1 | -1): void {
    if (prefix.scale === this.scales.length - 1) return;
    this.#held += change * this.#tokensAfter(prefix);
    this.mostHeld = Math.max(this.mostHeld, this.#held);
  }

  #tokensAfter({ scale }: Prefix): number {
    const next = this.scales[scale];
    if (!next) throw new RangeError(`a prefix of all ${this.scales.length} scales cannot be extended`);
    return next.height * next.width;
  }
}

/** A judge that finds all pictures alike. */
export class CountingJudge implements Judge {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  score(images: readonly Image[]): Promise<number[]> {
    this.#ledger.add({ imagesVerified: images.length });
    return Promise.resolve(images.map(() => 0));
  }

  close(): void {
    // Nothing belongs to the prompt here.
  }
}

function countingPanel(ledger: Ledger): Panel {
  return panelOf(new CountingJudge(ledger), 'none');
}

const NO_PICTURE = createImage(1, 1, new Uint8Array(3));

function own(prefix: Prefix): CountingPrefix {
  if (prefix instanceof CountingPrefix) return prefix;
  throw new TypeError('the prefix belongs to another generator');
}
