// The engine's worker, which keeps the sessions and tensors. It trusts its runtime, which has checked the requests.

import { RuntimeError } from '../core/errors.js';
import { isError } from '../core/realm.js';
import { noteDropped } from './collect.js';
import { type EngineSession, loadSession } from './engine.js';
import type { TensorData } from './graph/index.js';
import { probe } from './probe.js';
import {
  type EngineMethods,
  GIVE_BACK,
  type RunReply,
  type RunRequest,
  type WireAssembly,
  type WireTensor,
} from './protocol.js';
import { ownPort, serve, type ServedCall } from './rpc/index.js';
import { type AssemblyType, COPY_FIELDS, elementCount } from './tensors.js';

type CopyFields = [
  id: number,
  offset: number,
  stride: number,
  toOffset: number,
  toStride: number,
  length: number,
  count: number,
];

type AssemblyData = Float32Array | Int8Array;

const sessions = new Map<number, EngineSession>();
const tensors = new Map<number, WireTensor | Error>();
/** Memory of assembled inputs, used again by the next run of the same session: key is session and input. */
const scratch = new Map<string, AssemblyData>();
let runs = 0;
/** Bytes of a vector of the engine's sums. */
const ALIGNMENT = 16;
/** Blocks up to this length are copied faster element by element than by a view. */
const SHORT = 32;

function tensorOf(id: number): WireTensor {
  const tensor = tensors.get(id);
  if (tensor === undefined) throw new RuntimeError(`there is no tensor ${id}`);
  if (isError(tensor)) throw tensor;
  return tensor;
}

function assemble<T extends AssemblyData>(assembly: WireAssembly, target: T): T {
  const { copies } = assembly;
  let written = 0;
  for (let at = 0; at < copies.length; at += COPY_FIELDS) {
    written += (copies[at + 5] as number) * (copies[at + 6] as number);
  }
  if (written < target.length) target.fill(0);
  for (let at = 0; at < copies.length; at += COPY_FIELDS) {
    const source = tensorOf(copies[at] as number).data as T;
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

function newData(type: AssemblyType, size: number): AssemblyData {
  return type === 'int8' ? new Int8Array(size) : new Float32Array(size);
}

function scratchFor(key: string, type: AssemblyType, size: number): AssemblyData {
  let memory = scratch.get(key);
  if (!memory || memory.length < size) scratch.set(key, (memory = newData(type, size)));
  return memory.subarray(0, size);
}

/**
 * Data at the beginning of memory of its own. What comes from another process lies at any place of a message, and vectorised
 * sums of the engine (ReduceMean's) begin at the next border of 16 bytes: a row's last bits would depend on where it lay.
 */
function aligned(data: TensorData): TensorData {
  return data.byteOffset % ALIGNMENT === 0 ? data : data.slice();
}

/** The elements of an assembly that is one piece of one tensor, where they lie; null where it has to be put together. */
function inOnePiece({ dims, copies }: WireAssembly): AssemblyData | null {
  if (copies.length !== COPY_FIELDS) return null;
  const [id, offset, stride, toOffset, toStride, length, count] = copies as unknown as CopyFields;
  const size = length * count;
  const isWhole = toOffset === 0 && size === elementCount(dims);
  if (!isWhole || (count > 1 && (stride !== length || toStride !== length))) return null;
  const piece = (tensorOf(id).data as AssemblyData).subarray(offset, offset + size);
  return piece.byteOffset % ALIGNMENT === 0 ? piece : null;
}

function resolve(key: string, value: WireTensor | WireAssembly): WireTensor {
  if (!('copies' in value)) return { ...value, data: aligned(value.data) };
  const { type, dims } = value;
  const data = inOnePiece(value) ?? assemble(value, scratchFor(key, type, elementCount(dims)));
  return { type, dims, data };
}

/** Room for joined outputs: the place of each by its number, and the whole tensors by their ids. */
function roomFor(joined: RunRequest['joined']): Record<'places' | 'wholes', Map<number, WireTensor>> {
  const [places, wholes] = [new Map<number, WireTensor>(), new Map<number, WireTensor>()];
  for (const { id, type, dims, outputs } of joined) {
    const size = elementCount(dims);
    const data = newData(type, outputs.length * size);
    outputs.forEach((number, i) => {
      places.set(number, { type, dims, data: data.subarray(i * size, (i + 1) * size) });
    });
    wholes.set(id, { type, dims: [outputs.length, ...dims], data });
  }
  return { places, wholes };
}

async function run({ session: id, ...request }: RunRequest, { transfer }: ServedCall): Promise<RunReply> {
  const session = sessions.get(id);
  if (!session) throw new RuntimeError(`there is no session ${id}`);
  const inputs: (WireTensor | undefined)[] = [];
  for (let i = 0; i < request.handles.length; i += 2) {
    inputs[request.handles[i] as number] = tensorOf(request.handles[i + 1] as number);
  }
  for (const [input, value] of request.values) inputs[input] = resolve(`${id}:${input}`, value);
  const wanted = request.outputs.filter((_, i) => i % 2 === 0);
  const start = performance.now();
  const { places, wholes } = roomFor(request.joined);
  const results = await session.run(inputs, wanted, places);
  const milliseconds = performance.now() - start;
  runs++;
  for (const [joined, tensor] of wholes) tensors.set(joined, tensor);
  const shapes: number[] = [];
  const data: TensorData[] = [];
  results.forEach((tensor, i) => {
    const keepAs = request.outputs[2 * i + 1] as number;
    shapes.push(tensor.dims.length, ...tensor.dims);
    if (keepAs === GIVE_BACK) data.push(tensor.data);
    else tensors.set(keepAs, tensor);
  });
  transfer.push(...data.map((elements) => elements.buffer as ArrayBuffer));
  return { shapes: Int32Array.from(shapes), data, milliseconds };
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
  for (const tensor of tensors.values()) bytes += bytesOf(tensor);
  return bytes;
}

function bytesOf(tensor: WireTensor | Error | undefined): number {
  return tensor === undefined || isError(tensor) ? 0 : tensor.data.byteLength;
}

serve<EngineMethods>(
  ownPort(),
  {
    load: async ({ session: id, model, options }) => {
      const session = await loadSession(model, options);
      sessions.set(id, session);
      const { inputs, outputs } = session;
      return { inputs, outputs };
    },
    run,
    probe: ({ device }) => probe(device),
    read: ({ id }) => tensorOf(id),
    stats: () => ({
      sessions: sessions.size,
      tensors: tensors.size,
      bytes: countBytes(),
      scratchBytes: countScratch(),
      runs,
    }),
    assemble: ({ id, assembly }) => {
      try {
        const { type, dims } = assembly;
        tensors.set(id, { type, dims, data: assemble(assembly, newData(type, elementCount(dims))) });
      } catch (error) {
        tensors.set(id, isError(error) ? error : new Error(String(error))); // told to whoever uses it
      }
    },
    upload: ({ id, tensor }) => {
      tensors.set(id, { ...tensor, data: aligned(tensor.data) });
    },
    drop: ({ ids }) => {
      let bytes = 0;
      for (const id of ids) {
        bytes += bytesOf(tensors.get(id));
        tensors.delete(id);
      }
      noteDropped(bytes);
    },
    release: async ({ session: id }) => {
      await sessions.get(id)?.release();
      sessions.delete(id);
      forgetScratch(id);
    },
  },
  async () => {
    for (const session of sessions.values()) await session.release();
  },
);
