// What every generator has to do, whatever its steps are: the contract of contract.ts as tests.

import { describe, expect, it } from 'vitest';

import type { Image } from '../core/image.js';
import { Ledger } from '../core/ledger.js';
import { type Draw, RandomKey } from '../core/random.js';
import type { Generator, Prefix, View } from './contract.js';

/** A generator that is closed with all that was opened for it. */
export interface OpenedGenerator {
  readonly generator: Generator;
  /** Closes what the generator stands on, after the generator itself. */
  close(): Promise<void>;
}

/** Opens a generator for always the same prompt. */
export type OpenGenerator = () => Promise<OpenedGenerator>;

const ROOT = RandomKey.fromSeed(2163);
const VIEWS: readonly View[] = ['own', 'full'];
const drawsOf = (count: number): Draw[] => Array.from({ length: count }, (_, i) => ROOT.fold(i));

/** Runs `work` with a generator; closing it fails where prefixes are left. */
async function withGenerator<T>(open: OpenGenerator, work: (generator: Generator) => Promise<T>): Promise<T> {
  const { generator, close } = await open();
  const result = await work(generator);
  generator.close();
  await close();
  return result;
}

const releaseAll = (prefixes: readonly Prefix[]): void => {
  for (const prefix of prefixes) prefix.release();
};

/** One step of one prefix, which stays the caller's. */
async function stepOf(generator: Generator, prefix: Prefix, draw: Draw): Promise<Prefix> {
  const [next] = await generator.extend([{ prefix, draw }]);
  if (!next) throw new Error('no prefix came back');
  return next;
}

/** Takes prefixes on to a step all together, as the strategies do; the caller owns both. */
async function walk(
  generator: Generator,
  from: readonly Prefix[],
  draws: readonly Draw[],
  until: number,
): Promise<Prefix[]> {
  let prefixes = from.map((prefix) => prefix.retain());
  for (let step = (from[0]?.step ?? 0) + 1; step <= until; step++) {
    const requests = prefixes.map((prefix, i) => ({ prefix, draw: (draws[i] ?? ROOT).fold(step) }));
    const next = await generator.extend(requests);
    releaseAll(prefixes);
    prefixes = next;
  }
  return prefixes;
}

/** One prefix of `until` steps from nothing. */
async function grow(generator: Generator, draw: Draw, until: number): Promise<Prefix> {
  const root = generator.begin();
  const [prefix] = await walk(generator, [root], [draw], until);
  root.release();
  return prefix as Prefix;
}

/** The pictures of rollouts from `from`, which stays the caller's. */
async function finish(generator: Generator, from: Prefix, draws: readonly Draw[]): Promise<Image[]> {
  const complete = await walk(
    generator,
    draws.map(() => from),
    draws,
    generator.schedule.steps.length,
  );
  const images = await generator.decode(complete, 'own');
  releaseAll(complete);
  return images;
}

async function pictures(generator: Generator, draws: readonly Draw[]): Promise<Image[]> {
  const root = generator.begin();
  const images = await finish(generator, root, draws);
  root.release();
  return images;
}

async function lookAt(generator: Generator, prefix: Prefix, view: View = 'own'): Promise<Image> {
  const [image] = await generator.decode([prefix], view);
  return image as Image;
}

/** What the ledger counts while `work` runs. */
async function counted(generator: Generator, work: () => Promise<unknown>) {
  const before = generator.ledger.record();
  await work();
  const after = generator.ledger.record();
  return {
    nfe: after.nfe - before.nfe,
    forwards: after.forwards - before.forwards,
    tokens: after.tokens - before.tokens,
    flops: after.transformerFlops - before.transformerFlops,
    images: after.imagesDecoded - before.imagesDecoded,
  };
}

const NOTHING = { nfe: 0, forwards: 0, tokens: 0, flops: 0, images: 0 };

/** Holds a generator to the contract; `open` is called anew for every test. */
export function describeGenerator(name: string, open: OpenGenerator): void {
  const it_ = (title: string, work: (generator: Generator) => Promise<void>): void => {
    it(title, () => withGenerator(open, work));
  };

  describe(`${name} as a generator`, () => {
    describePictures(open, it_);
    describePrefixes(open, it_);
    describeStates(open, it_);
    describeLooking(it_);
    describeFacts(it_);
    describeCalls(it_);
  });
}

