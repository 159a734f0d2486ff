// This thread's end of the line to the worker of LLaVA-OneVision: starts it, sends requests, hands out replies, and ends it.

import type { Worker } from 'node:worker_threads';

import { CheckpointError, RuntimeError, UsageError, type VarsearchError } from '../../core/errors.js';
import { createGate, removeGate } from '../../runtime/exit-gate.js';
import { spawnWorker } from '../../runtime/spawn.js';
import type {
  LlavaCall,
  LlavaReplies,
  LlavaReply,
  LlavaRequest,
  LlavaWorkerData,
  WireError,
} from './in-process-protocol.js';

interface Waiting {
  resolve: (result: LlavaReply['result']) => void;
  reject: (error: Error) => void;
}

/** A worker thread with one LLaVA in it. */
export class LlavaWorker {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #closing: Promise<void> | undefined;
  #failure: RuntimeError | undefined;

  constructor() {
    const gate = createGate();
    this.#worker = spawnWorker(import.meta.url, 'in-process-worker', { gate } satisfies LlavaWorkerData);
    this.#worker.on('message', (reply: LlavaReply) => {
      this.#settle(reply);
    });
    this.#worker.on('error', (cause) => {
      this.#fail(new RuntimeError(`The worker thread of LLaVA failed: ${cause.message}`, { cause }));
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        removeGate(gate);
        this.#fail(
          new RuntimeError(
            this.#closing && code === 0
              ? 'LLaVA has been closed.'
              : `The worker thread of LLaVA ended with code ${code}.`,
          ),
        );
        resolve();
      });
    });
    this.#worker.unref(); // an idle model does not keep the process alive
  }

  /** Sends a request and waits for its reply; errors of the worker come with their class. */
  async ask<R extends LlavaRequest>(request: R): Promise<LlavaReplies[R['kind']]> {
    if (this.#closing) throw new RuntimeError('LLaVA has been closed; open it again.');
    return this.#send(request);
  }

  /** Lets the worker finish what it was asked for, and ends it; a second close waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    try {
      if (!this.#failure) await this.#send({ kind: 'close' });
    } finally {
      await this.#exited;
    }
  }

  async #send<R extends LlavaRequest>(request: R): Promise<LlavaReplies[R['kind']]> {
    if (this.#failure) throw new RuntimeError(this.#failure.message, { cause: this.#failure });
    const call = this.#calls++;
    this.#worker.postMessage({ call, request } satisfies LlavaCall);
    const reply = new Promise<LlavaReply['result']>((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
    });
    if (this.#waiting.size === 1) this.#worker.ref();
    return (await reply) as LlavaReplies[R['kind']];
  }

  #settle({ call, result, error }: LlavaReply): void {
    const waiting = this.#waiting.get(call);
    if (!waiting) return;
    this.#waiting.delete(call);
    if (this.#waiting.size === 0 && !this.#closing) this.#worker.unref();
    if (error) waiting.reject(errorOf(error));
    else waiting.resolve(result);
  }

  #fail(error: RuntimeError): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function errorOf({ name, message, file }: WireError): VarsearchError {
  if (name === 'CheckpointError' && file !== undefined) return new CheckpointError(file, message);
  if (name === 'UsageError') return new UsageError(message);
  return new RuntimeError(name === 'RuntimeError' ? message : `LLaVA failed: ${message}`);
}
