// The globals that a checkpoint may refer to: those of torch.load(weights_only=True) (torch/_weights_only_unpickler.py),
// less the classes that no checkpoint is known to have. A call of them makes a dictionary, a tensor or nothing new.

import type { StoredDtype } from './dtypes.js';
import { type Meaning, TorchGlobal } from './pickle-values.js';

/** Storages of one type of elements. */
const STORAGES: Readonly<Record<string, StoredDtype>> = {
  Double: 'F64',
  Float: 'F32',
  Half: 'F16',
  BFloat16: 'BF16',
  Long: 'I64',
  Int: 'I32',
  Short: 'I16',
  Char: 'I8',
  Byte: 'U8',
  Bool: 'BOOL',
  ComplexFloat: 'C64',
  ComplexDouble: 'C128',
  QInt8: 'Q8',
  QUInt8: 'QU8',
  QInt32: 'Q32',
};

/** Names of torch.dtype. */
const DTYPES: Readonly<Record<string, StoredDtype>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fnuz: 'F8_E4M3FNUZ',
  float8_e5m2fnuz: 'F8_E5M2FNUZ',
  float8_e8m0fnu: 'F8_E8M0',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
  complex32: 'C32',
  complex64: 'C64',
  complex128: 'C128',
  qint8: 'Q8',
  quint8: 'QU8',
  qint32: 'Q32',
};

const REBUILDS: Readonly<Record<string, Meaning>> = {
  _rebuild_tensor: { is: 'old-tensor' },
  _rebuild_tensor_v2: { is: 'tensor' },
  _rebuild_tensor_v3: { is: 'typed-tensor' },
  _rebuild_parameter: { is: 'parameter' },
  _rebuild_parameter_with_state: { is: 'parameter' },
  _rebuild_qtensor: { is: 'unread', kind: 'a quantised tensor' },
  _rebuild_sparse_tensor: { is: 'unread', kind: 'a sparse tensor' },
  _rebuild_nested_tensor: { is: 'unread', kind: 'a nested tensor' },
  _rebuild_meta_tensor_no_storage: { is: 'unread', kind: 'a tensor without contents' },
  _rebuild_wrapper_subclass: { is: 'unread', kind: 'a tensor of a class of its own' },
  _rebuild_device_tensor_from_numpy: { is: 'unread', kind: 'a tensor of another device' },
  _rebuild_device_tensor_from_cpu_tensor: { is: 'unread', kind: 'a tensor of another device' },
};

const QUANTISATIONS = ['affine', 'symmetric'].flatMap((kind) => [
  `per_tensor_${kind}`,
  `per_channel_${kind}`,
]);

const named = <T>(prefix: string, entries: Readonly<Record<string, T>>): (readonly [string, T])[] =>
  Object.entries(entries).map(([name, value]) => [`${prefix}${name}`, value]);

const GLOBALS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['collections.OrderedDict', { is: 'dictionary' }],
  ...named('torch._utils.', REBUILDS),
  ['torch._tensor._rebuild_from_type_v2', { is: 'attributed' }],
  ...Object.entries(STORAGES).map(
    ([name, dtype]) => [`torch.${name}Storage`, { is: 'storage', dtype }] as const,
  ),
  ['torch.storage.UntypedStorage', { is: 'storage', dtype: 'U8' }],
  ['torch.UntypedStorage', { is: 'storage', dtype: 'U8' }],
  ...Object.entries(DTYPES).map(([name, dtype]) => [`torch.${name}`, { is: 'dtype', dtype }] as const),
  ...['torch.Tensor', 'torch.nn.parameter.Parameter'].map((name) => [name, { is: 'class' }] as const),
  ...[...QUANTISATIONS, 'per_channel_affine_float_qparams'].map(
    (name) => [`torch.${name}`, { is: 'class' }] as const,
  ),
  // What these make is of no use here, so that a call gives what it was given.
  ...[
    'torch.Size',
    'torch.device',
    'torch.serialization._get_layout',
    'collections.Counter',
    '_codecs.encode',
  ].map((name) => [name, { is: 'argument' }] as const),
  // Python 2's name of the module is what protocol 2 has.
  ...['builtins', '__builtin__'].flatMap((module) => [
    [`${module}.set`, { is: 'argument' }] as const,
    [`${module}.bytearray`, { is: 'argument' }] as const,
    [`${module}.complex`, { is: 'arguments' }] as const,
  ]),
]);

/** Looks a global up in the fixed list; undefined when a checkpoint has no business with it. */
export function findGlobal(module: string, name: string): TorchGlobal | undefined {
  const full = `${module}.${name}`;
  const meaning = GLOBALS.get(full);
  return meaning === undefined ? undefined : new TorchGlobal(full, meaning);
}
