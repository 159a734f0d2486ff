// What a torch pickle's globals, persistent ids and calls stand for. Nothing is looked up by name but a fixed list, and
// a call makes a dictionary or a tensor, whose bounds are checked against its storage (torch/_utils.py).

import type { PickleMachine } from './pickle-machine.js';
import type { PickleValue } from './pickle-values.js';
import { findGlobal, TorchGlobal, TorchStorage, TorchTensor } from './pickle-values.js';
import { describeTensor, quoteName } from './tensor-source.js';

const MAX_DIMENSIONS = 32;

/** GLOBAL: one of the names that a checkpoint may refer to; any other is refused before anything is done with it. */
export function resolveGlobal(m: PickleMachine, module: PickleValue, name: PickleValue): TorchGlobal {
  if (typeof module !== 'string' || typeof name !== 'string') m.fail('refers to a global without a name');
  const found = findGlobal(module, name);
  if (found === undefined) {
    m.fail(
      `refers to '${quoteName(`${module}.${name}`)}', which is refused: only tensors, dictionaries and plain values ` +
        'are read. If you trust the file, load it in Python and torch.save its state_dict alone',
    );
  }
  return found;
}

/** BINPERSID: the persistent id ('storage', type, key, device, number of elements). */
export function resolveStorage(m: PickleMachine, id: PickleValue): TorchStorage {
  if (!Array.isArray(id) || id.length !== 5 || id[0] !== 'storage') {
    m.fail('has a persistent id that is no storage');
  }
  const [, type, key, device, length] = id as PickleValue[];
  if (!(type instanceof TorchGlobal)) m.fail('has a storage without a type');
  const { meaning } = type;
  if (meaning === 'ordered-dict' || meaning === 'tensor' || meaning === 'parameter') {
    m.fail(`uses '${type.name}' as the type of a storage`);
  }
  if (typeof key !== 'string' || !/^\w{1,64}$/.test(key)) m.fail('has a storage without a proper key');
  if (typeof device !== 'string') m.fail(`has no device for the storage '${key}'`);
  if (!isSize(length) || describeTensor(meaning, [length]) === undefined) {
    m.fail(`gives the storage '${key}' an absurd length`);
  }
  return m.storage(new TorchStorage(key, meaning, length));
}

/** REDUCE: the three functions that a checkpoint may call. */
export function callGlobal(m: PickleMachine, callee: PickleValue, args: PickleValue): PickleValue {
  if (!(callee instanceof TorchGlobal) || !isTuple(args)) m.fail('calls something that is no function');
  switch (callee.meaning) {
    case 'ordered-dict':
      if (args.length > 0) m.fail('makes an OrderedDict with arguments');
      return m.dictionary();
    case 'tensor':
      return makeTensor(m, args);
    case 'parameter':
      return makeParameter(m, args);
    default:
      m.fail(`calls '${callee.name}', which is refused`);
  }
}

/** _rebuild_parameter(tensor, requires_grad, backward_hooks) */
function makeParameter(m: PickleMachine, args: readonly PickleValue[]): TorchTensor {
  const [tensor, , hooks] = args;
  if (args.length !== 3 || !(tensor instanceof TorchTensor)) {
    m.fail('makes a parameter of something that is no tensor');
  }
  if (!isNothing(hooks)) m.fail('makes a parameter with hooks');
  return tensor;
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks, metadata = None) */
function makeTensor(m: PickleMachine, args: readonly PickleValue[]): TorchTensor {
  const [storage, offset, shape, strides, , hooks, metadata] = args;
  if (args.length < 6 || args.length > 7) m.fail(`makes a tensor with ${args.length} arguments`);
  if (!(storage instanceof TorchStorage)) m.fail('makes a tensor without a storage');
  const where = `of the storage '${storage.key}'`;
  if (!isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    m.fail(`makes a tensor ${where} without a proper offset, shape or strides`);
  }
  // Metadata may say that the values are to be negated or conjugated; hooks are functions.
  if (!isNothing(hooks) || !isNothing(metadata)) m.fail(`makes a tensor ${where} with hooks or metadata`);
  const info = describeTensor(storage.dtype, shape);
  if (info === undefined) m.fail(`makes a tensor ${where} of the absurd shape [${shape.join(', ')}]`);
  const empty = info.byteLength === 0;
  const end = empty ? offset : shape.reduce((last, size, i) => last + (size - 1) * strides[i]!, offset) + 1;
  if (!Number.isSafeInteger(end) || end > storage.length) {
    m.fail(`makes a tensor ${where} that reaches element ${end} of ${storage.length}`);
  }
  return new TorchTensor(storage, offset, shape, strides);
}

function isNothing(value: PickleValue | undefined): boolean {
  return value === undefined || value === null || (value instanceof Map && value.size === 0);
}

function isTuple(value: PickleValue): value is readonly PickleValue[] {
  return Array.isArray(value) && Object.isFrozen(value);
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isSizes(value: PickleValue | undefined): value is readonly number[] {
  return value !== undefined && isTuple(value) && value.length <= MAX_DIMENSIONS && value.every(isSize);
}
