// The linear layers of a transformer by themselves, in the shapes that its scales have: products of few rows are far from the rate
// of large square ones, since they read every weight for little work, and no transformer can be faster than these.

import {
  gemm,
  GraphBuilder,
  LINEAR,
  type MatrixSource,
  type Precision,
} from '../../src/runtime/graph/index.js';
import { float32Tensor, type Runtime } from '../../src/runtime/index.js';

/** Blocks that are measured: more weights than a processor's cache holds. */
const BLOCKS = 3;
const REPETITIONS = 5;

/** What is multiplied. */
interface Products {
  readonly width: number;
  readonly hidden: number;
  readonly blocks: number;
  /** Rows of the products of every scale. */
  readonly rows: readonly number[];
}

/** Seconds that the linear layers of all blocks take at all scales, the best of several runs each. */
export async function productSeconds(
  runtime: Runtime,
  { width, hidden, blocks, rows }: Products,
  precision: Precision,
): Promise<number> {
  const g = new GraphBuilder('products');
  const [narrow, wide] = [width, hidden].map((size) => g.input(`x${size}`, 'float32', ['M', size]));
  if (!narrow || !wide) throw new RangeError('two inputs are needed');
  const outputs: string[] = [];
  const layer = (x: typeof narrow, out: number): void => {
    const inner = x === wide ? hidden : width;
    const name = `w${outputs.length}`;
    const scale = 1 + outputs.length / 100; // equal weights would be shared
    const read = (): Float32Array =>
      Float32Array.from({ length: out * inner }, (_, i) => scale * (((i * 7919) % 1000) / 1000 - 0.5));
    const matrix: MatrixSource = { name, shape: [out, inner], read };
    const y = precision === 'float32' ? gemm(x, g.lazyWeight(name, matrix)) : LINEAR[precision](x, matrix);
    outputs.push(`y${outputs.length}`);
    g.output(outputs.at(-1) ?? '', y);
  };
  for (let block = 0; block < BLOCKS; block++) {
    for (let i = 0; i < 6; i++) layer(narrow, width); // queries, keys, values, projection; of cross-attention queries, projection
    layer(narrow, hidden);
    layer(wide, width);
  }
  const session = await runtime.load(g.build());
  let milliseconds = 0;
  for (const M of rows) {
    const inputs = Object.fromEntries(
      [width, hidden].map((size) => [
        `x${size}`,
        float32Tensor(new Float32Array(M * size).fill(0.3), [M, size]),
      ]),
    );
    let best = Infinity;
    for (let i = 0; i < REPETITIONS; i++) {
      const result = await session.run(inputs, { keep: outputs });
      best = Math.min(best, result.milliseconds);
      for (const name of outputs) result.kept(name).dispose();
    }
    milliseconds += best;
  }
  session.dispose();
  return (milliseconds * blocks) / BLOCKS / 1000;
}
