// A run in progress: its events can be listened to, and its result awaited, in any order and by anybody.

/** Work that has begun: iterate it for its events (from the first one, at any time), await `result` for its end. */
export interface Run<Event, Result> extends AsyncIterable<Event> {
  /** Rejects with what the work failed with, as the iteration does. */
  readonly result: Promise<Result>;
}

/** Begins `work` at once and gives the run that its emitted events and its result can be read from. */
export function startRun<Event, Result>(
  work: (emit: (event: Event) => void) => Promise<Result>,
): Run<Event, Result> {
  const events: Event[] = [];
  let waiting: (() => void)[] = [];
  let settled = false;
  const wake = (): void => {
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  const emit = (event: Event): void => {
    events.push(event);
    wake();
  };
  const result = work(emit).finally(() => {
    settled = true;
    wake();
  });
  // Whoever iterates sees a failure there; without this line Node would also report it as unhandled.
  result.catch(() => undefined);
  async function* iterate(): AsyncGenerator<Event, void, void> {
    for (let next = 0; ;) {
      const event = events[next];
      if (event !== undefined) {
        next++;
        yield event;
      } else if (settled) {
        await result;
        return;
      } else {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    }
  }
  return { result, [Symbol.asyncIterator]: iterate };
}
