// Resizing of planes as PyTorch's F.interpolate does it: 'linear' is bilinear (and trilinear over one frame) with
// align_corners=False and without antialiasing, 'area' is adaptive average pooling.

/** Height and width of a plane. */
export interface PlaneSize {
  readonly height: number;
  readonly width: number;
}

/** How a plane is resized. */
type Interpolation = 'linear' | 'area';

/** Up to two neighbours and their weights for every place of a resized axis. */
interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float32Array;
}

function linearTaps(from: number, to: number): Taps {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const weight = new Float32Array(to);
  const scale = Math.fround(from / to);
  for (let i = 0; i < to; i++) {
    const place = Math.max(0, Math.fround(Math.fround((i + 0.5) * scale) - 0.5));
    low[i] = Math.min(Math.floor(place), from - 1);
    high[i] = Math.min(Math.floor(place) + 1, from - 1);
    weight[i] = place - Math.floor(place);
  }
  return { low, high, weight };
}

/** The weights by which places of an axis make those of a resized one, as 'linear' does it: [from, to]. */
export function linearWeights(from: number, to: number): Float32Array {
  const weights = new Float32Array(from * to);
  const taps = linearTaps(from, to);
  for (let i = 0; i < to; i++) {
    const across = taps.weight[i] ?? 0;
    for (const [place, weight] of [
      [taps.low[i] ?? 0, 1 - across],
      [taps.high[i] ?? 0, across],
    ] as const) {
      weights[place * to + i] = (weights[place * to + i] ?? 0) + weight;
    }
  }
  return weights;
}

/** Resizes planes [channels, from.height, from.width] to [channels, to.height, to.width]; the result is a new array. */
export function interpolate(
  planes: Float32Array,
  channels: number,
  from: PlaneSize,
  to: PlaneSize,
  mode: Interpolation,
): Float32Array {
  if (planes.length !== channels * from.height * from.width) {
    throw new RangeError(
      `${planes.length} values are no ${channels} planes of ${from.height} x ${from.width}`,
    );
  }
  if (from.height === to.height && from.width === to.width) return planes.slice();
  const result = new Float32Array(channels * to.height * to.width);
  const resize = mode === 'linear' ? resizeLinear : resizeArea;
  for (let channel = 0; channel < channels; channel++) {
    const source = planes.subarray(
      channel * from.height * from.width,
      (channel + 1) * from.height * from.width,
    );
    const target = result.subarray(channel * to.height * to.width, (channel + 1) * to.height * to.width);
    resize(source, from, target, to);
  }
  return result;
}

function resizeLinear(source: Float32Array, from: PlaneSize, target: Float32Array, to: PlaneSize): void {
  const rows = linearTaps(from.height, to.height);
  const columns = linearTaps(from.width, to.width);
  for (let y = 0; y < to.height; y++) {
    const top = (rows.low[y] ?? 0) * from.width;
    const bottom = (rows.high[y] ?? 0) * from.width;
    const down = rows.weight[y] ?? 0;
    for (let x = 0; x < to.width; x++) {
      const left = columns.low[x] ?? 0;
      const right = columns.high[x] ?? 0;
      const across = columns.weight[x] ?? 0;
      const above = (1 - across) * (source[top + left] ?? 0) + across * (source[top + right] ?? 0);
      const below = (1 - across) * (source[bottom + left] ?? 0) + across * (source[bottom + right] ?? 0);
      target[y * to.width + x] = (1 - down) * above + down * below;
    }
  }
}

function resizeArea(source: Float32Array, from: PlaneSize, target: Float32Array, to: PlaneSize): void {
  for (let y = 0; y < to.height; y++) {
    const top = Math.floor((y * from.height) / to.height);
    const bottom = Math.ceil(((y + 1) * from.height) / to.height);
    for (let x = 0; x < to.width; x++) {
      const left = Math.floor((x * from.width) / to.width);
      const right = Math.ceil(((x + 1) * from.width) / to.width);
      let sum = 0;
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) sum += source[row * from.width + column] ?? 0;
      }
      target[y * to.width + x] = sum / ((bottom - top) * (right - left));
    }
  }
}
