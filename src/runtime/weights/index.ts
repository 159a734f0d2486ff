// The public names of checkpoints: tensors read from whatever file a model comes in, and written as safetensors.

export { openWeights } from './open-weights.js';
export { unwrapped, type Wanted } from './prefixes.js';
export { type TensorToWrite, writeSafetensors } from './safetensors-writer.js';
export { quoteName, type TensorSource, withPrefix } from './tensor-source.js';
