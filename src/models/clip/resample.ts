// Resizing exactly as Pillow does it for 8-bit pictures: bicubic (a = -0.5) with antialiasing, in two passes with bytes
// between them and whole-number weights. Port of libImaging/Resample.c (python-pillow), for a part of the result.

import { createImage, type Image } from '../../core/image.js';

/** The part of a resized picture that is wanted: `left` and `top` count in the resized picture. */
interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Bits behind the point of the weights, as Resample.c has them: 32 - 8 bits of a sample - 2 for overshoots. */
const PRECISION = 22;
const ONE = 1 << PRECISION;
const SUPPORT = 2;

/** The weights of every wanted place along one axis: `taps` samples from `starts[i]` on. */
interface Weights {
  readonly starts: Int32Array;
  readonly taps: Int32Array;
  /** [places, stride] */
  readonly factors: Int32Array;
  readonly stride: number;
}

/** The crop of `image` resized to `width` x `height`; equal to Pillow's `resize(..., BICUBIC).crop(...)` to the byte. */
export function resizeBicubic(image: Image, size: { width: number; height: number }, crop: Crop): Image {
  const rows =
    image.height === size.height ? undefined : weightsOf(image.height, size.height, crop.top, crop.height);
  const columns =
    image.width === size.width ? undefined : weightsOf(image.width, size.width, crop.left, crop.width);
  // Only the rows that the vertical pass reads go through the horizontal one.
  const first = rows ? (rows.starts[0] ?? 0) : crop.top;
  const last = rows ? (rows.starts.at(-1) ?? 0) + (rows.taps.at(-1) ?? 0) : crop.top + crop.height;
  const wide = columns
    ? resizeRows(image, first, last - first, columns)
    : cropOf(image, { ...crop, top: first, height: last - first });
  return rows ? resizeColumns(wide, first, rows) : wide;
}

/** Pillow's precompute_coeffs and normalize_coeffs_8bpc, for places `from` to `from + count` of `target`. */
function weightsOf(source: number, target: number, from: number, count: number): Weights {
  const scale = source / target;
  const filterScale = Math.max(scale, 1);
  const support = SUPPORT * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(count);
  const taps = new Int32Array(count);
  const factors = new Int32Array(count * stride);
  const row = new Float64Array(stride);
  for (let place = 0; place < count; place++) {
    const center = (from + place + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const length = Math.min(source, Math.trunc(center + support + 0.5)) - start;
    let sum = 0;
    for (let i = 0; i < length; i++) {
      row[i] = cubic((i + start - center + 0.5) / filterScale);
      sum += row[i] as number;
    }
    starts[place] = start;
    taps[place] = length;
    for (let i = 0; i < length; i++) {
      const factor = ((row[i] as number) / sum) * ONE;
      factors[place * stride + i] = Math.trunc(factor < 0 ? factor - 0.5 : factor + 0.5);
    }
  }
  return { starts, taps, factors, stride };
}

/** Keys' cubic convolution with a = -0.5. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

function byteOf(sum: number): number {
  const value = (sum + ONE / 2) >> PRECISION;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function resizeRows(image: Image, top: number, height: number, weights: Weights): Image {
  const { starts, taps, factors, stride } = weights;
  const width = starts.length;
  const result = new Uint8Array(width * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = (top + y) * image.width;
    for (let x = 0; x < width; x++) {
      const from = (row + (starts[x] as number)) * 3;
      const count = taps[x] as number;
      let [red, green, blue] = [0, 0, 0];
      for (let i = 0; i < count; i++) {
        const factor = factors[x * stride + i] as number;
        red += factor * (image.data[from + i * 3] as number);
        green += factor * (image.data[from + i * 3 + 1] as number);
        blue += factor * (image.data[from + i * 3 + 2] as number);
      }
      result[to++] = byteOf(red);
      result[to++] = byteOf(green);
      result[to++] = byteOf(blue);
    }
  }
  return createImage(width, height, result);
}

/** `top` is the row of the whole picture that this part of it starts with. */
function resizeColumns(image: Image, top: number, weights: Weights): Image {
  const { starts, taps, factors, stride } = weights;
  const height = starts.length;
  const samples = image.width * 3;
  const result = new Uint8Array(samples * height);
  for (let y = 0; y < height; y++) {
    const from = ((starts[y] as number) - top) * samples;
    const count = taps[y] as number;
    for (let x = 0; x < samples; x++) {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        sum += (factors[y * stride + i] as number) * (image.data[from + i * samples + x] as number);
      }
      result[y * samples + x] = byteOf(sum);
    }
  }
  return createImage(image.width, height, result);
}

/** A part of a picture at its own size. */
function cropOf(image: Image, { left, top, width, height }: Crop): Image {
  if (left === 0 && top === 0 && width === image.width && height === image.height) return image;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return createImage(width, height, data);
}
