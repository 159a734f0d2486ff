// Checkpoints split over several files, as Hugging Face's libraries write them: `*.index.json` maps each tensor's name
// to the file that holds it. All shards are opened at once, which reads their headers only.

import { CheckpointError } from '../../core/errors.js';
import { openFileBytes } from './byte-source.js';
import { LIMITS } from './limits.js';
import { isJsonObject, parseStrictJson } from './strict-json.js';
import type { TensorSource } from './tensor-source.js';
import { quoteName } from './tensor-source.js';

/**
 * Opens the shards of an index through `openShard(index, name)`: all, or those with tensors whose names begin as one of
 * `wanted` does. Throws CheckpointError when index and shards disagree.
 */
export function openSharded(
  index: string,
  openShard: (index: string, name: string) => TensorSource,
  wanted?: readonly string[],
): TensorSource {
  const whole = readIndex(index);
  const needed = new Set(
    [...whole]
      .filter(([name]) => wanted?.some((start) => name.startsWith(start)) ?? true)
      .map(([, file]) => file),
  );
  const map = new Map([...whole].filter(([, file]) => needed.has(file)));
  const shards = new Map<string, TensorSource>();
  const close = (): void => {
    for (const shard of shards.values()) shard.close();
  };
  try {
    for (const file of needed) shards.set(file, openShard(index, file));
    checkShards(index, map, shards);
  } catch (error) {
    close();
    throw error;
  }
  const find = (name: string): TensorSource => {
    const shard = shards.get(map.get(name) ?? '');
    if (shard === undefined) throw new CheckpointError(index, `has no tensor '${quoteName(name)}'`);
    return shard;
  };
  return {
    label: index,
    names: [...map.keys()],
    has: (name) => map.has(name),
    info: (name) => find(name).info(name),
    read: (name) => find(name).read(name),
    readRaw: (name) => find(name).readRaw(name),
    readIntegers: (name) => find(name).readIntegers(name),
    readBigIntegers: (name) => find(name).readBigIntegers(name),
    close,
  };
}

/** Every tensor is where the index says, and in no second shard. */
function checkShards(
  index: string,
  map: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, TensorSource>,
): void {
  for (const [name, file] of map) {
    if (shards.get(file)?.has(name) !== true) {
      throw new CheckpointError(
        index,
        `says that '${quoteName(name)}' is in ${file}, which does not hold it`,
      );
    }
  }
  for (const [file, shard] of shards) {
    const stray = shard.names.find((name) => map.get(name) !== file);
    if (stray !== undefined) {
      throw new CheckpointError(
        index,
        `does not say that '${quoteName(stray)}' is in ${file}: index and shards do not belong together`,
      );
    }
  }
}

function readIndex(index: string): ReadonlyMap<string, string> {
  const source = openFileBytes(index);
  let json: unknown;
  try {
    if (source.size > LIMITS.indexBytes) {
      throw new CheckpointError(index, `has ${source.size} bytes: too large for an index`);
    }
    json = parseStrictJson(index, 'the index', source.read(0, source.size));
  } finally {
    source.close();
  }
  const weightMap = isJsonObject(json) ? json['weight_map'] : undefined;
  if (!isJsonObject(weightMap)) {
    throw new CheckpointError(index, 'has no weight_map: it is no index of shards');
  }
  const map = new Map<string, string>();
  for (const [name, file] of Object.entries(weightMap)) {
    // A shard lies beside its index; a path could lead anywhere.
    if (
      typeof file !== 'string' ||
      !/^[\w.-]+$/.test(file) ||
      file.startsWith('.') ||
      file.endsWith('.json')
    ) {
      throw new CheckpointError(index, `names no proper file for '${quoteName(name)}'`);
    }
    map.set(name, file);
  }
  if (map.size > LIMITS.tensors) {
    throw new CheckpointError(index, `names more than ${LIMITS.tensors} tensors`);
  }
  if (new Set(map.values()).size > LIMITS.shards) throw new CheckpointError(index, 'names too many shards');
  return map;
}
