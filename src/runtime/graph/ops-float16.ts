// Linear layers in 16-bit floating point, for GPUs: half of the memory, and their faster units. What goes in and comes out is float32,
// and so is the bias; an input beyond 65504 becomes infinite, which the layers that may see one have to be spared.

import { RuntimeError } from '../../core/errors.js';
import type { Value } from './builder.js';
import type { MatrixSource } from './ops-int8.js';
import { add, cast } from './ops-math.js';
import { formatShape } from './shapes.js';
import { transposed } from './transpose-data.js';

/** x [..., in] times the transposed matrix, plus bias [out], in float16: gives [..., out] in float32. */
export function linearFloat16(x: Value, matrix: MatrixSource, bias?: Value): Value {
  const g = x.graph;
  const [out, inner] = matrix.shape;
  if (x.shape.at(-1) !== inner) {
    throw new RuntimeError(`Layer ${matrix.name}: rows of ${inner} are wanted, not ${formatShape(x.shape)}.`);
  }
  const name = `${matrix.name}:float16`;
  const read = async (): Promise<Uint16Array> => halves(transposed(await matrix.read(), out, inner));
  const weight = g.once(name, () => g.lazyWeight(name, { shape: [inner, out], read }, 'float16'));
  // Layers of the same input share it.
  const half = g.once(`half:${x.name}`, () => cast(x, 'float16'));
  const shape = [...x.shape.slice(0, -1), out];
  const product = cast(g.op1('MatMul', { inputs: [half, weight], type: 'float16', shape }), 'float32');
  return bias ? add(product, bias) : product;
}

const bits = new DataView(new ArrayBuffer(4));

/** The bits of the nearest float16 of each number, ties to even; beyond 65504 infinite. */
export function halves(numbers: Float32Array): Uint16Array {
  return Uint16Array.from(numbers, half);
}

function half(number: number): number {
  bits.setFloat32(0, number);
  const whole = bits.getUint32(0);
  const sign = (whole >>> 16) & 0x8000;
  const magnitude = whole & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // not a number
  // From 65520 on the nearest would be 65536, which there is not.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below the smallest normal one, numbers are whole multiples of 2 ** -24.
    return sign | evenly(Math.abs(number) * 2 ** 24);
  }
  const kept = magnitude - 0x38000000;
  return sign | ((kept + 0xfff + ((kept >>> 13) & 1)) >>> 13);
}

/** The nearest whole number, ties to the even one. */
function evenly(number: number): number {
  const below = Math.floor(number);
  const rest = number - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
