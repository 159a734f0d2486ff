// The element types of stored tensors, under safetensors' names.

/** Every element type that a checkpoint reader understands, under safetensors' names. */
export const TENSOR_DTYPES = [
  'F64',
  'F32',
  'F16',
  'BF16',
  'F8_E4M3',
  'I64',
  'I32',
  'I16',
  'I8',
  'U8',
  'BOOL',
] as const;

/** An element type of a stored tensor. */
export type TensorDtype = (typeof TENSOR_DTYPES)[number];

/** Bytes of one element of each type. */
export const DTYPE_BYTES: Readonly<Record<TensorDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};
