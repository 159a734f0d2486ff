// Names the tensors of a nested checkpoint by their path: {'vae': {'a.weight': t}} gives 'vae.a.weight'.

import { CheckpointError } from '../../core/errors.js';
import { LIMITS } from './limits.js';
import { type PickleValue, TorchTensor, TorchUnread } from './pickle-values.js';
import { quoteName } from './tensor-source.js';

/** The name of a checkpoint that is a single tensor. */
const LONE_TENSOR = 'tensor';

/** Collects every tensor with its name, in the order of the file; throws CheckpointError for two of the same name. */
export function flattenTensors(
  label: string,
  tree: PickleValue,
): ReadonlyMap<string, TorchTensor | TorchUnread> {
  const found = new Map<string, TorchTensor | TorchUnread>();
  let visits = 0;
  let characters = 0;
  const fail = (fault: string): never => {
    throw new CheckpointError(label, fault);
  };

  const visit = (value: PickleValue, path: string, depth: number): void => {
    if (depth > LIMITS.treeDepth) fail(`its pickle is nested deeper than ${LIMITS.treeDepth} levels`);
    if (value instanceof TorchTensor || value instanceof TorchUnread) {
      const name = depth === 0 ? LONE_TENSOR : path;
      if (found.has(name)) fail(`holds two tensors of the name '${quoteName(name)}'`);
      characters += name.length;
      if (characters > LIMITS.nameCharacters) fail('has names that are too long in all');
      found.set(name, value);
      if (found.size > LIMITS.tensors) fail(`holds more than ${LIMITS.tensors} tensors`);
    } else if (value instanceof Map) {
      for (const [key, item] of value) descend(item, path, String(key), depth);
    } else if (Array.isArray(value)) {
      for (const [i, item] of (value as readonly PickleValue[]).entries()) {
        descend(item, path, String(i), depth);
      }
    }
  };
  const descend = (item: PickleValue, path: string, key: string, depth: number): void => {
    if (++visits > LIMITS.treeVisits) fail('its pickle unfolds into too many values');
    if (item === null || typeof item !== 'object') return;
    if (path.length + key.length > LIMITS.nameLength) {
      fail(`has a name of more than ${LIMITS.nameLength} characters`);
    }
    visit(item, depth === 0 ? key : `${path}.${key}`, depth + 1);
  };

  visit(tree, '', 0);
  return found;
}
