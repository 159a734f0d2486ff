// The element types of stored tensors, under safetensors' names.

/** Every element type that is read. */
export const TENSOR_DTYPES = [
  'F64',
  'F32',
  'F16',
  'BF16',
  'F8_E4M3',
  'F8_E5M2',
  'I64',
  'I32',
  'I16',
  'I8',
  'U8',
  'BOOL',
] as const;

/** Types that no model of ours uses: a file may have tensors of them, which cannot be read. Bits of one element. */
const UNREAD_BITS = {
  U16: 16,
  U32: 32,
  U64: 64,
  C32: 32,
  C64: 64,
  C128: 128,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  Q8: 8,
  QU8: 8,
  Q32: 32,
} as const;

/** An element type of a tensor that can be read. */
export type TensorDtype = (typeof TENSOR_DTYPES)[number];

/** An element type of a stored tensor. */
export type StoredDtype = TensorDtype | keyof typeof UNREAD_BITS;

/** Bits of one element of each type. */
export const DTYPE_BITS: Readonly<Record<StoredDtype, number>> = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U8: 8,
  BOOL: 8,
  ...UNREAD_BITS,
};

/** Whether a text names an element type. */
export function isStoredDtype(name: unknown): name is StoredDtype {
  return typeof name === 'string' && Object.hasOwn(DTYPE_BITS, name);
}

/** Whether tensors of a type can be read. */
export function isReadDtype(dtype: StoredDtype): dtype is TensorDtype {
  return (TENSOR_DTYPES as readonly string[]).includes(dtype);
}
