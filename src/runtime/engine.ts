// The only door to ONNX Runtime. Runs in the worker: onnxruntime-node blocks its thread while it loads and runs.

import { env, InferenceSession, Tensor } from 'onnxruntime-node';

import type { ElementType, TensorData, TensorInfo } from './graph/index.js';
import type { EngineOptions, ModelPayload, WireTensor } from './protocol.js';

/** One loaded model. */
export interface EngineSession {
  readonly inputs: TensorInfo[];
  readonly outputs: TensorInfo[];
  /**
   * Runs the model with its inputs in order; gives the outputs of these numbers, which own their memory. Others are written `into`
   * tensors, by their numbers.
   */
  run(
    inputs: readonly (WireTensor | undefined)[],
    outputs: Int32Array,
    into?: ReadonlyMap<number, WireTensor>,
  ): Promise<WireTensor[]>;
  release(): Promise<void>;
}

/** Log severities of ONNX Runtime: 4 is fatal only; errors are thrown anyway, and the library never prints. */
const LOG_SEVERITY = 4;
env.logLevel = 'fatal';

/**
 * Measured with the decoder of 15 pictures over 29 changing shapes, 2-core machine: without the arena the same runs take a
 * fifth more processor time and twice the memory (320 MB against 640 to 830 MB), since large blocks go back to the system
 * each time; memory patterns, made per shape, save no time and take 10% more memory. Spinning threads take half as much
 * processor time again when others want the cores, so that they are an option; they stop at the end of a run.
 */
function sessionOptions(options: EngineOptions): InferenceSession.SessionOptions {
  return {
    // What a device has no kernel for runs on the CPU, which the engine adds by itself.
    executionProviders: [options.device],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    enableCpuMemArena: options.arena,
    enableMemPattern: false,
    logSeverityLevel: LOG_SEVERITY,
    extra: {
      session: {
        intra_op: { allow_spinning: options.spinning ? '1' : '0' },
        force_spinning_stop: '1',
        disable_prepacking: options.prepack ? '0' : '1',
      },
    },
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
    run: async (inputs, outputs, into = new Map()) => {
      const feeds: Record<string, Tensor> = {};
      inputs.forEach((input, i) => {
        const name = session.inputNames[i];
        if (input && name !== undefined) feeds[name] = tensorFrom(input);
      });
      const names = Array.from(outputs, (number) => session.outputNames[number] ?? '');
      const fetches: Record<string, Tensor | null> = Object.fromEntries(names.map((name) => [name, null]));
      for (const [number, tensor] of into) fetches[session.outputNames[number] ?? ''] = tensorFrom(tensor);
      const results = await session.run(feeds, fetches);
      return names.map((name) => {
        const tensor = results[name];
        if (!tensor) throw new Error(`the model gave no output ${name}`);
        return { type: tensor.type as ElementType, dims: tensor.dims, data: tensor.data as TensorData };
      });
    },
    release: async () => {
      if (options.profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

function tensorFrom({ type, data, dims }: WireTensor): Tensor {
  return new Tensor(type as 'float32', data as Float32Array, dims);
}

function tensorInfo(value: InferenceSession.ValueMetadata): TensorInfo {
  if (!value.isTensor) throw new Error(`input or output ${value.name} is no tensor`);
  return {
    name: value.name,
    type: value.type as ElementType,
    shape: value.shape.map((dim) => (dim === '' ? '?' : dim)),
  };
}
