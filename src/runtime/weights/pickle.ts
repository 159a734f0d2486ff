// An interpreter for the pickles inside PyTorch checkpoints (protocols 2 to 5, as torch.save and Python's pickler emit
// them). It builds plain data, tensors and storages; every other opcode or global is refused by name, so that a hostile
// pickle can do nothing but be an error. Opcodes: CPython's Lib/pickletools.py; persistent ids: torch/serialization.py.

import { REFUSED_OPCODES } from './pickle-opcodes.js';
import { PickleMachine } from './pickle-machine.js';
import { PickleReader } from './pickle-reader.js';
import type { PickleKey, PickleValue } from './pickle-values.js';
import { findGlobal, TorchGlobal, TorchStorage, TorchTensor } from './pickle-values.js';
import { describeTensor, quoteName } from './tensor-source.js';

const PROTO = 0x80;
const STOP = 0x2e;
const MAX_DIMENSIONS = 32;
/** Python's random seeds are the largest integers seen in checkpoints. */
const MAX_INTEGER_BYTES = 64;

/** Interprets the pickle of a torch checkpoint; throws CheckpointError, naming `label`, for anything out of the ordinary. */
export function parseTorchPickle(label: string, bytes: Uint8Array): PickleValue {
  const machine: PickleMachine = new PickleMachine(label);
  const input = new PickleReader(label, bytes);
  const isPickle = input.uint8() === PROTO;
  const protocol = input.uint8();
  if (!isPickle || protocol < 2 || protocol > 5) machine.fail('does not start like one of protocol 2 to 5');
  for (;;) {
    const at = input.at;
    const opcode = input.uint8();
    if (opcode === STOP) break;
    const run = OPCODES.get(opcode);
    if (run === undefined) machine.fail(`uses the opcode ${opcodeName(opcode)} at byte ${at}: it is refused`);
    run(machine, input);
  }
  if (input.remaining > 0) machine.fail(`goes on for ${input.remaining} bytes after its end`);
  return machine.finish();
}

type Operation = (machine: PickleMachine, input: PickleReader) => void;

/** Everything that a checkpoint's pickle may do. */
const OPCODES: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [
    0x28,
    (m) => {
      m.mark();
    },
  ], // MARK
  [
    0x29,
    (m) => {
      m.pushTuple([]);
    },
  ], // EMPTY_TUPLE
  [
    0x47,
    (m, input) => {
      m.push(input.float64());
    },
  ], // BINFLOAT
  [
    0x4a,
    (m, input) => {
      m.push(input.int32());
    },
  ], // BININT
  [
    0x4b,
    (m, input) => {
      m.push(input.uint8());
    },
  ], // BININT1
  [
    0x4d,
    (m, input) => {
      m.push(input.uint16());
    },
  ], // BININT2
  [
    0x4e,
    (m) => {
      m.push(null);
    },
  ], // NONE
  [0x51, resolveStorage], // BINPERSID
  [0x52, reduce], // REDUCE
  [
    0x58,
    (m, input) => {
      m.push(input.text(input.uint32()));
    },
  ], // BINUNICODE
  [
    0x5d,
    (m) => {
      m.pushContainer([]);
    },
  ], // EMPTY_LIST
  [
    0x61,
    (m) => {
      append(m, [m.pop()]);
    },
  ], // APPEND
  [0x62, build], // BUILD
  [
    0x63,
    (m, input) => {
      pushGlobal(m, input.line(), input.line());
    },
  ], // GLOBAL
  [
    0x65,
    (m) => {
      append(m, m.popToMark());
    },
  ], // APPENDS
  [
    0x68,
    (m, input) => {
      m.recall(input.uint8());
    },
  ], // BINGET
  [
    0x6a,
    (m, input) => {
      m.recall(input.uint32());
    },
  ], // LONG_BINGET
  [
    0x71,
    (m, input) => {
      m.remember(input.uint8());
    },
  ], // BINPUT
  [
    0x72,
    (m, input) => {
      m.remember(input.uint32());
    },
  ], // LONG_BINPUT
  [0x73, setItem], // SETITEM
  [
    0x74,
    (m) => {
      m.pushTuple(m.popToMark());
    },
  ], // TUPLE
  [
    0x75,
    (m) => {
      setItems(m, m.popToMark());
    },
  ], // SETITEMS
  [
    0x7d,
    (m) => {
      m.pushContainer(new Map());
    },
  ], // EMPTY_DICT
  [
    0x85,
    (m) => {
      pushSmallTuple(m, 1);
    },
  ], // TUPLE1
  [
    0x86,
    (m) => {
      pushSmallTuple(m, 2);
    },
  ], // TUPLE2
  [
    0x87,
    (m) => {
      pushSmallTuple(m, 3);
    },
  ], // TUPLE3
  [
    0x88,
    (m) => {
      m.push(true);
    },
  ], // NEWTRUE
  [
    0x89,
    (m) => {
      m.push(false);
    },
  ], // NEWFALSE
  [0x8a, pushInteger], // LONG1
  [
    0x8c,
    (m, input) => {
      m.push(input.text(input.uint8()));
    },
  ], // SHORT_BINUNICODE
  [0x93, stackGlobal], // STACK_GLOBAL
  [
    0x94,
    (m) => {
      m.remember();
    },
  ], // MEMOIZE
  [0x95, checkFrame], // FRAME
]);

