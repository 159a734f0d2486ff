// A model's external weights on their way to the engine: in shared memory, or in files where they are large.

import { type FileHandle, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { RuntimeError } from '../core/errors.js';
import type { ExternalWeight, GraphModel, TensorData } from './graph/index.js';

function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

async function readWeight(weight: ExternalWeight): Promise<Uint8Array> {
  const bytes = bytesOf(await weight.read());
  if (bytes.byteLength !== weight.byteLength) {
    throw new RuntimeError(
      `Weight ${weight.name}: ${bytes.byteLength} bytes were read, not ${weight.byteLength}.`,
    );
  }
  return bytes;
}

/** The name of a saved model's file. */
export const MODEL_FILE = 'model.onnx';

function weightFiles(model: GraphModel): Map<string, ExternalWeight[]> {
  const files = new Map<string, ExternalWeight[]>();
  for (const weight of model.weights) {
    const list = files.get(weight.file);
    if (list) list.push(weight);
    else files.set(weight.file, [weight]);
  }
  return files;
}

/** The external files of a model in shared memory, so that the worker sees them without a copy. */
export async function weightsInMemory(model: GraphModel): Promise<{ path: string; data: Uint8Array }[]> {
  const files: { path: string; data: Uint8Array }[] = [];
  for (const [path, weights] of weightFiles(model)) {
    const last = weights.at(-1);
    const data = new Uint8Array(new SharedArrayBuffer(last ? last.offset + last.byteLength : 0));
    for (const weight of weights) {
      data.set(await readWeight(weight), weight.offset);
      await setImmediate(); // reading is synchronous: let the event loop turn in between
    }
    files.push({ path, data });
  }
  return files;
}

/** How a model is saved. */
interface SaveOptions {
  /** Wait until everything is on the disk. @default false */
  readonly durable?: boolean;
}

/** Writes all bytes: one call may write fewer, as on a disk that is nearly full. */
async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.byteLength - at, position + at);
    at += bytesWritten;
  }
}

/**
 * Writes a model as `model.onnx` and its external weights into a folder, one weight in memory at a time; gives the path
 * of `model.onnx`. On a failure, the half-written files are taken away.
 */
export async function saveModel(
  model: GraphModel,
  folder: string,
  { durable = false }: SaveOptions = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, MODEL_FILE);
  const files = weightFiles(model);
  try {
    for (const [name, weights] of files) {
      const file = await open(join(folder, name), 'w');
      try {
        for (const weight of weights) {
          const bytes = await readWeight(weight);
          await writeWhole(file, bytes, weight.offset);
        }
        if (durable) await file.sync();
      } finally {
        await file.close();
      }
    }
    await writeFile(path, model.proto, { flush: durable });
    return path;
  } catch (error) {
    await Promise.all(
      [path, ...[...files.keys()].map((name) => join(folder, name))].map((file) => rm(file, { force: true })),
    );
    throw error;
  }
}
