// An interpreter for the pickles inside PyTorch checkpoints (protocols 2 to 5, as torch.save and Python's pickler emit
// them). It builds plain data, tensors and storages; every other opcode or global is refused by name, so that a hostile
// pickle can do nothing but be an error. Opcodes: CPython's Lib/pickletools.py; persistent ids: torch/serialization.py.

import { LIMITS } from './limits.js';
import { PickleMachine } from './pickle-machine.js';
import { OPCODE_NAMES } from './pickle-opcodes.js';
import { PickleReader } from './pickle-reader.js';
import { callGlobal, resolveGlobal, resolveStorage } from './pickle-torch.js';
import type { PickleKey, PickleValue } from './pickle-values.js';
import { quoteName } from './tensor-source.js';

/** Interprets the pickle of a torch checkpoint; throws CheckpointError, naming `label`, for anything out of the ordinary. */
export function parseTorchPickle(label: string, bytes: Uint8Array): PickleValue {
  const machine: PickleMachine = new PickleMachine(label);
  const input = new PickleReader(label, bytes);
  const isPickle = OPCODE_NAMES.get(input.uint8()) === 'PROTO';
  const protocol = input.uint8();
  if (!isPickle || protocol < 2 || protocol > 5) machine.fail('does not start like one of protocol 2 to 5');
  for (;;) {
    const at = input.at;
    const code = input.uint8();
    const opcode = OPCODE_NAMES.get(code) ?? `0x${code.toString(16).padStart(2, '0')}`;
    if (opcode === 'STOP') break;
    const produce = PRODUCERS.get(opcode);
    if (produce !== undefined) machine.push(produce(machine, input));
    else if (!act(opcode, machine, input)) {
      machine.fail(`uses the opcode ${opcode} at byte ${at}, which is refused`);
    }
  }
  // What stands behind the end is nobody's: Python does not look there either.
  return machine.finish();
}

type Producer = (m: PickleMachine, input: PickleReader) => PickleValue;

/** The opcodes that push one value. */
const PRODUCERS: ReadonlyMap<string, Producer> = new Map<string, Producer>([
  ['NONE', () => null],
  ['NEWTRUE', () => true],
  ['NEWFALSE', () => false],
  ['BININT', (_, input) => input.int32()],
  ['BININT1', (_, input) => input.uint8()],
  ['BININT2', (_, input) => input.uint16()],
  ['LONG1', readInteger],
  ['BINFLOAT', (_, input) => input.float64()],
  ['BINUNICODE', (_, input) => input.text(input.uint32())],
  ['SHORT_BINUNICODE', (_, input) => input.text(input.uint8())],
  // Python 2's text, in ASCII wherever it matters.
  ['SHORT_BINSTRING', (_, input) => input.text(input.uint8())],
  ['EMPTY_LIST', (m) => m.list()],
  // A set is of no use here, and a list as good.
  ['EMPTY_SET', (m) => m.list()],
  ['EMPTY_DICT', (m) => m.dictionary()],
  ['EMPTY_TUPLE', (m) => m.tuple([])],
  ['TUPLE1', (m) => m.tuple(m.popMany(1))],
  ['TUPLE2', (m) => m.tuple(m.popMany(2))],
  ['TUPLE3', (m) => m.tuple(m.popMany(3))],
  ['TUPLE', (m) => m.tuple(m.popToMark())],
  ['BINGET', (m, input) => m.recall(input.uint8())],
  ['LONG_BINGET', (m, input) => m.recall(input.uint32())],
  ['GLOBAL', (m, input) => resolveGlobal(m, input.line(), input.line())],
  ['STACK_GLOBAL', (m) => resolveGlobal(m, ...(m.popMany(2) as [PickleValue, PickleValue]))],
  ['BINPERSID', (m) => resolveStorage(m, m.pop())],
  ['REDUCE', (m) => callGlobal(m, ...(m.popMany(2) as [PickleValue, PickleValue]))],
]);

/** The opcodes that change what is there already; false for any other. */
function act(opcode: string, m: PickleMachine, input: PickleReader): boolean {
  switch (opcode) {
    case 'MARK':
      m.mark();
      return true;
    case 'APPEND':
      append(m, m.popMany(1));
      return true;
    case 'APPENDS':
    case 'ADDITEMS':
      append(m, m.popToMark());
      return true;
    case 'SETITEM':
      setItems(m, m.popMany(2));
      return true;
    case 'SETITEMS':
      setItems(m, m.popToMark());
      return true;
    case 'BUILD':
      setAttributes(m, m.pop());
      return true;
    case 'BINPUT':
      m.remember(input.uint8());
      return true;
    case 'LONG_BINPUT':
      m.remember(input.uint32());
      return true;
    case 'MEMOIZE':
      m.remember();
      return true;
    case 'FRAME':
      checkFrame(m, input);
      return true;
    default:
      return false;
  }
}

function readInteger(m: PickleMachine, input: PickleReader): number | bigint {
  const length = input.uint8();
  if (length > LIMITS.integerBytes) m.fail(`holds an integer of ${length} bytes`);
  return input.integer(length);
}

function append(m: PickleMachine, items: readonly PickleValue[]): void {
  const list = m.top();
  if (!Array.isArray(list) || Object.isFrozen(list)) m.fail('appends to something that is no list');
  for (const item of items) (list as PickleValue[]).push(item);
}

function setItems(m: PickleMachine, items: readonly PickleValue[]): void {
  const dictionary = m.top();
  if (!(dictionary instanceof Map)) m.fail('sets an entry of something that is no dictionary');
  if (items.length % 2 !== 0) m.fail('sets an entry without a value');
  for (let i = 0; i < items.length; i += 2) {
    const key = keyOf(items[i]!);
    if (key === undefined) {
      m.fail('uses a dictionary key that is neither a string nor a number, nor a tuple of them');
    }
    if (dictionary.has(key)) m.fail(`sets the key '${quoteName(String(key))}' twice`);
    dictionary.set(key, items[i + 1]!);
  }
}

/** A plain value, or a tuple of plain values as Python writes it: nested ones could unfold without end. */
function keyOf(value: PickleValue): PickleKey | undefined {
  if (value === null) return 'None';
  if (typeof value !== 'object') return value;
  const isPlain = (item: unknown): boolean => item === null || typeof item !== 'object';
  if (!Array.isArray(value) || !Object.isFrozen(value) || value.length > 8 || !value.every(isPlain)) {
    return undefined;
  }
  const text = `(${value.map((item) => (item === null ? 'None' : String(item))).join(', ')})`;
  return text.length <= LIMITS.nameLength ? text : undefined;
}

/** Attributes of an OrderedDict (a state dict's `_metadata`): known, and of no use here. */
function setAttributes(m: PickleMachine, state: PickleValue): void {
  if (!(m.top() instanceof Map && state instanceof Map)) {
    m.fail('sets attributes of something that is no dictionary');
  }
}

/** Frames only help a reader to buffer. */
function checkFrame(m: PickleMachine, input: PickleReader): void {
  const length = input.uint64();
  if (length > input.remaining) m.fail(`has a frame of ${length} bytes where ${input.remaining} are left`);
}
