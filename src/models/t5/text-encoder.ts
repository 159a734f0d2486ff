// A T5 encoder from a Hugging Face folder: token ids to states, and prompts to states.

import { RuntimeError } from '../../core/errors.js';
import { checkReadout } from '../../core/readout.js';
import type { Precision } from '../../runtime/graph/index.js';
import { int32Tensor, type Runtime, type Session } from '../../runtime/index.js';
import { openWeights, unwrapped } from '../../runtime/weights/index.js';
import { loadTokenizer, type TextTokenizer } from '../tokenizer.js';
import { readT5Config, type T5Config } from './config.js';
import { T5_ENCODER_TENSORS } from './files.js';
import { buildT5Encoder } from './graph.js';

/** States of one prompt's tokens, [tokens, channels], without padding. */
export interface TextStates {
  readonly states: Float32Array;
  readonly tokens: number;
}

/** Turns prompts into the states that condition an image model. */
export interface TextEncoder {
  /** The checkpoint's file, for hashes. */
  readonly file: string;
  /** States of a prompt, cut at `maxLength` tokens, the end token included. @default maxLength 512 */
  encode(prompt: string, maxLength?: number): Promise<TextStates>;
  close(): void;
}

/** Token ids of a batch of texts, row-major [texts, length]. */
interface TokenIds {
  readonly ids: Int32Array;
  /** 0 for keys that nobody sees. @default all are seen */
  readonly mask?: Int32Array;
  readonly length: number;
}

/** The longest prompt of the official pipelines, in tokens. */
const MAX_LENGTH = 512;

/** A loaded T5 encoder without a tokenizer. */
export class T5Encoder {
  readonly config: T5Config;
  /** The checkpoint's file, for hashes. */
  readonly file: string;
  readonly #session: Session;

  constructor(config: T5Config, file: string, session: Session) {
    this.config = config;
    this.file = file;
    this.#session = session;
  }

  /** The last hidden states [texts, length, width], rows of padding included. Throws for ids outside of the vocabulary. */
  async states({ ids, mask, length }: TokenIds): Promise<Float32Array> {
    const dims = [length > 0 ? ids.length / length : 0, length];
    const wrong = ids.find((id) => id < 0 || id >= this.config.vocabulary);
    if (wrong !== undefined) {
      throw new RuntimeError(
        `Token id ${wrong} is outside of the text encoder's vocabulary of ${this.config.vocabulary}: ` +
          'the tokenizer belongs to another model.',
      );
    }
    const result = await this.#session.run({
      input_ids: int32Tensor(ids, dims),
      attention_mask: int32Tensor(mask ?? new Int32Array(ids.length).fill(1), dims),
    });
    const states = result.float32('last_hidden_state');
    checkReadout(this.file, "the text encoder's states", states);
    return states;
  }

  close(): void {
    this.#session.dispose();
  }
}

const T5 = { marks: ['encoder.final_layer_norm.weight'] };

/** Opens the weights of a T5 folder (config.json and a checkpoint). The caller closes it. Throws CheckpointError. */
export async function openT5Weights(
  runtime: Runtime,
  folder: string,
  precision?: Precision,
): Promise<T5Encoder> {
  const config = readT5Config(folder);
  const weights = openWeights(folder, { tensors: T5_ENCODER_TENSORS });
  try {
    const graph = buildT5Encoder(config, unwrapped(weights, T5), precision);
    const session = await runtime.load(graph, { checkpoint: weights.label, seldom: true });
    return new T5Encoder(config, weights.label, session);
  } finally {
    weights.close();
  }
}

/** Opens a T5 folder with its tokenizer.json. The caller closes it. Throws CheckpointError. */
export async function openT5Encoder(
  runtime: Runtime,
  folder: string,
  precision?: Precision,
): Promise<TextEncoder> {
  const tokenizer: TextTokenizer = loadTokenizer(folder);
  const encoder = await openT5Weights(runtime, folder, precision);
  return {
    file: encoder.file,
    encode: async (prompt, maxLength = MAX_LENGTH) => {
      const { ids, length } = tokenizer.encode([prompt], { maxLength });
      return { states: await encoder.states({ ids, length }), tokens: length };
    },
    close: () => {
      encoder.close();
    },
  };
}