type Case = (title: string, work: (generator: Generator) => Promise<void>) => void;

function describePictures(open: OpenGenerator, it_: Case): void {
  it_('draws the same pictures from the same draws, whenever it is opened', async (generator) => {
    const images = await pictures(generator, drawsOf(4));
    expect(await pictures(generator, drawsOf(4))).toEqual(images);
    expect(await withGenerator(open, (other) => pictures(other, drawsOf(4)))).toEqual(images);
    expect(new Set(images.map(({ data }) => String(data))).size).toBeGreaterThan(1);
  });

  it_('draws a picture alone as it draws it among others', async (generator) => {
    const draws = drawsOf(5);
    const together = await pictures(generator, draws);
    for (const [i, draw] of draws.entries()) {
      expect(await pictures(generator, [draw])).toEqual([together[i]]);
    }
    expect(await pictures(generator, draws.toReversed())).toEqual(together.toReversed());
  });

  it_('draws at the steps that say so, and nowhere else', async (generator) => {
    for (const [index, { draws }] of generator.schedule.steps.entries()) {
      const prefix = await grow(generator, ROOT, index);
      const requests = drawsOf(6).map((draw) => ({ prefix, draw }));
      const children = await generator.extend(requests);
      const states = new Set(children.map((child) => String(generator.pack(child))));
      if (draws) expect(states.size).toBeGreaterThan(1);
      else expect(states.size).toBe(1);
      releaseAll([prefix, ...children]);
    }
  });

  it_('draws near a pivot: its picture at radius 0, and its own at 1', async (generator) => {
    const [pivot, other] = [ROOT.fold(1), ROOT.fold(2)];
    const [of, from] = await pictures(generator, [pivot, other]);
    expect(await pictures(generator, [other.near(pivot, 0), other.near(pivot, 1)])).toEqual([of, from]);
    const neighbours = drawsOf(4).map((draw) => draw.fold(7).near(pivot, 0.6));
    const near = await pictures(generator, neighbours);
    expect(new Set([of, ...near].map((image) => String(image?.data))).size).toBeGreaterThan(1);
  });
}

