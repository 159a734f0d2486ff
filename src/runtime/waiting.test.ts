// What several ledgers say of one engine: each has its own time, and what it waited for the others apart. The clock is counted:
// it goes on by the engine's work alone.

import { afterEach, expect, it, vi } from 'vitest';

import { Ledger } from '../core/ledger.js';
import { Session, type SessionHost } from './session.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Ticks that a run takes. */
const WORK = 10;
const NOTHING = { shapes: new Int32Array(0), data: [], milliseconds: WORK };

/** A session on an engine that works off one run after the other, and a clock that counts its ticks. */
function counted(): { readonly session: Session; readonly ticks: () => number } {
  let ticks = 0;
  let last: Promise<unknown> = Promise.resolve();
  vi.spyOn(performance, 'now').mockImplementation(() => ticks);
  const work = async (before: Promise<unknown>): Promise<unknown> => {
    await before;
    // Whoever waited for the one before has seen that it is done.
    await new Promise((resolve) => setImmediate(resolve));
    ticks += WORK;
    return NOTHING;
  };
  const line = {
    check: () => undefined,
    call: () => (last = work(last)),
  };
  const host = { line } as unknown as SessionHost;
  return { session: new Session(host, 0, 'counted', [], []), ticks: () => ticks };
}

it('counts a moment of the engine once, whoever waits for it', async () => {
  const { session, ticks } = counted();
  const ledgers = [new Ledger(), new Ledger(), new Ledger()];
  await Promise.all(
    ledgers.map(async (ledger) => {
      for (let i = 0; i < 3; i++) await ledger.time('transformer', () => session.run({}));
    }),
  );
  expect(ticks()).toBe(9 * WORK);
  const times = ledgers.map((ledger) => ledger.record().milliseconds);
  expect(times.map(({ transformer }) => transformer)).toEqual([3 * WORK, 3 * WORK, 3 * WORK]);
  // They come in turn: at first the second waits for one and the third for two, then each for two.
  expect(times.map(({ waiting }) => waiting)).toEqual([4 * WORK, 5 * WORK, 6 * WORK]);
  // Alone, nobody waits.
  const alone = new Ledger();
  await alone.time('transformer', () => session.run({}));
  expect(alone.record().milliseconds).toMatchObject({ transformer: WORK, waiting: 0 });
});

it('counts calls that are made together once', async () => {
  const { session } = counted();
  const ledger = new Ledger();
  await ledger.time('verifier', () => Promise.all([session.run({}), session.run({})]));
  const { verifier, waiting } = ledger.record().milliseconds;
  expect(verifier + waiting).toBe(2 * WORK);
});
