// A worker thread as the other side of a line.

import { parentPort, workerData } from 'node:worker_threads';

import type { Connect, Port, Reply, Request } from './contract.js';
import { createGate, type ExitGate, passGate, removeGate } from './exit-gate.js';
import { spawnWorker } from './spawn.js';

/**
 * A worker thread that runs the module `name` (without its ending) beside the calling one, whose import.meta.url is `here`.
 * It serves at `threadPort`. The end of the process waits for the method that is running there.
 */
export function inThread(here: string, name: string): Connect {
  return (events) => {
    const failed = (cause: unknown): void => {
      events.failed(cause);
    };
    const gate = createGate();
    const worker = spawnWorker(here, name, gate);
    worker.on('message', (reply: Reply) => {
      events.received(reply);
    });
    worker.on('messageerror', failed);
    worker.on('error', failed);
    worker.on('exit', (code) => {
      removeGate(gate);
      events.ended(code);
    });
    worker.unref();
    return {
      shares: true,
      send: (message, transfer) => {
        worker.postMessage(message, transfer);
      },
      hold: (held) => {
        if (held) worker.ref();
        else worker.unref();
      },
    };
  };
}

/** The way back to the callers, in a worker thread that `inThread` has started. */
export function threadPort(): Port {
  if (!parentPort) throw new Error('This module is the entry of a worker thread.');
  const port = parentPort;
  const gate = workerData as ExitGate;
  return {
    send: (message, transfer) => {
      port.postMessage(message, transfer);
    },
    listen: (receive) => {
      port.on('message', (message: readonly Request[]) => {
        receive(message);
      });
      port.on('messageerror', (error) => {
        throw error;
      });
    },
    guard: (work) => passGate(gate, work),
    close: () => {
      port.close();
    },
  };
}
