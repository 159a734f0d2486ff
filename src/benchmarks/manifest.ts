// The manifest of a run: what decides about its pictures, and the hash of that, by which a command that goes on is known to be the same.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { UsageError, VarsearchError } from '../core/errors.js';
import { cannotRead } from '../core/file-faults.js';
import { isSyntaxError } from '../core/realm.js';
import { readVersions } from '../engine/versions.js';
import type { Manifest } from './record.js';

/** Names of the files of a run. */
export const BENCH_FILES = {
  manifest: 'manifest.json',
  pictures: 'pictures.jsonl',
  speed: 'speed.jsonl',
  /** Lines of several processes that wait for their turn. */
  ahead: 'ahead.jsonl',
} as const;

/** What is not in the hash: it follows from the rest, or is where and not what. */
type Unhashed = 'format' | 'hash' | 'environment' | 'plans' | 'skipped' | 'options';

/** A manifest with its hash. */
export function manifestOf(parts: Omit<Manifest, 'format' | 'hash' | 'environment' | 'versions'>): Manifest {
  const { node, platform = '', 'onnxruntime-node': engine = '', varsearch = '' } = readVersions();
  const { plans, skipped, options, ...decides } = {
    ...parts,
    versions: { varsearch, 'onnxruntime-node': engine },
  } satisfies Omit<Manifest, 'format' | 'hash' | 'environment'>;
  const hash = createHash('sha256')
    .update(JSON.stringify(sorted(decides satisfies Omit<Manifest, Unhashed>)))
    .digest('hex');
  const [cpu] = cpus();
  const environment = {
    processor: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    node: node ?? '',
    platform,
    engine: `onnxruntime-node ${engine}`,
  };
  return { format: 1, hash, ...decides, plans, skipped, options, environment };
}

/** Plain data with the keys of its objects in order, so that equal ones are written alike. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]),
  );
}

/** The manifest of a folder; null where there is none. */
export function readManifest(folder: string): Manifest | null {
  const path = join(folder, BENCH_FILES.manifest);
  if (!existsSync(path)) return null;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (!isSyntaxError(cause)) throw cannotRead(path, cause);
    throw new VarsearchError(`${path} is not JSON: the file is damaged`, { cause });
  }
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (format === 1) return value as Manifest;
  throw new VarsearchError(
    `${path} is of format ${String(format)}, and this varsearch knows 1: it was written by another version`,
  );
}

/** Writes a manifest in one step. */
export function writeManifest(folder: string, manifest: Manifest): void {
  const path = join(folder, BENCH_FILES.manifest);
  writeFileSync(`${path}.tmp`, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(`${path}.tmp`, path);
}

/** Throws a UsageError where a folder's run is another one than that which is asked for: it names what differs, and both values. */
export function checkSame(found: Manifest, asked: Manifest, folder: string): void {
  if (found.hash === asked.hash) return;
  const parts = [
    ['option', found.options, asked.options],
    ['benchmark', found.benchmark, asked.benchmark],
    ['version of', found.versions, asked.versions],
    ['file', found.weights, asked.weights],
    ['part', { ...found }, { ...asked }],
  ] as const;
  for (const [what, before, now] of parts) {
    const name = differing(before, now);
    if (name === undefined) continue;
    const [was, is] = [before, now].map((each) => shown((each as Record<string, unknown>)[name]));
    throw new UsageError(
      `${folder} has a run with another ${what} '${name}': ${was} there, ${is} here; ` +
        'ask for the same to go on with it, or begin a new run in a new folder with --out',
    );
  }
  throw new UsageError(`${folder} has another run: begin a new one in a new folder with --out`);
}

function differing(one: object, other: object): string | undefined {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  const [a, b] = [one as Record<string, unknown>, other as Record<string, unknown>];
  return [...names].find((name) => name !== 'hash' && !isDeepStrictEqual(sorted(a[name]), sorted(b[name])));
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
