// The engine's worker thread: takes batches of requests, works them off one after the other, and keeps the sessions and
// tensors. It trusts its runtime, which has checked the requests; what the engine throws goes back as a message.

import { parentPort, workerData } from 'node:worker_threads';

import { type EngineSession, loadSession } from './engine.js';
import { type ExitGate, passGate } from './exit-gate.js';
import type { TensorData } from './graph/index.js';
import { GIVE_BACK, type Reply, type Request, type WireAssembly, type WireTensor } from './protocol.js';
import { COPY_FIELDS, elementCount } from './tensors.js';

if (!parentPort) throw new Error('This module is the entry of a worker thread.');
const port = parentPort;
const gate = workerData as ExitGate;

const sessions = new Map<number, EngineSession>();
const tensors = new Map<number, WireTensor | Error>();
/** Memory of assembled inputs, used again by the next run of the same session: key is session and input. */
const scratch = new Map<string, Float32Array>();
let runs = 0;
/** Blocks up to this length are copied faster element by element than by a view. */
const SHORT = 32;

function tensorOf(id: number): WireTensor {
  const tensor = tensors.get(id);
  if (tensor === undefined) throw new Error(`there is no tensor ${id}`);
  if (tensor instanceof Error) throw tensor;
  return tensor;
}

function assemble(assembly: WireAssembly, target: Float32Array): Float32Array {
  const { copies } = assembly;
  let written = 0;
  for (let at = 0; at < copies.length; at += COPY_FIELDS) {
    written += (copies[at + 5] as number) * (copies[at + 6] as number);
  }
  if (written < target.length) target.fill(0);
  for (let at = 0; at < copies.length; at += COPY_FIELDS) {
    const source = tensorOf(copies[at] as number).data as Float32Array;
    let from = copies[at + 1] as number;
    const stride = copies[at + 2] as number;
    let to = copies[at + 3] as number;
    const toStride = copies[at + 4] as number;
    let length = copies[at + 5] as number;
    let count = copies[at + 6] as number;
    if (stride === length && toStride === length) {
      // Neighbouring blocks are one block.
      length *= count;
      count = 1;
    }
    for (; count > 0; count--) {
      if (length > SHORT) target.set(source.subarray(from, from + length), to);
      else for (let i = 0; i < length; i++) target[to + i] = source[from + i] as number;
      from += stride;
      to += toStride;
    }
  }
  return target;
}

function scratchFor(key: string, size: number): Float32Array {
  let memory = scratch.get(key);
  if (!memory || memory.length < size) scratch.set(key, (memory = new Float32Array(size)));
  return memory.subarray(0, size);
}

function resolve(key: string, value: WireTensor | WireAssembly): WireTensor {
  if (!('copies' in value)) return value;
  const data = assemble(value, scratchFor(key, elementCount(value.dims)));
  return { type: 'float32', dims: value.dims, data };
}

async function run({ call, session: id, ...request }: Extract<Request, { kind: 'run' }>): Promise<void> {
  const session = sessions.get(id);
  if (!session) throw new Error(`there is no session ${id}`);
  const inputs: (WireTensor | undefined)[] = [];
  for (let i = 0; i < request.handles.length; i += 2) {
    inputs[request.handles[i] as number] = tensorOf(request.handles[i + 1] as number);
  }
  for (const [input, value] of request.values) inputs[input] = resolve(`${id}:${input}`, value);
  const wanted = request.outputs.filter((_, i) => i % 2 === 0);
  const start = performance.now();
  const results = await passGate(gate, () => session.run(inputs, wanted));
  const milliseconds = performance.now() - start;
  runs++;
  const shapes: number[] = [];
  const data: TensorData[] = [];
  results.forEach((tensor, i) => {
    const keepAs = request.outputs[2 * i + 1] as number;
    shapes.push(tensor.dims.length, ...tensor.dims);
    if (keepAs === GIVE_BACK) data.push(tensor.data);
    else tensors.set(keepAs, tensor);
  });
  const transfer = data.map((elements) => elements.buffer as ArrayBuffer);
  send({ call, kind: 'ran', shapes: Int32Array.from(shapes), data, milliseconds }, transfer);
}

function send(reply: Reply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(reply, transfer);
}

function forgetScratch(session: number): void {
  for (const key of scratch.keys()) if (key.startsWith(`${session}:`)) scratch.delete(key);
}

function countScratch(): number {
  let bytes = 0;
  for (const memory of scratch.values()) bytes += memory.byteLength;
  return bytes;
}

function countBytes(): number {
  let bytes = 0;
  for (const tensor of tensors.values()) if (!(tensor instanceof Error)) bytes += tensor.data.byteLength;
  return bytes;
}

async function handle(request: Request): Promise<void> {
  switch (request.kind) {
    case 'load': {
      const session = await passGate(gate, () => loadSession(request.model, request.options));
      sessions.set(request.session, session);
      const { inputs, outputs } = session;
      send({ call: request.call, kind: 'loaded', inputs, outputs });
      return;
    }
    case 'run':
      return run(request);
    case 'assemble': {
      const { id, assembly } = request;
      try {
        const data = assemble(assembly, new Float32Array(elementCount(assembly.dims)));
        tensors.set(id, { type: 'float32', dims: assembly.dims, data });
      } catch (error) {
        tensors.set(id, error instanceof Error ? error : new Error(String(error))); // told to whoever uses it
      }
      return;
    }
    case 'upload':
      tensors.set(request.id, request.tensor);
      return;
    case 'drop':
      for (const id of request.ids) tensors.delete(id);
      return;
    case 'release':
      await sessions.get(request.session)?.release();
      sessions.delete(request.session);
      forgetScratch(request.session);
      return;
    case 'read':
      send({ call: request.call, kind: 'tensor', tensor: tensorOf(request.id) });
      return;
    case 'stats': {
      const stats = {
        sessions: sessions.size,
        tensors: tensors.size,
        bytes: countBytes(),
        scratchBytes: countScratch(),
        runs,
      };
      send({ call: request.call, kind: 'stats', stats });
      return;
    }
    case 'close':
      for (const session of sessions.values()) await session.release();
      sessions.clear();
      tensors.clear();
      port.close();
      return;
  }
}

async function handleBatch(batch: readonly Request[]): Promise<void> {
  for (const request of batch) {
    try {
      await handle(request);
    } catch (error) {
      if (!('call' in request)) throw error;
      send({
        call: request.call,
        kind: 'failed',
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

let tail: Promise<void> = Promise.resolve();
port.on('message', (batch: readonly Request[]) => {
  tail = tail.then(() => handleBatch(batch));
});
