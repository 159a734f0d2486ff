// One ready graph in the cache: a folder with model.onnx, its weights, and entry.json, which says what it was made from and
// what belongs to it. It appears under its name when it is whole.

import { createHash } from 'node:crypto';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { isObject } from '../../core/json-file.js';
import type { GraphModel } from '../graph/index.js';
import { MODEL_FILE, saveModel } from '../model-files.js';
import { type FileIdentity, identityOf, isSame, sampleOf } from './identity.js';

/**
 * Version of what the graph builder makes. It has to be raised when the elements of a weight change though name, shape and graph
 * stay the same: all else is in the key by itself.
 */
export const GRAPH_VERSION = 1;

const ENTRY_FILE = 'entry.json';
const FORMAT = 1;

/** A file of an entry. */
interface EntryFile {
  readonly name: string;
  readonly bytes: number;
  readonly sample: string;
}

/** What entry.json holds. */
export interface Entry {
  readonly format: typeof FORMAT;
  /** Of the graph builder. */
  readonly version: number;
  /** Of the graph. */
  readonly graph: string;
  readonly sources: readonly FileIdentity[];
  readonly files: readonly EntryFile[];
  /** When it was made, in ISO 8601. */
  readonly made: string;
}

/** The name of an entry: graph, and the hash of all that it follows from. */
export function entryName(model: GraphModel, sources: readonly FileIdentity[]): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([FORMAT, GRAPH_VERSION, sources]));
  hash.update(model.proto);
  for (const { name, file, offset, byteLength } of model.weights) {
    hash.update(JSON.stringify([name, file, offset, byteLength]));
  }
  return `${model.name}-${hash.digest('hex').slice(0, 24)}`;
}

/** Writes an entry's files into a folder and sees that they are on the disk. */
export async function writeEntry(
  model: GraphModel,
  sources: readonly FileIdentity[],
  folder: string,
): Promise<void> {
  await saveModel(model, folder, { durable: true });
  const names = (await readdir(folder)).sort();
  const files = await Promise.all(names.map((name) => describeFile(folder, name)));
  const made = new Date().toISOString();
  const entry: Entry = { format: FORMAT, version: GRAPH_VERSION, graph: model.name, sources, files, made };
  await writeFile(join(folder, ENTRY_FILE), `${JSON.stringify(entry, null, 1)}\n`, { flush: true });
}

async function describeFile(folder: string, name: string): Promise<EntryFile> {
  const file = await open(join(folder, name));
  try {
    const { size } = await file.stat();
    return { name, bytes: size, sample: await sampleOf(file, size) };
  } finally {
    await file.close();
  }
}

/** Reads what a folder says of itself; null where it is no entry of this layout. */
export async function readEntry(folder: string): Promise<Entry | null> {
  const text = await readFile(join(folder, ENTRY_FILE), 'utf8').catch(absent);
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // damaged: whoever asked makes it anew
  }
  const sane = isObject(value) && value['format'] === FORMAT && Array.isArray(value['files']);
  return sane && Array.isArray((value as { sources?: unknown }).sources) ? (value as Entry) : null;
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}

/** What is wrong with the files of an entry, in words; null for nothing. Sizes are compared, and samples of the content. */
export async function damageOf(folder: string, entry: Entry): Promise<string | null> {
  if (!entry.files.some(({ name }) => name === MODEL_FILE)) return `${MODEL_FILE} is missing`;
  for (const { name, bytes, sample } of entry.files) {
    const found = await describeFile(folder, name).catch(absent);
    if (!found) return `${name} is missing`;
    if (found.bytes !== bytes) return `${name} has ${found.bytes} bytes, not ${bytes}`;
    if (found.sample !== sample) return `${name} has another content`;
  }
  return null;
}

/** Why an entry will not be used again, in words; null where it may be. */
export async function staleness(entry: Entry): Promise<string | null> {
  if (entry.version !== GRAPH_VERSION) return 'made by another version of varsearch';
  for (const source of entry.sources) {
    const now = await identityOf(source.path).catch(() => null);
    if (!now) return `${source.path} is gone`;
    if (!isSame(now, source)) return `${source.path} has changed`;
  }
  return null;
}
