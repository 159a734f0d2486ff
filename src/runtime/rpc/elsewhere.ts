// Where methods run that must not run here: in a child process, or in a worker thread where the host has no child processes.

import { isMainThread } from 'node:worker_threads';

import { UsageError } from '../../core/errors.js';
import type { Connect, Port } from './contract.js';
import { clashOf, findOtherEngine } from './other-engine.js';
import { canFork, inProcess, processPort } from './process.js';
import { inThread, threadPort } from './thread.js';

/** What the engine can live in. */
export const CARRIERS = ['process', 'thread'] as const;

/** One of them. */
export type Carrier = (typeof CARRIERS)[number];

/** The environment variable that chooses. */
const CHOICE = 'VARSEARCH_ENGINE';

function chosen(): Carrier {
  const choice = process.env[CHOICE] ?? '';
  // A process keeps faults and memory of the engine away from the host, and makes a short command half a second longer.
  if (choice === '') return findOtherEngine() ? 'process' : 'thread';
  const carrier = CARRIERS.find((each) => each === choice);
  if (!carrier) throw new UsageError(`${CHOICE} has to be ${CARRIERS.join(' or ')}, not ${choice}`);
  return carrier;
}

/**
 * A child process, or a worker thread, that runs the module `name` (without its ending) beside the calling one, whose
 * import.meta.url is `here`. It serves at `ownPort`.
 */
export function elsewhere(here: string, name: string, carrier: Carrier = chosen()): Connect {
  const thread: Connect = (events) => {
    // ONNX Runtime reads the process's own environment; a thread has no other.
    process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
    const failed = (cause: unknown): void => {
      events.failed(clashOf(cause) ?? cause);
    };
    return inThread(here, name)({ ...events, failed });
  };
  return carrier === 'process' && canFork() ? inProcess(here, name, thread) : thread;
}

/** The way back to the callers, where `elsewhere` has started this module. */
export function ownPort(): Port {
  return isMainThread ? processPort() : threadPort();
}
