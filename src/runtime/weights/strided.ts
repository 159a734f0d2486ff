// Copies a strided view of a flat storage into row-major order, whatever the element type.

/** A view: offset and strides count elements of the storage. */
interface StridedView {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Whether the view's elements lie one behind the other in row-major order (so that it is a plain range of the storage). */
export function isContiguous({ shape, strides }: StridedView): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i]!;
    if (size === 0) return true;
    if (size !== 1 && strides[i] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** Elements from the view's first to its last, both included; 0 when it is empty. */
export function spanOf({ shape, strides }: StridedView): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, size, i) => span + (size - 1) * strides[i]!, 1);
}

/** Gathers a view into row-major order; `bytes` starts at the view's first element, `width` is an element's bytes. */
export function gatherStrided(bytes: Uint8Array, width: number, view: StridedView): Uint8Array {
  if (width === 8) {
    // Two halves: neither doubles (NaN patterns) nor bigints (slow) are fit to carry 64 arbitrary bits.
    const strides = [...view.strides.map((stride) => stride * 2), 1];
    return gatherStrided(bytes, 4, { offset: view.offset * 2, shape: [...view.shape, 2], strides });
  }
  const count = view.shape.reduce((product, size) => product * size, 1);
  const out = new Uint8Array(count * width);
  if (count > 0) gather(patterns(bytes, width), patterns(out, width), view);
  return out;
}

type Patterns = Uint8Array | Uint16Array | Uint32Array;

function gather(source: Patterns, target: Patterns, { shape, strides }: StridedView): void {
  const rank = shape.length;
  const inner = shape[rank - 1] ?? 1;
  const innerStride = strides[rank - 1] ?? 1;
  const index = new Array<number>(rank).fill(0);
  let place = 0;
  for (let done = 0; done < target.length; done += inner) {
    for (let i = 0; i < inner; i++) target[done + i] = source[place + i * innerStride]!;
    // An odometer over the outer axes.
    for (let axis = rank - 2; axis >= 0; axis--) {
      place += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      place -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
}

/** Elements as bit patterns; the bytes are copied when they are not aligned. */
function patterns(bytes: Uint8Array, width: number): Patterns {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  if (width === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (width === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}
