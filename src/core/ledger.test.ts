import { describe, expect, it } from 'vitest';

import { Ledger, noteWaiting, PHASES } from './ledger.js';

describe('Ledger', () => {
  it('begins at nothing, with every count and phase', () => {
    const { milliseconds, ...counts } = new Ledger().record();
    expect(new Set(Object.values(counts))).toEqual(new Set([0]));
    expect(Object.keys(milliseconds)).toEqual([...PHASES]);
  });

  it('adds up', () => {
    const ledger = new Ledger();
    ledger.add({ nfe: 3, tokens: 10 });
    ledger.add({ nfe: 4, imagesDecoded: 1 });
    ledger.addTime('decoder', 5);
    ledger.addTime('decoder', 2.5);
    const record = ledger.record();
    expect(record).toMatchObject({ nfe: 7, tokens: 10, imagesDecoded: 1, forwards: 0 });
    expect(record.milliseconds).toMatchObject({ decoder: 7.5, verifier: 0 });
  });

  it('gives records that stay as they are', () => {
    const ledger = new Ledger();
    const before = ledger.record();
    ledger.add({ nfe: 1 });
    ledger.addTime('text', 1);
    expect(before.nfe).toBe(0);
    expect(before.milliseconds.text).toBe(0);
  });

  it('shares nothing with other ledgers', () => {
    new Ledger().add({ nfe: 1 });
    expect(new Ledger().record().nfe).toBe(0);
  });

  it('keeps what work waited for that of others apart, of each ledger its own', async () => {
    const wait = (milliseconds: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, milliseconds));
    const [one, other] = [new Ledger(), new Ledger()];
    const work = async (waited: number): Promise<void> => {
      await wait(40);
      noteWaiting(waited);
    };
    await Promise.all([one.time('decoder', () => work(30)), other.time('decoder', () => work(0))]);
    noteWaiting(1000); // nobody's
    expect(one.record().milliseconds.waiting).toBe(30);
    expect(other.record().milliseconds.waiting).toBe(0);
    expect(other.record().milliseconds.decoder).toBeGreaterThan(35);
    const { decoder } = one.record().milliseconds;
    await one.time('decoder', () => work(1000));
    expect(one.record().milliseconds.decoder).toBe(decoder); // never less than nothing
  });

  it('takes the time of work, gives its result, and takes the time of failures too', async () => {
    const ledger = new Ledger();
    const wait = (): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('done'), 20));
    expect(await ledger.time('verifier', wait)).toBe('done');
    const once = ledger.record().milliseconds.verifier;
    expect(once).toBeGreaterThan(15);
    const failing = ledger.time('verifier', async () => {
      await wait();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(ledger.record().milliseconds.verifier).toBeGreaterThan(once + 15);
    expect(ledger.record().milliseconds.decoder).toBe(0);
  });
});
