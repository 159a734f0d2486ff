// Model and judges whose calls are told of, so that others can see how far a search is: strategies know nothing of it.

import type { Generator } from '../models/contract.js';
import type { Bench } from '../search/contract.js';

/** The same generator; `onCall` hears of every call that has run the model. */
export function watchedGenerator(generator: Generator, onCall: () => void): Generator {
  const stages = generator.stages?.bind(generator);
  const rollOut: NonNullable<Generator['rollOut']> = async (...given) => {
    const prefixes = (await generator.rollOut?.(...given)) ?? [];
    onCall();
    return prefixes;
  };
  return {
    ...(generator.rollOut ? { rollOut } : {}),
    schedule: generator.schedule,
    ledger: generator.ledger,
    begin: () => generator.begin(),
    extend: async (requests, call) => {
      const prefixes = await generator.extend(requests, call);
      onCall();
      return prefixes;
    },
    decode: async (prefixes, view, call) => {
      const images = await generator.decode(prefixes, view, call);
      onCall();
      return images;
    },
    pack: (prefix) => generator.pack(prefix),
    unpack: (state) => generator.unpack(state),
    ...(stages && { stages }),
    room: (from, until) => generator.room(from, until),
    close: () => {
      generator.close();
    },
  };
}

/** The same jury; `onCall` hears of every call that has scored pictures. */
export function watchedBench(bench: Bench, onCall: () => void): Bench {
  return {
    jury: bench.jury,
    judge: async (images, call) => {
      const scores = await bench.judge(images, call);
      onCall();
      return scores;
    },
  };
}
