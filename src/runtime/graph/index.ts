// The public names of the graph builder.

export type { Value } from './builder.js';
export { GraphBuilder, type NamedWeights, type WeightSource } from './builder.js';
export { multiHeadAttention } from './ops-attention.js';
export { type Band, inBands } from './ops-bands.js';
export { halves } from './ops-float16.js';
export {
  conv2d,
  type ConvOptions,
  groupNorm,
  groupNormOf,
  type GroupNormOptions,
  upsampleNearest2x,
} from './ops-image.js';
export { linearInt8, type MatrixSource } from './ops-int8.js';
export { dequantizeBlocks, quantizeBlocks } from './ops-int8-blocks.js';
export { gemm, gemmFrom, LINEAR, linear, linearFrom, matMul, rowsOf } from './ops-linear.js';
export {
  add,
  cast,
  clip,
  cos,
  div,
  equal,
  exp,
  gelu,
  geluTanh,
  l2Normalize,
  less,
  maximum,
  minimum,
  mul,
  pow,
  quickGelu,
  reduceMax,
  reduceMean,
  reduceProduct,
  reduceSum,
  relu,
  sigmoid,
  silu,
  sin,
  softmax,
  sqrt,
  sub,
  tanh,
  where,
} from './ops-math.js';
export { layerNorm, type NormOptions, rmsNorm, skipLayerNorm, skipRmsNorm } from './ops-norm.js';
export {
  convInt8,
  doubled,
  type Grid,
  groupNormPlaces,
  type Pending,
  siluFast,
  toMap,
  toPlaces,
} from './ops-places.js';
export {
  concat,
  expandTo,
  gather,
  identity,
  padZeros,
  pixelShuffle,
  range,
  reshape,
  reshapeTo,
  shapeOf,
  sizeOf,
  slice,
  sliceBetween,
  split,
  squeeze,
  transpose,
  unsqueeze,
} from './ops-shape.js';
export { type Dim, formatShape, type Shape } from './shapes.js';
export { sharedRead } from './shared-read.js';
export {
  type Attribute,
  type ElementType,
  type ExternalWeight,
  float,
  type GraphModel,
  type Precision,
  PRECISIONS,
  type TensorData,
  type TensorInfo,
} from './values.js';
