// What the numbers of a model's configuration can be. Each range is wider than any published model needs; the comments name
// the largest that we know.

/** Both ends count. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

const upTo = (most: number, least = 1): Range => ({ least, most });

/** The ranges, by what they are of. */
export const RANGES = {
  /** Channels of states and embeddings: T5-XXL 4096, Infinity-20B 5120. */
  width: upTo(65_536),
  /** Width of feed-forward layers: T5-11B 65,536. */
  hidden: upTo(524_288),
  /** Blocks of a transformer: FLUX 57. */
  layers: upTo(256),
  heads: upTo(1024),
  /** Channels of one head: 256. */
  headWidth: upTo(4096),
  /** Tokens that a tokenizer knows: Gemma's 262,144. */
  vocabulary: upTo(2 ** 22),
  token: upTo(2 ** 22, 0),
  /** Tokens of a text: Infinity 512. */
  textLength: upTo(32_768),
  /** What is added to a variance: BERT 1e-12, at most 1e-3 anywhere. */
  epsilon: upTo(0.1, 1e-15),

  /** T5: 32 buckets, in both directions; fewer than 4 leave none for exact distances. */
  buckets: upTo(4096, 4),
  /** T5: 128 places. */
  distance: upTo(16_384),

  /** Side of the pictures that an image tower takes: SigLIP 512. */
  imageSide: upTo(4096),
  patch: upTo(256),
  /** Mean of a colour channel in 0..1, or in -1..1. */
  mean: upTo(2, -2),
  /** Its deviation, which pixels are divided by. */
  deviation: upTo(10, 1e-3),

  /** Scales of Infinity: 13. */
  scales: upTo(64),
  /** Rows of the level embedding: 15. */
  levels: upTo(1024),
  /** Side of a scale in tokens: 111. */
  scaleSide: upTo(512),
  /** Tokens of all scales together: 10,521. */
  scaleTokens: upTo(65_536),
  /** Hidden over width: 4. */
  ratio: upTo(64),
  /** Bits of a token: 64. */
  bits: upTo(1024),
  /** Height over width of a picture. */
  aspect: upTo(100, 0.01),
  /** Guidance: 1 to 10; 0 draws without the prompt, and below there is nothing that a prompt asks for. */
  guidance: upTo(1000, 0),
  temperature: upTo(1000, 1e-6),

  /** Levels of an autoencoder, and blocks of one level: 5 and 3. */
  levelsOfVae: upTo(16),
  blocksOfLevel: upTo(32, 0),
  /** Side of a picture in pixels. */
  pixels: upTo(16_384),
  /** Denoising steps: 28 to 100; the models know a thousand times. */
  steps: upTo(1000),
  /** FLUX moves its times by exp(0.5) to exp(1.15). */
  shift: upTo(20, -20),
  /** FLUX divides latents by 0.3611 and adds 0.1159. */
  latentScale: upTo(1e4, 1e-4),
  latentShift: upTo(1e4, -1e4),
  /** Base of rotary frequencies: 10,000, in text models up to 5e6. */
  theta: upTo(1e9),
  /** Channels of a head that one rotary axis takes: FLUX 56. */
  axis: upTo(4096, 2),

  /** ImageReward takes 0.167 off, and divides by 1.033. */
  rewardMean: upTo(1e6, -1e6),
  rewardDeviation: upTo(1e6, 1e-6),
} as const satisfies Record<string, Range>;
