// The only door to ONNX Runtime. Runs in the worker: onnxruntime-node blocks its thread while it loads and runs.

import { InferenceSession, Tensor } from 'onnxruntime-node';

import type { ElementType, TensorData, TensorInfo } from './graph/index.js';
import type { EngineOptions, ModelPayload, WireTensor } from './protocol.js';

/** One loaded model. */
export interface EngineSession {
  readonly inputs: TensorInfo[];
  readonly outputs: TensorInfo[];
  /** Runs the model; the results own their memory. */
  run(inputs: ReadonlyMap<string, WireTensor>, outputs: readonly string[]): Promise<Map<string, WireTensor>>;
  release(): Promise<void>;
}

/** Log severities of ONNX Runtime: 4 is fatal only; errors are thrown anyway, and the library never prints. */
const LOG_SEVERITY = 4;

function sessionOptions(options: EngineOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    enableCpuMemArena: options.arena,
    enableMemPattern: false,
    logSeverityLevel: LOG_SEVERITY,
    extra: { session: { intra_op: { allow_spinning: options.spinning ? '1' : '0' } } },
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
  };
}

/** Loads a model. */
export async function loadSession(model: ModelPayload, options: EngineOptions): Promise<EngineSession> {
  const base = sessionOptions(options);
  const session =
    'path' in model
      ? await InferenceSession.create(model.path, base)
      : await InferenceSession.create(model.proto, { ...base, externalData: [...model.files] });
  return {
    inputs: session.inputMetadata.map(tensorInfo),
    outputs: session.outputMetadata.map(tensorInfo),
    run: async (inputs, outputs) => {
      const feeds: Record<string, Tensor> = {};
      for (const [name, { type, dims, data }] of inputs) {
        feeds[name] = new Tensor(type as 'float32', data as Float32Array, dims);
      }
      const results = await session.run(feeds, outputs);
      const found = new Map<string, WireTensor>();
      for (const name of outputs) {
        const tensor = results[name];
        if (!tensor) throw new Error(`the model gave no output ${name}`);
        found.set(name, {
          type: tensor.type as ElementType,
          dims: tensor.dims,
          data: tensor.data as TensorData,
        });
      }
      return found;
    },
    release: async () => {
      if (options.profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

function tensorInfo(value: InferenceSession.ValueMetadata): TensorInfo {
  if (!value.isTensor) throw new Error(`input or output ${value.name} is no tensor`);
  return {
    name: value.name,
    type: value.type as ElementType,
    shape: value.shape.map((dim) => (dim === '' ? '?' : dim)),
  };
}
