// A run in progress: its events can be listened to, and its result awaited, in any order and by anybody.

/** Work that has begun: iterate it for its events, await `result` for its end. */
export interface Run<Event, Result> extends AsyncIterable<Event> {
  /** Rejects with what the work failed with, as the iteration does. */
  readonly result: Promise<Result>;
}

/** Events that wait for the first listener; beyond them the oldest are let go. */
const MOST_WAITING = 10_000;

/** One who listens: events that it has not read yet, and what wakes it. */
interface Listener<Event> {
  readonly unread: Event[];
  wake: () => void;
  left: boolean;
}

/**
 * Begins `work` at once and gives the run that its emitted events and its result can be read from. Whoever iterates first gets
 * all events from the start; who comes later, or again, those that happen from then on. Nothing that was read is kept.
 */
export function startRun<Event, Result>(
  work: (emit: (event: Event) => void) => Promise<Result>,
): Run<Event, Result> {
  let early: Event[] | null = [];
  const listeners = new Set<Listener<Event>>();
  let settled = false;
  const wakeAll = (): void => {
    for (const { wake } of listeners) wake();
  };
  const emit = (event: Event): void => {
    if (early) {
      early.push(event);
      if (early.length > MOST_WAITING) early.shift();
    }
    for (const { unread } of listeners) unread.push(event);
    wakeAll();
  };
  const result = work(emit).finally(() => {
    settled = true;
    wakeAll();
  });
  // Whoever iterates sees a failure there; without this line Node would also report it as unhandled.
  result.catch(() => undefined);
  async function* read(own: Listener<Event>): AsyncGenerator<Event, void, void> {
    try {
      for (;;) {
        const event = own.unread.shift();
        if (event !== undefined) yield event;
        else if (own.left) return;
        else if (settled) break;
        else await new Promise<void>((resolve) => (own.wake = resolve));
      }
      await result;
    } finally {
      forget(own);
    }
  }
  const forget = (own: Listener<Event>): void => {
    listeners.delete(own);
    own.unread.length = 0;
    own.left = true;
    own.wake();
  };
  const iterate = (): AsyncGenerator<Event, void, void> => {
    const own: Listener<Event> = { unread: early ?? [], wake: () => undefined, left: false };
    early = null;
    listeners.add(own);
    const reading = read(own);
    const leave = reading.return.bind(reading);
    // A generator that is left before its first event runs none of its code, and one that waits for an event goes on waiting.
    reading.return = (value) => {
      forget(own);
      return leave(value);
    };
    return reading;
  };
  return { result, [Symbol.asyncIterator]: iterate };
}
