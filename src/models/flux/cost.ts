// What a FLUX costs, in operations, parameters and bytes, from the sizes alone: known before any weight is fetched.

import { type FluxConfig, SINUSOID_WIDTH } from './config.js';

/** The tokens of one sequence. */
export interface SequenceSize {
  readonly imageTokens: number;
  /** Padding included: FLUX attends to it. */
  readonly textTokens: number;
}

/** Multiplications of a step's linear layers by what they run over, and of its attentions. */
interface Multiplications {
  /** Once a sequence: embeddings of time, guidance and pooled text, and the modulations. */
  readonly vector: number;
  readonly perText: number;
  readonly perImage: number;
  /** Per token of text and image. */
  readonly perToken: number;
  /** Per pair of tokens. */
  readonly perPair: number;
}

function multiplications(config: FluxConfig): Multiplications {
  const { width, hidden, depth, singleDepth, channels, outChannels, contextWidth, vectorWidth } = config;
  const square = width * width;
  const embedder = (inner: number): number => inner * width + square;
  const sinusoids = config.guidance ? 2 : 1;
  const stream = 4 * square + 2 * width * hidden; // q, k, v, projection; two layers of the MLP
  return {
    vector:
      sinusoids * embedder(SINUSOID_WIDTH) +
      embedder(vectorWidth) +
      (12 * depth + 3 * singleDepth + 2) * square,
    perText: contextWidth * width + depth * stream,
    perImage: channels * width + depth * stream + width * outChannels,
    perToken: singleDepth * stream,
    perPair: 2 * (depth + singleDepth) * width,
  };
}

/** Floating-point operations of one forward of one sequence: its matrix products, attention included (two per multiplication). */
export function fluxStepFlops(config: FluxConfig, { imageTokens, textTokens }: SequenceSize): number {
  const { vector, perText, perImage, perToken, perPair } = multiplications(config);
  const tokens = imageTokens + textTokens;
  return (
    2 * (vector + perText * textTokens + perImage * imageTokens + perToken * tokens + perPair * tokens ** 2)
  );
}

/** The number of a transformer's parameters. */
export function fluxParameters(config: FluxConfig): number {
  const { width, heads, hidden, depth, singleDepth, outChannels, guidance, qkvBias } = config;
  const { vector, perText, perImage, perToken } = multiplications(config);
  const norms = (2 * width) / heads;
  const embedders = 2 * width * (guidance ? 3 : 2) + 2 * width;
  const stream = 6 * width + (qkvBias ? 3 * width : 0) + width + hidden + width + norms;
  const single = 3 * width + (3 * width + hidden) + width + norms;
  const biases = embedders + 2 * depth * stream + singleDepth * single + 2 * width + outChannels;
  return vector + perText + perImage + perToken + biases;
}

/** Bytes of a sequence's latent, which is all that is kept between two steps. */
export function latentBytes({ channels }: FluxConfig, imageTokens: number): number {
  return 4 * channels * imageTokens;
}

/** Bytes that one sequence needs while a forward runs: activations of the widest block, in float32. */
export function fluxForwardBytes(config: FluxConfig, { imageTokens, textTokens }: SequenceSize): number {
  const { width, hidden } = config;
  // The residual, its norm, the joined projection and its parts turned, the attention's result, the hidden layer twice.
  return 4 * (imageTokens + textTokens) * (12 * width + 2 * hidden);
}
