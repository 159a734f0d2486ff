// The public names of the graph builder.

export type { Value } from './builder.js';
export { GraphBuilder, type WeightSource } from './builder.js';
export { multiHeadAttention } from './ops-attention.js';
export { conv2d, type ConvOptions, groupNorm, upsampleNearest2x } from './ops-image.js';
export { linear, linearFrom, matMul } from './ops-linear.js';
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
export {
  type Attribute,
  type ElementType,
  type ExternalWeight,
  float,
  type GraphModel,
  type TensorData,
  type TensorInfo,
} from './values.js';
