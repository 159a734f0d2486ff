// What a torch pickle's globals, persistent ids and calls stand for. Nothing is looked up by name but a fixed list, and
// a call makes a dictionary or a tensor, whose bounds are checked against its storage (torch/_utils.py).

import { DTYPE_BITS, type StoredDtype } from './dtypes.js';
import { LIMITS } from './limits.js';
import { findGlobal } from './pickle-globals.js';
import type { PickleMachine } from './pickle-machine.js';
import { type PickleValue, TorchGlobal, TorchStorage, TorchTensor, TorchUnread } from './pickle-values.js';
import { describeTensor, quoteName } from './tensor-source.js';

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
  if (meaning.is !== 'storage') m.fail(`uses '${type.name}' as the type of a storage`);
  if (typeof key !== 'string' || !/^\w{1,64}$/.test(key)) m.fail('has a storage without a proper key');
  if (typeof device !== 'string') m.fail(`has no device for the storage '${key}'`);
  if (!isSize(length) || describeTensor(meaning.dtype, [length]) === undefined) {
    m.fail(`gives the storage '${key}' an absurd length`);
  }
  return m.storage(new TorchStorage(key, meaning.dtype, length));
}

/** REDUCE: what a checkpoint may call. */
export function callGlobal(m: PickleMachine, callee: PickleValue, args: PickleValue): PickleValue {
  if (!(callee instanceof TorchGlobal) || !isTuple(args)) m.fail('calls something that is no function');
  const { meaning } = callee;
  switch (meaning.is) {
    case 'dictionary':
      if (args.length > 0) m.fail('makes an OrderedDict with arguments');
      return m.dictionary();
    case 'tensor':
      return makeTensor(m, args);
    case 'typed-tensor':
      return makeTypedTensor(m, args);
    case 'old-tensor':
      if (args.length !== 4) m.fail(`makes a tensor with ${args.length} arguments`);
      return makeTensor(m, [...args, false, null]);
    case 'parameter':
      return makeParameter(m, args);
    case 'attributed':
      return makeAttributed(m, args);
    case 'unread':
      return new TorchUnread(meaning.kind);
    case 'argument':
      return args[0] ?? m.tuple([]);
    case 'arguments':
      return args;
    default:
      m.fail(`calls '${callee.name}', which is refused`);
  }
}

/** _rebuild_parameter(tensor, requires_grad, backward_hooks), and _rebuild_parameter_with_state with a state behind them. */
function makeParameter(m: PickleMachine, args: readonly PickleValue[]): TorchTensor | TorchUnread {
  const [tensor, , hooks] = args;
  if (args.length < 3 || args.length > 4 || !isTensor(tensor)) {
    m.fail('makes a parameter of something that is no tensor');
  }
  if (!isNothing(hooks)) m.fail('makes a parameter with hooks');
  return tensor;
}

/** _rebuild_from_type_v2(function, class, arguments, state): a tensor to which Python attributes were given. */
function makeAttributed(m: PickleMachine, args: readonly PickleValue[]): PickleValue {
  const [callee = null, type, inner = null] = args;
  if (args.length !== 4 || !(callee instanceof TorchGlobal) || callee.meaning.is === 'attributed') {
    m.fail('makes a tensor with attributes of something that is no tensor');
  }
  if (!(type instanceof TorchGlobal) || type.meaning.is !== 'class') {
    m.fail('makes a tensor of a class that is none');
  }
  const made = callGlobal(m, callee, inner);
  return isTensor(made) ? made : m.fail('makes a tensor with attributes of something that is no tensor');
}

/** _rebuild_tensor_v3(storage, offset, size, stride, requires_grad, backward_hooks, dtype, metadata = None) over bytes. */
function makeTypedTensor(m: PickleMachine, args: readonly PickleValue[]): TorchTensor {
  const [storage, offset = null, size = null, stride = null, grad = null, hooks = null, type, ...metadata] =
    args;
  if (!(type instanceof TorchGlobal) || type.meaning.is !== 'dtype') m.fail('makes a tensor without a type');
  if (!(storage instanceof TorchStorage) || storage.dtype !== 'U8') {
    m.fail('makes a tensor without its bytes');
  }
  return makeTensor(m, [storage, offset, size, stride, grad, hooks, ...metadata], type.meaning.dtype);
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks, metadata = None) */
function makeTensor(m: PickleMachine, args: readonly PickleValue[], given?: StoredDtype): TorchTensor {
  const [storage, offset, shape, strides, , hooks, metadata] = args;
  if (args.length < 6 || args.length > 7) m.fail(`makes a tensor with ${args.length} arguments`);
  if (!(storage instanceof TorchStorage)) m.fail('makes a tensor without a storage');
  const dtype = given ?? storage.dtype;
  const where = `of the storage '${storage.key}'`;
  if (!isSize(offset) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length) {
    m.fail(`makes a tensor ${where} without a proper offset, shape or strides`);
  }
  // Metadata may say that the values are to be negated or conjugated; hooks are functions.
  if (!isNothing(hooks) || !isNothing(metadata)) m.fail(`makes a tensor ${where} with hooks or metadata`);
  const info = describeTensor(dtype, shape);
  if (info === undefined) m.fail(`makes a tensor ${where} of the absurd shape [${shape.join(', ')}]`);
  const empty = info.byteLength === 0;
  const end = empty ? offset : shape.reduce((last, size, i) => last + (size - 1) * strides[i]!, offset) + 1;
  const room = Math.floor((storage.length * DTYPE_BITS[storage.dtype]) / DTYPE_BITS[dtype]);
  if (!Number.isSafeInteger(end) || end > room) {
    m.fail(`makes a tensor ${where} that reaches element ${end} of ${room}`);
  }
  return new TorchTensor(storage, dtype, { offset, shape, strides });
}

function isTensor(value: PickleValue | undefined): value is TorchTensor | TorchUnread {
  return value instanceof TorchTensor || value instanceof TorchUnread;
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
  return value !== undefined && isTuple(value) && value.length <= LIMITS.dimensions && value.every(isSize);
}