function describePrefixes(open: OpenGenerator, it_: Case): void {
  it_('shares one forward pass among all that extend a prefix, at once or later', async (generator) => {
    for (const [index, step] of generator.schedule.steps.entries()) {
      const prefix = await grow(generator, ROOT, index);
      const owned = [prefix];
      const extend = (draws: readonly Draw[]) =>
        counted(generator, async () =>
          owned.push(...(await generator.extend(draws.map((draw) => ({ prefix, draw }))))),
        );
      const forwards = step.nfe > 0 ? 1 : 0;
      const { tokens, flops } = step;
      expect(await extend(drawsOf(3))).toEqual({ nfe: 3 * step.nfe, forwards, tokens, flops, images: 0 });
      expect(await extend(drawsOf(2))).toEqual({ ...NOTHING, nfe: 2 * step.nfe });
      releaseAll(owned);
    }
  });

  it_('takes prefixes of several steps in one call, results in the order of requests', async (generator) => {
    const last = generator.schedule.steps.length;
    const mixed: Prefix[] = [];
    for (const step of [last - 1, 0, 1, 0].filter((each) => each < last)) {
      mixed.push(await grow(generator, ROOT, step));
    }
    const draw = ROOT.fold(3);
    const next = await generator.extend(mixed.map((prefix) => ({ prefix, draw })));
    expect(next.map(({ step }) => step)).toEqual(mixed.map(({ step }) => step + 1));
    for (const [i, prefix] of mixed.entries()) {
      const alone = await stepOf(generator, prefix, draw);
      expect(generator.pack(next[i] as Prefix)).toEqual(generator.pack(alone));
      alone.release();
    }
    releaseAll([...mixed, ...next]);
  });

  it_('leaves a prefix as it is, whatever is drawn from it', async (generator) => {
    const { length } = generator.schedule.steps;
    for (let step = 0; step < length; step++) {
      const prefix = await grow(generator, ROOT, step);
      const before = generator.pack(prefix);
      const [image] = step === 0 ? [null] : await generator.decode([prefix], 'own');
      const first = await finish(generator, prefix, drawsOf(2));
      expect(await finish(generator, prefix, drawsOf(2))).toEqual(first);
      expect(prefix.step).toBe(step);
      expect(generator.pack(prefix)).toEqual(before);
      if (image) expect(await lookAt(generator, prefix)).toEqual(image);
      prefix.release();
    }
  });

  it_('keeps for a child what it needs of a released prefix', async (generator) => {
    const { length } = generator.schedule.steps;
    const expected = await pictures(generator, [ROOT]);
    for (let step = 0; step < length; step++) {
      const prefix = await grow(generator, ROOT, step);
      const child = await stepOf(generator, prefix, ROOT.fold(step + 1));
      prefix.release();
      expect(await finish(generator, child, [ROOT])).toEqual(expected);
      child.release();
    }
  });

  it_('counts owners, and refuses a prefix that has none left', async (generator) => {
    const draw = ROOT;
    for (const step of [0, 1, generator.schedule.steps.length]) {
      const prefix = await grow(generator, draw, step);
      prefix.retain().release();
      expect(generator.pack(prefix)).toBeInstanceOf(Uint8Array);
      prefix.release();
      const gone = 'after its release';
      expect(() => prefix.release()).toThrow(gone);
      expect(() => prefix.retain()).toThrow(gone);
      expect(() => generator.pack(prefix)).toThrow(gone);
      await expect(generator.decode([prefix], 'own')).rejects.toThrow(gone);
      await expect(generator.extend([{ prefix, draw }])).rejects.toThrow(gone);
    }
  });

  it_('is not closed while prefixes live', async (generator) => {
    const root = generator.begin();
    const child = await stepOf(generator, root, ROOT);
    root.release();
    expect(() => generator.close()).toThrow(/not released before close/);
    child.release();
  });

  it_("refuses another generator's prefix, and to go on behind the last step", async (generator) => {
    const complete = await grow(generator, ROOT, generator.schedule.steps.length);
    await expect(generator.extend([{ prefix: complete, draw: ROOT }])).rejects.toThrow('cannot be extended');
    complete.release();
    await withGenerator(open, async (stranger) => {
      const prefix = stranger.begin();
      await expect(generator.extend([{ prefix, draw: ROOT }])).rejects.toThrow(
        'belongs to another generator',
      );
      expect(() => generator.pack(prefix)).toThrow('belongs to another generator');
      prefix.release();
    });
  });
}

