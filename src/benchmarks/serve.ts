// The other end of a worker in a process of its own.

import type { Catalogs } from '../engine/catalogs.js';
import { ownPort, serve } from '../runtime/rpc/index.js';
import { type HandMethods, OwnHand } from './hand.js';

/** Serves the work of a benchmark, with these catalogues, to the process that has started this one. */
export function serveHand(catalogs: () => Promise<Catalogs>): void {
  let hand: OwnHand | null = null;
  const own = (): OwnHand => {
    if (hand) return hand;
    throw new RangeError('nothing is open');
  };
  serve<HandMethods>(
    ownPort(),
    {
      open: async (options, { signal }) => {
        hand = await OwnHand.open(options, await catalogs(), signal);
      },
      plan: (asked, { signal }) => own().plan(asked, { signal }),
      work: (job, { signal }) => own().work(job, { signal }),
    },
    async () => {
      await hand?.close();
    },
  );
}
