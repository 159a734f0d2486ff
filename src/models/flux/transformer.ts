// FLUX's transformer, loaded: one forward for a batch of latents. A row's numbers do not depend on the rows beside it.

import { UsageError } from '../../core/errors.js';
import { checkReadout } from '../../core/readout.js';
import type { Precision } from '../../runtime/graph/index.js';
import { float32Tensor, type HostTensor, type Runtime, type Session } from '../../runtime/index.js';
import { openWeights } from '../../runtime/weights/index.js';
import { type FluxConfig, fluxConfig, type FluxHints } from './config.js';
import { sinusoids } from './embedding.js';
import { fluxTensors } from './names.js';
import { rotaryTable, type TokenIds } from './rotary.js';
import { buildFluxGraph } from './transformer-graph.js';

/** What a prompt conditions a picture by. */
export interface FluxText {
  /** T5's states, padding included, [tokens, context width]. */
  readonly states: Float32Array;
  readonly tokens: number;
  /** CLIP's pooled state before its projection, [vector width]. */
  readonly pooled: Float32Array;
}

/** One sequence of a batch. */
export interface FluxRow {
  /** The packed latent, [tokens, channels]. */
  readonly latent: Float32Array;
  readonly text: FluxText;
  /** 1 is noise, 0 the picture. */
  readonly time: number;
  /** The strength that was distilled into the model; only for models that take one. */
  readonly guidance?: number | undefined;
}

/** A loaded transformer; the caller closes it. */
export class FluxTransformer {
  /** The checkpoint's file, for hashes. */
  readonly file: string;
  readonly config: FluxConfig;
  readonly #session: Session;

  constructor(file: string, config: FluxConfig, session: Session) {
    this.file = file;
    this.config = config;
    this.#session = session;
  }

  /** Predictions (noise minus picture) [tokens, channels] of rows whose image tokens have these ids. Texts are of one length. */
  async predict(rows: readonly FluxRow[], ids: TokenIds): Promise<Float32Array[]> {
    const [first] = rows;
    if (!first) return [];
    const { channels, outChannels, contextWidth, vectorWidth } = this.config;
    const imageTokens = ids.length / 3;
    const textTokens = first.text.tokens;
    const table = rotaryTable(this.config, textTokens, ids);
    const half = table.cos.length / table.tokens;
    const batch = (name: string, dims: readonly number[], of: (row: FluxRow) => Float32Array): HostTensor =>
      stack(name, dims, rows.map(of));
    const result = await this.#session.run({
      latents: batch('latent', [imageTokens, channels], (row) => row.latent),
      text: batch('text', [textTokens, contextWidth], (row) => row.text.states),
      pooled: batch('pooled text', [vectorWidth], (row) => row.text.pooled),
      time: float32Tensor(sinusoids(rows.map((row) => row.time)), [rows.length, 256]),
      ...this.#guidance(rows),
      cos: float32Tensor(table.cos, [table.tokens, half]),
      sin: float32Tensor(table.sin, [table.tokens, half]),
    });
    const all = result.float32('prediction');
    checkReadout(this.file, "the transformer's predictions", all);
    const size = imageTokens * outChannels;
    return rows.map((_, i) => all.slice(i * size, (i + 1) * size));
  }

  close(): void {
    this.#session.dispose();
  }

  #guidance(rows: readonly FluxRow[]): Record<string, HostTensor> {
    const given = rows.flatMap(({ guidance }) => (guidance === undefined ? [] : [guidance]));
    if (this.config.guidance) {
      if (given.length < rows.length) {
        throw new UsageError(
          `${this.file} takes guidance as an input (it is a FLUX.1-dev): say how strong, such as 3.5`,
        );
      }
      return { guidance: float32Tensor(sinusoids(given), [rows.length, 256]) };
    }
    if (given.length === 0) return {};
    throw new UsageError(`${this.file} takes no guidance (it is a FLUX.1-schnell): leave guidance away`);
  }
}

/** Rows of one shape as one tensor. */
function stack(name: string, dims: readonly number[], rows: readonly Float32Array[]): HostTensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    if (row.length !== size) {
      throw new UsageError(
        `the ${name} of row ${i} has ${row.length} numbers, the transformer takes [${dims.join(', ')}]: ` +
          'it comes from another encoder or another size',
      );
    }
    data.set(row, i * size);
  });
  return float32Tensor(data, [rows.length, ...dims]);
}

/** How a transformer is opened. */
interface TransformerOptions {
  readonly hints?: FluxHints;
  /** @default float32 */
  readonly precision?: Precision;
}

/** Opens a transformer in either layout. Throws CheckpointError. */
export async function openFluxTransformer(
  runtime: Runtime,
  path: string,
  { hints = {}, precision }: TransformerOptions = {},
): Promise<FluxTransformer> {
  const source = openWeights(path);
  try {
    const weights = fluxTensors(source);
    const config = fluxConfig(weights, hints);
    const { model } = buildFluxGraph(config, weights, precision);
    const session = await runtime.load(model, { checkpoint: source.label });
    return new FluxTransformer(source.label, config, session);
  } finally {
    source.close();
  }
}
