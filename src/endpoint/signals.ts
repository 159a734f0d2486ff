// Cancellation and bounded concurrency of calls: signals joined into one, and a gate that lets a few through at a time.

import { setMaxListeners } from 'node:events';

/** A signal that follows others and can be aborted by itself. */
interface LinkedSignal {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
  /** Stops following the others; call it when the work is over. */
  readonly release: () => void;
}

/** Joins signals; the first reason stays. (`AbortSignal.any` of Node 20 can be collected before it fires.) */
export function linkSignals(...sources: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  // Each call under way listens; Node warns of leaks from the eleventh on.
  setMaxListeners(0, controller.signal);
  const followed = sources.flatMap((source) => {
    if (!source) return [];
    const follow = (): void => controller.abort(source.reason);
    if (source.aborted) follow();
    else source.addEventListener('abort', follow, { once: true });
    return [{ source, follow }];
  });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release: () => {
      for (const { source, follow } of followed) source.removeEventListener('abort', follow);
    },
  };
}

/** Lets at most some pieces of work run at once, in the order in which they came. */
export interface Gate {
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** A gate for `limit` pieces of work; who waits at it leaves with the signal's reason. */
export function createGate(limit: number): Gate {
  let free = limit;
  const queue = new Set<() => void>();

  const enter = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (free > 0) {
      free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(admit);
        reject(signal.reason as Error);
      };
      const admit = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      queue.add(admit);
      signal.addEventListener('abort', leave, { once: true });
    });
  };
  const exit = (): void => {
    const [next] = queue;
    if (!next) {
      free++;
      return;
    }
    queue.delete(next);
    next();
  };
  return {
    run: async (work, signal) => {
      await enter(signal);
      try {
        return await work();
      } finally {
        exit();
      }
    },
  };
}

/** Options of `mapAtOnce`. */
interface MapOptions {
  /** Pieces of work that run at once. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/**
 * The results of `work` in the order of the items. The first failure aborts what else runs, and is thrown when all of it has
 * ended; so is the signal's reason.
 */
export async function mapAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  options: MapOptions,
): Promise<Result[]> {
  const { signal, abort, release } = linkSignals(options.signal);
  const results = new Array<Result>(items.length);
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [i, item] of left) {
      signal.throwIfAborted();
      results[i] = await work(item, signal);
    }
  };
  await Promise.all(
    Array.from({ length: Math.min(options.limit, items.length) }, () => worker().catch(abort)),
  );
  release();
  signal.throwIfAborted();
  return results;
}
