// The public names of the runtime: sessions in a worker and the tensors that go in and out. Graphs are built by
// graph/index.ts.

export { type CachedGraph, GraphCache, graphCacheFolder } from './cache/graph-cache.js';
export { describeInputs, type RunInputs } from './check-inputs.js';
export { type Device, DEVICE_CHOICES, type DeviceChoice, type DeviceFound, DEVICES } from './devices.js';
export { measureMatMulRate, measureRoundTrip } from './measure.js';
export { saveModel } from './model-files.js';
export type { RuntimeStats } from './protocol.js';
export { createRuntime, findDevices, MOST_THREADS, Runtime, type RuntimeOptions } from './runtime.js';
export { type JoinedOutputs, RunResult, Session } from './session.js';
export {
  type Assembly,
  type Copy,
  elementCount,
  float32Tensor,
  type HostTensor,
  int32Tensor,
  int64Tensor,
  type RunInput,
  type TensorHandle,
} from './tensors.js';
export { type RuntimeChoice, withRuntime } from './with-runtime.js';
