// Tries a device out: first whether what it needs is there at all, since the engine and the graphics library it uses write to
// stderr where it is not, and then with a small model, whose results are compared with those of this thread.

import { cudaFault, describeFault, softwareDriver, webgpuFault } from './device-faults.js';
import type { Device, DeviceFound } from './devices.js';
import { loadSession } from './engine.js';
import { cast, GraphBuilder, type GraphModel, multiHeadAttention } from './graph/index.js';

/** More queries than a fused kernel takes at a time, of heads as wide as those of a small model. */
const QUERIES = 40;
const WIDTH = 16;
/** Errors of a kernel that is wrong are a thousand times as large; those of one in float32 a hundredth. */
const TOLERANCE = 1e-4;

/** What becomes of a device. */
export async function probe(device: Device): Promise<DeviceFound> {
  const missing = { cpu: () => null, webgpu: webgpuFault, cuda: cudaFault }[device]();
  const nothing = { doubt: null, fusedAttention: false, float16: false };
  if (missing !== null) return { fault: missing, ...nothing };
  const graph = attention();
  try {
    const fusedAttention = await isRight(graph, device);
    if (!fusedAttention && !(await isRight(graph.unfused?.() ?? graph, device))) {
      const fault = 'its results are wrong: another driver, or another version of this one, may help';
      return { fault, ...nothing };
    }
    const software = device === 'webgpu' ? softwareDriver() : null;
    const doubt =
      software === null ? null : `only the software driver ${software}, slower than the CPU itself`;
    return { fault: null, doubt, fusedAttention, float16: await hasFloat16(device) };
  } catch (error) {
    return { fault: describeFault(device, error), ...nothing };
  }
}

/** Some GPUs' drivers cannot compute in it, and say so when a model runs. */
async function hasFloat16(device: Device): Promise<boolean> {
  const g = new GraphBuilder('probe-float16');
  const x = g.input('x', 'float32', [1, QUERIES, WIDTH]);
  g.output('y', cast(cast(x, 'float16'), 'float32'));
  return await run(g.build(), device).then(
    () => true,
    () => false,
  );
}

function attention(): GraphModel {
  const g = new GraphBuilder('probe');
  const x = g.input('x', 'float32', [1, QUERIES, WIDTH]);
  const { output } = multiHeadAttention({ heads: 1, query: x, key: x, value: x, scale: 1 });
  g.output('y', output);
  return g.build();
}

const INPUT = Float32Array.from({ length: QUERIES * WIDTH }, (_, i) => Math.sin(i * i));

async function run(graph: GraphModel, device: Device): Promise<readonly number[]> {
  const session = await loadSession(
    { proto: graph.proto, files: [] },
    { device, threads: 1, spinning: false, arena: true, prepack: true },
  );
  try {
    const input = { type: 'float32', dims: [1, QUERIES, WIDTH], data: INPUT } as const;
    const [found] = await session.run([input], Int32Array.of(0));
    return Array.from(found?.data ?? [], Number);
  } finally {
    await session.release();
  }
}

async function isRight(graph: GraphModel, device: Device): Promise<boolean> {
  const found = await run(graph, device);
  return expected(INPUT).every((value, i) => Math.abs(value - Number(found[i])) < TOLERANCE);
}

/** Attention of rows to themselves: softmax(x x^T) x. */
function expected(data: Float32Array): Float64Array {
  const row = (i: number): Float32Array => data.subarray(i * WIDTH, (i + 1) * WIDTH);
  const result = new Float64Array(data.length);
  for (let i = 0; i < QUERIES; i++) {
    const scores = Array.from({ length: QUERIES }, (_, j) =>
      Math.exp(row(i).reduce((sum, value, c) => sum + value * Number(row(j)[c]), 0)),
    );
    const total = scores.reduce((sum, score) => sum + score, 0);
    for (let c = 0; c < WIDTH; c++) {
      result[i * WIDTH + c] = scores.reduce((sum, score, j) => sum + (score / total) * Number(row(j)[c]), 0);
    }
  }
  return result;
}
