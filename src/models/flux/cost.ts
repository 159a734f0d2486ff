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
  /** Of those but attention, what is not in the blocks: once a sequence or a token. */
  readonly ends: number;
}

function multiplications(config: FluxConfig): Multiplications {
  const { width, hidden, depth, singleDepth, channels, outChannels, contextWidth, vectorWidth } = config;
  const square = width * width;
  const embedder = (inner: number): number => inner * width + square;
  const sinusoids = config.guidance ? 2 : 1;
  const stream = 4 * square + 2 * width * hidden; // q, k, v, projection; two layers of the MLP
  const vectorEnds = sinusoids * embedder(SINUSOID_WIDTH) + embedder(vectorWidth) + 2 * square;
  const textEnd = contextWidth * width;
  const imageEnds = channels * width + width * outChannels;
  return {
    vector: vectorEnds + (12 * depth + 3 * singleDepth) * square,
    perText: textEnd + depth * stream,
    perImage: imageEnds + depth * stream,
    perToken: singleDepth * stream,
    perPair: 2 * (depth + singleDepth) * width,
    ends: vectorEnds + textEnd + imageEnds,
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

/** The parameters of a transformer by what they are. */
interface Parameters {
  /** Of the matrices of the blocks' linear layers, and the rows of all of them together. */
  readonly blocks: number;
  readonly rows: number;
  /** Of the matrices before and after the blocks. */
  readonly ends: number;
  /** Biases and the factors of norms. */
  readonly rest: number;
}

function parameters(config: FluxConfig): Parameters {
  const { width, heads, hidden, depth, singleDepth, outChannels, guidance, qkvBias } = config;
  const { vector, perText, perImage, perToken, ends } = multiplications(config);
  // Two norms of a head's width a stream; a layer's rows are as many as its biases, but for a projection without.
  const norms = (2 * depth + singleDepth) * ((2 * width) / heads);
  const embedders = 2 * width * (guidance ? 3 : 2) + 2 * width;
  const stream = 6 * width + 3 * width + width + hidden + width;
  const single = 3 * width + (3 * width + hidden) + width;
  const rows = 2 * depth * stream + singleDepth * single;
  const biases = rows + embedders + 2 * width + outChannels - (qkvBias ? 0 : 2 * depth * 3 * width);
  return { blocks: vector + perText + perImage + perToken - ends, rows, ends, rest: biases + norms };
}

/** The number of a transformer's parameters. */
export function fluxParameters(config: FluxConfig): number {
  const { blocks, ends, rest } = parameters(config);
  return blocks + ends + rest;
}

/** How a graph holds the matrices of its blocks' linear layers: int8 with a factor a row. Everything else is float32 or float16. */
export type WeightPrecision = 'float32' | 'float16' | 'int8';

/** Bytes of a transformer's weights in a graph. A file in float8 holds one byte a parameter (`fluxParameters`). */
export function fluxWeightBytes(config: FluxConfig, precision: WeightPrecision): number {
  const { blocks, rows, ends, rest } = parameters(config);
  if (precision === 'int8') return blocks + 4 * (rows + ends + rest);
  return (precision === 'float16' ? 2 : 4) * (blocks + ends + rest);
}

/** What a transformer needs in memory, in bytes. */
export interface FluxMemory {
  readonly weights: number;
  /** While a forward runs. */
  readonly activations: number;
  /** Of prefixes that live: a latent and a prediction each. */
  readonly latents: number;
  readonly total: number;
}

/** What is run at once. */
export interface FluxLoad extends SequenceSize {
  readonly precision: WeightPrecision;
  /** Sequences of one forward: with real guidance two a picture. */
  readonly sequences: number;
  /** Prefixes that live at once. */
  readonly prefixes: number;
}

/** The memory of a transformer by arithmetic, before any file is there. */
export function fluxMemory(
  config: FluxConfig,
  { precision, sequences, prefixes, ...sequence }: FluxLoad,
): FluxMemory {
  const weights = fluxWeightBytes(config, precision);
  const activations = sequences * fluxForwardBytes(config, sequence);
  const latents = prefixes * 2 * latentBytes(config, sequence.imageTokens);
  return { weights, activations, latents, total: weights + activations + latents };
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
