// What decoding a picture costs, from the sizes of a VAE alone: the same that its graph counts (graph.ts), which needs the names
// and shapes of its weights.

/** Pictures that take more than this together are no faster together than one after the other. */
const TOGETHER_BYTES = 2 ** 28;

/** How many pictures that take `each` bytes are decoded together within a number of bytes; at least one. */
export function decodedTogether(each: number, bytes: number): number {
  return Math.max(1, Math.floor(Math.min(bytes, TOGETHER_BYTES) / each));
}

/** The sizes of a picture VAE's decoder, under the names of the official code (infinity/models/bsq_vae, flux/modules/autoencoder.py). */
export interface VaeSizes {
  /** Channels of the latent. */
  readonly channels: number;
  /** Channels of the finest level. */
  readonly base: number;
  /** What each level has of those, the finest first. */
  readonly multipliers: readonly number[];
  /** Blocks of a level of the encoder; the decoder has one more. */
  readonly blocks: number;
  /** Whether there is an attention in its middle. */
  readonly attention: boolean;
}

/** Floating-point operations of the convolutions, and of the attention, of decoding a picture of so many pixels. */
export function decoderFlops(
  sizes: VaeSizes,
  { width, height }: Readonly<Record<'width' | 'height', number>>,
): number {
  const { channels, base, multipliers, blocks, attention } = sizes;
  const places = (width * height) / 4 ** (multipliers.length - 1);
  const coarsest = base * (multipliers.at(-1) ?? 1);
  const conv = (inner: number, out: number, kernel = 3): number => 2 * inner * out * kernel ** 2;
  const block = (inner: number, out: number): number =>
    conv(inner, out) + conv(out, out) + (inner === out ? 0 : conv(inner, out, 1));
  const middle = 2 * block(coarsest, coarsest) + (attention ? 4 * conv(coarsest, coarsest, 1) : 0);
  let flops = places * (conv(channels, coarsest) + middle);
  if (attention) flops += 4 * coarsest * places ** 2;
  let inner = coarsest;
  multipliers.toReversed().forEach((multiplier, i, { length }) => {
    const out = base * multiplier;
    const here = places * 4 ** i;
    flops += here * (block(inner, out) + blocks * block(out, out));
    // All but the finest level are followed by one of twice the side.
    if (i < length - 1) flops += 4 * here * conv(out, out);
    inner = out;
  });
  return flops + width * height * conv(inner, 3);
}
