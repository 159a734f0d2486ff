// What a torch pickle may hold: plain data, tensors and the storages under them. Nothing here can run code.

import type { StoredDtype } from './dtypes.js';

/** A storage: a flat array of elements that tensors view, kept in the archive under `data/<key>`. */
export class TorchStorage {
  readonly key: string;
  readonly dtype: StoredDtype;
  /** Number of elements. */
  readonly length: number;

  constructor(key: string, dtype: StoredDtype, length: number) {
    this.key = key;
    this.dtype = dtype;
    this.length = length;
  }
}

/** A tensor: a strided view of a storage. Offset and strides count elements of the tensor's type, mostly the storage's own. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly dtype: StoredDtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(
    storage: TorchStorage,
    dtype: StoredDtype,
    view: Pick<TorchTensor, 'offset' | 'shape' | 'strides'>,
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.offset = view.offset;
    this.shape = view.shape;
    this.strides = view.strides;
  }
}

/** A tensor of a kind that is not read, such as a quantised or a sparse one. */
export class TorchUnread {
  /** The kind in words. */
  readonly kind: string;

  constructor(kind: string) {
    this.kind = kind;
  }
}

/** What a global stands for: a type of elements, a storage of them, or what a call of it makes. */
export type Meaning =
  | { readonly is: 'dtype' | 'storage'; readonly dtype: StoredDtype }
  | { readonly is: 'unread'; readonly kind: string }
  | { readonly is: 'dictionary' | 'argument' | 'arguments' | 'class' }
  | { readonly is: 'tensor' | 'typed-tensor' | 'old-tensor' | 'parameter' | 'attributed' };

/** One of the few names that a pickle may refer to; what it stands for is decided by the reader, not by the name. */
export class TorchGlobal {
  readonly name: string;
  readonly meaning: Meaning;

  constructor(name: string, meaning: Meaning) {
    this.name = name;
    this.meaning = meaning;
  }
}

/** A dictionary's key; tuples and None are keys by how Python writes them. */
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
  | TorchUnread
  | TorchStorage
  | TorchGlobal;
