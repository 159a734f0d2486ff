// The runtime's end of the line to its worker: requests of one turn go in one message, replies find their callers, and
// when the worker dies everybody who waits learns it.

import type { Worker } from 'node:worker_threads';

import { RuntimeError } from '../core/errors.js';
import { createGate, removeGate } from './exit-gate.js';
import type { Reply, Request } from './protocol.js';
import { spawnWorker } from './spawn.js';

interface Waiting {
  resolve: (reply: Reply) => void;
  reject: (error: Error) => void;
}
/** A request that gets a reply, without its call number. */
type Asking = Extract<Request, { call: number }>;
type WithoutCall<T> = T extends unknown ? Omit<T, 'call'> : never;

/** Starts a worker, sends it requests and hands out its replies. */
export class Channel {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private readonly exited: Promise<void>;
  private batch: Request[] = [];
  private transfer: ArrayBuffer[] = [];
  private calls = 0;
  private closing = false;
  private failure: RuntimeError | undefined;

  constructor() {
    const gate = createGate();
    const worker = spawnWorker(import.meta.url, 'worker', gate);
    this.worker = worker;
    worker.on('message', (reply: Reply) => {
      this.settle(reply);
    });
    worker.on('error', (cause) => {
      this.fail(new RuntimeError(`The engine's worker thread failed: ${cause.message}`, { cause }));
    });
    this.exited = new Promise((resolve) => {
      worker.on('exit', (code) => {
        removeGate(gate);
        if (!this.closing) this.fail(new RuntimeError(`The engine's worker thread ended with code ${code}.`));
        resolve();
      });
    });
    worker.unref(); // an idle runtime does not keep the process alive
  }

  /** False once the runtime has been closed or its worker has died. */
  get isOpen(): boolean {
    return !this.closing && !this.failure;
  }

  /** Throws when the runtime has been closed or has failed. */
  check(): void {
    if (this.closing) throw new RuntimeError('The runtime has been closed; create a new one.');
    if (this.failure) {
      throw new RuntimeError(`${this.failure.message} Create a new runtime.`, { cause: this.failure });
    }
  }

  /** Sends a request that gets no reply. */
  tell(request: Exclude<Request, { call: number }>, transfer: readonly ArrayBuffer[] = []): void {
    if (this.batch.length === 0) {
      queueMicrotask(() => {
        this.flush();
      });
    }
    this.batch.push(request);
    this.transfer.push(...transfer);
  }

  /** Frees a tensor of the worker; neighbouring ones share a request. */
  drop(id: number): void {
    const last = this.batch.at(-1);
    if (last?.kind === 'drop') last.ids.push(id);
    else this.tell({ kind: 'drop', ids: [id] });
  }

  /** Sends a request and waits for its reply. */
  async ask(request: WithoutCall<Asking>, transfer: readonly ArrayBuffer[] = []): Promise<Reply> {
    this.check();
    const call = this.calls++;
    const reply = new Promise<Reply>((resolve, reject) => {
      this.waiting.set(call, { resolve, reject });
    });
    if (this.waiting.size === 1) this.worker.ref();
    this.tell({ ...request, call } as unknown as Exclude<Request, { call: number }>, transfer);
    return reply;
  }

  /** Lets the worker finish what it was asked for, and ends it. */
  async close(): Promise<void> {
    if (this.isOpen) {
      this.tell({ kind: 'close' });
      this.closing = true;
      this.worker.ref();
    }
    await this.exited;
    this.rejectAll(new RuntimeError('The runtime has been closed.'));
  }

  private flush(): void {
    const { batch, transfer } = this;
    this.batch = [];
    this.transfer = [];
    if (this.failure) return;
    try {
      this.worker.postMessage(batch, transfer);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      this.fail(
        new RuntimeError(`A request could not be sent to the engine's worker: ${message}.`, { cause }),
      );
    }
  }

  private settle(reply: Reply): void {
    const waiting = this.waiting.get(reply.call);
    if (!waiting) return;
    this.waiting.delete(reply.call);
    if (this.waiting.size === 0 && !this.closing) this.worker.unref();
    if (reply.kind === 'failed') waiting.reject(new RuntimeError(reply.message));
    else waiting.resolve(reply);
  }

  private fail(error: RuntimeError): void {
    this.failure ??= error;
    this.rejectAll(error);
  }

  private rejectAll(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
