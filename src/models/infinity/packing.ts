// Packed prefixes: the bits of all scales, eight a byte, behind a header of two bytes (version, number of scales).
// A prefix of a picture of 1024 pixels is 42 KB.

const VERSION = 1;
const HEADER = 2;

/** The bits of scales 1..k, in order, as one packed state. */
export function packBits(scales: readonly Uint8Array[]): Uint8Array {
  const state = new Uint8Array(lengthOf(scales.map(({ length }) => length)));
  state.set([VERSION, scales.length]);
  let at = 0;
  for (const bits of scales) {
    for (const bit of bits) {
      const byte = HEADER + (at >> 3);
      state[byte] = (state[byte] ?? 0) | (bit << (at & 7));
      at++;
    }
  }
  return state;
}

/** The bits of every scale of a packed state; throws a RangeError for a state of another version or of other sizes. */
export function unpackBits(state: Uint8Array, bitsPerScale: readonly number[]): Uint8Array[] {
  const [version, count = 0] = state;
  if (version !== VERSION) {
    throw new RangeError(
      `a packed prefix of version ${version ?? 'none'} cannot be read: this is version ${VERSION}`,
    );
  }
  if (count > bitsPerScale.length) {
    throw new RangeError(`a packed prefix of ${count} scales does not fit a model of ${bitsPerScale.length}`);
  }
  const sizes = bitsPerScale.slice(0, count);
  if (state.length !== lengthOf(sizes)) {
    throw new RangeError(
      `a packed prefix of ${count} scales has ${lengthOf(sizes)} bytes here, got ${state.length}: it is of another model or size`,
    );
  }
  let at = 0;
  return sizes.map((size) =>
    Uint8Array.from({ length: size }, () => {
      const bit = ((state[HEADER + (at >> 3)] ?? 0) >> (at & 7)) & 1;
      at++;
      return bit;
    }),
  );
}

function lengthOf(sizes: readonly number[]): number {
  return HEADER + Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / 8);
}
