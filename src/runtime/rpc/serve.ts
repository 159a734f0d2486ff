// The methods' end of a line: works calls off one after the other, in the order in which they were made, and sends back
// what they give or throw.

import { RuntimeError } from '../../core/errors.js';
import type { Methods, Params, Port, Request } from './contract.js';
import { encodeError } from './errors.js';

/** A call that is being worked off. */
export interface ServedCall {
  /** Aborted when nobody waits for the result any more; seen when the event loop turns, between calls of an engine. */
  readonly signal: AbortSignal;
  /** Buffers of the result that move to the caller instead of being copied: a method adds them. */
  readonly transfer: ArrayBuffer[];
}

/** What stands behind a map of methods. */
export type Handlers<M extends Methods<M>> = {
  readonly [K in keyof M]: (
    params: Params<M, K>,
    call: ServedCall,
  ) => ReturnType<M[K]> | Promise<ReturnType<M[K]>>;
};

/** Without the types that only callers need. */
type Handler = (params: unknown, call: ServedCall) => unknown;

/** Serves the methods until the line is closed, and `close` as the last of them. */
export function serve<M extends Methods<M>>(
  port: Port,
  handlers: Handlers<M>,
  close: () => void | Promise<void>,
): void {
  const calls = new Map<number, Call>();
  let over = false;

  const run = (method: string, params: unknown, call: ServedCall): Promise<unknown> => {
    const handler = handlers[method as keyof M] as Handler | undefined;
    if (!handler) throw new RuntimeError(`there is no method ${method}`);
    return port.guard(() => handler(params, call));
  };
  const answer = async (id: number, call: Call, work: () => Promise<unknown>): Promise<void> => {
    try {
      const result = await work();
      if (!call.cancelled) port.send(['result', id, result], call.transfer);
    } catch (error) {
      port.send(['error', id, encodeError(error)], []);
    }
  };
  const end = (): void => {
    over = true;
    port.close();
  };

  const workOff = async (request: Request): Promise<void> => {
    switch (request[0]) {
      case 'call': {
        const [, id, method, params] = request;
        const call = calls.get(id) as Call;
        if (!call.cancelled) await answer(id, call, () => run(method, params, call));
        calls.delete(id);
        return;
      }
      case 'tell': {
        const [, method, params] = request;
        try {
          await run(method, params, new Call());
        } catch (error) {
          port.send(['broken', encodeError(error)], []);
          end();
        }
        return;
      }
      case 'cancel':
        return; // at its arrival
      case 'close':
        await answer(request[1], new Call(), () => port.guard(close));
        end();
        return;
    }
  };

  let tail = Promise.resolve();
  port.listen((requests) => {
    for (const request of requests) {
      if (request[0] === 'call') calls.set(request[1], new Call());
      if (request[0] === 'cancel') calls.get(request[1])?.cancel();
    }
    tail = tail.then(async () => {
      for (const request of requests) if (!over) await workOff(request);
    });
  });
}

/** Makes its signal only for methods that look at it. */
class Call implements ServedCall {
  readonly transfer: ArrayBuffer[] = [];
  cancelled = false;
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.cancelled) this.#controller.abort();
    return this.#controller.signal;
  }

  cancel(): void {
    this.cancelled = true;
    this.#controller?.abort();
  }
}