function opcodeName(opcode: number): string {
  const hex = `0x${opcode.toString(16).padStart(2, '0')}`;
  const name = REFUSED_OPCODES.get(opcode);
  return name === undefined ? hex : `${name} (${hex})`;
}

function pushInteger(m: PickleMachine, input: PickleReader): void {
  const length = input.uint8();
  if (length > MAX_INTEGER_BYTES) m.fail(`holds an integer of ${length} bytes`);
  m.push(input.integer(length));
}

function pushSmallTuple(m: PickleMachine, length: number): void {
  const items = Array.from({ length }, () => m.pop());
  m.pushTuple(items.reverse());
}

function append(m: PickleMachine, items: readonly PickleValue[]): void {
  const list = m.top();
  if (!Array.isArray(list) || Object.isFrozen(list)) m.fail('appends to something that is no list');
  for (const item of items) (list as PickleValue[]).push(item);
}

function setItem(m: PickleMachine): void {
  const value = m.pop();
  const key = m.pop();
  setItems(m, [key, value]);
}

function setItems(m: PickleMachine, items: readonly PickleValue[]): void {
  const dictionary = m.top();
  if (!(dictionary instanceof Map)) m.fail('sets an entry of something that is no dictionary');
  if (items.length % 2 !== 0) m.fail('sets an entry without a value');
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i]!;
    if (!isKey(key)) m.fail('uses a dictionary key that is neither a string nor a number');
    if (dictionary.has(key)) m.fail(`sets the key '${quoteName(String(key))}' twice`);
    dictionary.set(key, items[i + 1]!);
  }
}

function isKey(value: PickleValue): value is PickleKey {
  return typeof value !== 'object';
}

function pushGlobal(m: PickleMachine, module: string, name: string): void {
  const found = findGlobal(module, name);
  if (found === undefined) {
    m.fail(
      `refers to '${quoteName(`${module}.${name}`)}', which is refused: only tensors, dictionaries and plain values ` +
        'are read. If you trust the file, load it in Python and torch.save its state_dict alone',
    );
  }
  m.push(found);
}

function stackGlobal(m: PickleMachine): void {
  const name = m.pop();
  const module = m.pop();
  if (typeof module !== 'string' || typeof name !== 'string') m.fail('refers to a global without a name');
  pushGlobal(m, module, name);
}

/** Frames only help a reader to buffer. */
function checkFrame(m: PickleMachine, input: PickleReader): void {
  const length = input.uint64();
  if (length > input.remaining) m.fail(`has a frame of ${length} bytes where ${input.remaining} are left`);
}

/** Attributes of an OrderedDict (a state dict's `_metadata`): known, and of no use here. */
function build(m: PickleMachine): void {
  const state = m.pop();
  if (!(m.top() instanceof Map) || !(state instanceof Map))
    m.fail('sets attributes of something that is no dictionary');
}

/** A persistent id: ('storage', type, key, device, number of elements). */
function resolveStorage(m: PickleMachine): void {
  const id = m.pop();
  if (!Array.isArray(id) || id.length !== 5 || id[0] !== 'storage')
    m.fail('has a persistent id that is no storage');
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
  m.push(m.storage(new TorchStorage(key, meaning, length)));
}

function reduce(m: PickleMachine): void {
  const args = m.pop();
  const callee = m.pop();
  if (!(callee instanceof TorchGlobal) || !isTuple(args)) m.fail('calls something that is no function');
  switch (callee.meaning) {
    case 'ordered-dict':
      if (args.length > 0) m.fail('makes an OrderedDict with arguments');
      m.pushContainer(new Map());
      return;
    case 'tensor':
      m.push(makeTensor(m, args));
      return;
    case 'parameter':
      // (tensor, requires_grad, backward_hooks)
      if (!(args[0] instanceof TorchTensor) || args.length !== 3)
        m.fail('makes a parameter of something that is no tensor');
      m.push(args[0]);
      return;
    default:
      m.fail(`calls '${callee.name}', which is refused`);
  }
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
  let end = offset;
  for (const [i, size] of shape.entries()) end += Math.max(size - 1, 0) * strides[i]!;
  if (info.byteLength > 0) end += 1;
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