function describeStates(open: OpenGenerator, it_: Case): void {
  it_('packs a prefix of any step and gives it back', async (generator) => {
    const { steps } = generator.schedule;
    for (let step = 0; step <= steps.length; step++) {
      const prefix = await grow(generator, ROOT, step);
      const state = generator.pack(prefix);
      const unpacking = await counted(generator, async () => {
        const unpacked = generator.unpack(state);
        expect(unpacked.step).toBe(step);
        expect(generator.pack(unpacked)).toEqual(state);
        unpacked.release();
      });
      expect(unpacking).toEqual(NOTHING);
      const unpacked = generator.unpack(state);
      if (step > 0) {
        for (const view of VIEWS) {
          expect(await lookAt(generator, unpacked, view)).toEqual(await lookAt(generator, prefix, view));
        }
      }
      if (step < steps.length) {
        const continued = await finish(generator, prefix, drawsOf(2));
        expect(await finish(generator, unpacked, drawsOf(2))).toEqual(continued);
      }
      releaseAll([prefix, unpacked]);
    }
  });

  it_('gives the prefixes that one came through, where it keeps them', async (generator) => {
    if (!generator.stages) return;
    const { steps } = generator.schedule;
    const prefix = await grow(generator, ROOT, steps.length);
    const unpacked = generator.unpack(generator.pack(prefix));
    const stages = generator.stages(unpacked);
    releaseAll([unpacked]);
    expect(stages.map(({ step }) => step)).toEqual(steps.map((_, i) => i + 1));
    expect(generator.pack(stages.at(-1) as Prefix)).toEqual(generator.pack(prefix));
    const early = await grow(generator, ROOT, 1);
    expect(await lookAt(generator, stages[0] as Prefix, 'full')).toEqual(
      await lookAt(generator, early, 'full'),
    );
    releaseAll([...stages, prefix, early]);
  });

  it_('draws a packed picture again without a forward pass', async (generator) => {
    const complete = await grow(generator, ROOT, generator.schedule.steps.length);
    const image = await lookAt(generator, complete);
    const state = generator.pack(complete);
    complete.release();
    const unpacked = generator.unpack(state);
    const cost = await counted(generator, async () => {
      expect(await lookAt(generator, unpacked)).toEqual(image);
    });
    expect(cost).toEqual({ ...NOTHING, images: 1 });
    unpacked.release();
  });

  it_('continues a state that was packed by another generator of the same prompt', async (generator) => {
    const { length } = generator.schedule.steps;
    const [expected] = await pictures(generator, [ROOT]);
    const state = await withGenerator(open, async (other) => {
      const prefix = await grow(other, ROOT, length - 1);
      const packed = other.pack(prefix);
      prefix.release();
      return packed;
    });
    const unpacked = generator.unpack(state);
    state.fill(255); // What was unpacked holds nothing of the state.
    expect(await finish(generator, unpacked, [ROOT])).toEqual([expected]);
    unpacked.release();
  });

  it_('refuses a state that is cut, too long, or of something else', async (generator) => {
    const prefix = await grow(generator, ROOT, generator.schedule.steps.length);
    const state = generator.pack(prefix);
    prefix.release();
    for (const wrong of [
      state.slice(0, -1),
      Uint8Array.from([...state, 0]),
      Uint8Array.from({ length: 5 }, () => 255),
    ]) {
      expect(() => generator.unpack(wrong)).toThrow(RangeError);
    }
  });
}

function describeLooking(it_: Case): void {
  it_('shows a prefix at its own size and at the full one', async (generator) => {
    const { steps } = generator.schedule;
    const full = steps.at(-1)?.readout;
    for (const [index, { readout }] of steps.entries()) {
      const prefix = await grow(generator, ROOT, index + 1);
      const [own, whole] = [await lookAt(generator, prefix), await lookAt(generator, prefix, 'full')];
      expect([own.width, own.height]).toEqual([readout.width, readout.height]);
      expect([whole.width, whole.height]).toEqual([full?.width, full?.height]);
      if (index === steps.length - 1) expect(whole).toEqual(own);
      prefix.release();
    }
  });

  it_('shows many prefixes of several steps as it shows each alone', async (generator) => {
    const prefixes: Prefix[] = [];
    const { length } = generator.schedule.steps;
    for (const step of [length, 1, length, 2, 1].filter((each) => each <= length)) {
      prefixes.push(await grow(generator, ROOT.fold(prefixes.length), step));
    }
    for (const view of VIEWS) {
      const together = await generator.decode(prefixes, view);
      for (const [i, prefix] of prefixes.entries()) {
        expect(await lookAt(generator, prefix, view)).toEqual(together[i]);
      }
    }
    releaseAll(prefixes);
  });

  it_(
    'counts what looking costs once, whether the next step comes after it, before it or never',
    async (generator) => {
      const { steps } = generator.schedule;
      for (const [index, { readout }] of steps.entries()) {
        const next = steps[index + 1];
        const forward = {
          ...NOTHING,
          nfe: readout.nfe,
          ...(readout.nfe > 0 && next ? { forwards: 1, tokens: next.tokens, flops: next.flops } : {}),
        };
        const looked = await grow(generator, ROOT, index + 1);
        expect(await counted(generator, () => lookAt(generator, looked))).toEqual({ ...forward, images: 1 });
        expect(await counted(generator, () => lookAt(generator, looked, 'full'))).toEqual({
          ...NOTHING,
          images: 1,
        });
        if (next) {
          const extend = (prefix: Prefix) =>
            counted(generator, async () =>
              releaseAll(await generator.extend(drawsOf(2).map((draw) => ({ prefix, draw })))),
            );
          const rest = await extend(looked);
          const unseen = await grow(generator, ROOT, index + 1);
          const whole = await extend(unseen);
          expect(rest.nfe + forward.nfe).toBe(whole.nfe);
          expect(rest.forwards + forward.forwards).toBe(whole.forwards);
          expect(rest.tokens + forward.tokens).toBe(whole.tokens);
          expect(await counted(generator, () => lookAt(generator, unseen))).toEqual({
            ...NOTHING,
            images: 1,
          });
          unseen.release();
        }
        looked.release();
      }
    },
  );
}

