// What a torch pickle may hold: plain data, tensors and the storages under them. Nothing here can run code.

import type { TensorDtype } from './dtypes.js';

/** A storage: a flat array of elements that tensors view, kept in the archive under `data/<key>`. */
export class TorchStorage {
  readonly key: string;
  readonly dtype: TensorDtype;
  /** Number of elements. */
  readonly length: number;

  constructor(key: string, dtype: TensorDtype, length: number) {
    this.key = key;
    this.dtype = dtype;
    this.length = length;
  }
}

/** A tensor: a strided view of a storage. Offset and strides count elements. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** One of the few names that a pickle may refer to; what it stands for is decided by the reader, not by the name. */
export class TorchGlobal {
  readonly name: string;
  readonly meaning: 'ordered-dict' | 'tensor' | 'parameter' | TensorDtype;

  constructor(name: string, meaning: TorchGlobal['meaning']) {
    this.name = name;
    this.meaning = meaning;
  }
}

/** A dictionary's key. */
export type PickleKey = string | number | bigint | boolean;

/** Any value of a torch pickle. Tuples are frozen arrays, lists are not; dictionaries are maps, so no key is special. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PickleValue[]
  | Map<PickleKey, PickleValue>
  | TorchTensor
  | TorchStorage
  | TorchGlobal;

const GLOBALS: ReadonlyMap<string, TorchGlobal['meaning']> = new Map<string, TorchGlobal['meaning']>([
  ['collections.OrderedDict', 'ordered-dict'],
  ['torch._utils._rebuild_tensor_v2', 'tensor'],
  ['torch._utils._rebuild_parameter', 'parameter'],
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

/** Looks a global up in the fixed list; undefined when a checkpoint has no business with it. */
export function findGlobal(module: string, name: string): TorchGlobal | undefined {
  const full = `${module}.${name}`;
  const meaning = GLOBALS.get(full);
  return meaning === undefined ? undefined : new TorchGlobal(full, meaning);
}