function describeFacts(it_: Case): void {
  it_('runs what its schedule says', async (generator) => {
    const { steps } = generator.schedule;
    const sum = (of: (step: (typeof steps)[number]) => number): number =>
      steps.reduce((total, step) => total + of(step), 0);
    const cost = await counted(generator, async () => pictures(generator, [ROOT]));
    expect(cost).toEqual({
      nfe: sum(({ nfe }) => nfe),
      forwards: sum(({ nfe }) => (nfe > 0 ? 1 : 0)),
      tokens: sum(({ tokens }) => tokens),
      flops: sum(({ flops }) => flops),
      images: 1,
    });
  });

  it_('has a schedule of plain data that draws somewhere and ends with a picture', async (generator) => {
    const { schedule } = generator;
    expect(JSON.parse(JSON.stringify(schedule))).toEqual(schedule);
    expect(schedule.steps.some(({ draws }) => draws)).toBe(true);
    expect(schedule.steps.every(({ label }) => label !== '')).toBe(true);
    expect(schedule.steps.at(-1)?.readout.nfe).toBe(0);
    return Promise.resolve();
  });

  it_('has room for one prefix at least, and for more the fewer steps they take', async (generator) => {
    const { length } = generator.schedule.steps;
    for (let from = 0; from < length; from++) {
      for (let until = from + 1; until <= length; until++) {
        const room = generator.room(from, until);
        expect(Number.isInteger(room)).toBe(true);
        expect(room).toBeGreaterThanOrEqual(1);
        if (from + 1 < until) expect(generator.room(from + 1, until)).toBeGreaterThanOrEqual(room);
        if (until < length) expect(generator.room(from, until + 1)).toBeLessThanOrEqual(room);
      }
    }
    return Promise.resolve();
  });
}

function describeCalls(it_: Case): void {
  it_('ends with the reason of an aborted signal, leaves nothing behind, and works on', async (generator) => {
    const prefix = await grow(generator, ROOT, 1);
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const before = generator.ledger.record();
    await expect(generator.extend([{ prefix, draw: ROOT }], { signal })).rejects.toBe(reason);
    await expect(generator.decode([prefix], 'own', { signal })).rejects.toBe(reason);
    expect(generator.ledger.record()).toEqual({ ...before, milliseconds: expect.anything() as unknown });
    const images = await finish(generator, prefix, [ROOT]);
    // A prefix whose forward pass has run is no exception.
    await expect(generator.extend([{ prefix, draw: ROOT }], { signal })).rejects.toBe(reason);
    prefix.release();
    expect(await pictures(generator, [ROOT])).toEqual(images);
  });

  it_('has the cost of a look go where it is told, and the next step pay for itself', async (generator) => {
    const elsewhere = new Ledger();
    const prefix = await grow(generator, ROOT, 1);
    const before = generator.ledger.record();
    await generator.decode([prefix], 'own', { ledger: elsewhere });
    expect({ ...generator.ledger.record(), milliseconds: 0 }).toEqual({ ...before, milliseconds: 0 });
    expect(elsewhere.record().imagesDecoded).toBe(1);
    const next = await generator.extend([{ prefix, draw: ROOT }]);
    expect(generator.ledger.record().nfe).toBe(before.nfe + (generator.schedule.steps[1]?.nfe ?? NaN));
    for (const each of [prefix, ...next]) each.release();
  });

  it_('takes empty lists', async (generator) => {
    expect(await generator.extend([])).toEqual([]);
    expect(await generator.decode([], 'own')).toEqual([]);
  });
}
