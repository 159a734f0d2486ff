// What a prompt conditions FLUX by (flux/modules/conditioner.py): T5's states at the full padded length without a mask, and
// CLIP's pooled state before its projection.

import { CheckpointError, UsageError } from '../../core/errors.js';
import type { FileHashes } from '../../core/hash.js';
import { checkReadout } from '../../core/readout.js';
import type { Precision } from '../../runtime/graph/index.js';
import type { Runtime } from '../../runtime/index.js';
import { type ClipTowers, openTowers } from '../clip/towers.js';
import { T5_ENCODER_TENSORS } from '../t5/files.js';
import { openT5Weights, type T5Encoder } from '../t5/text-encoder.js';
import { type TextEncoderFiles, textEncoderHashes } from '../text-hashes.js';
import { loadTokenizer, type TextTokenizer } from '../tokenizer.js';
import type { FluxConfig } from './config.js';
import type { EncoderFiles } from './folder.js';
import type { FluxText } from './transformer.js';

/** Both text encoders of a FLUX; the caller closes them. */
export class FluxTextEncoder {
  readonly #t5: T5Encoder;
  readonly #clip: ClipTowers;
  readonly #tokenizers: { readonly t5: TextTokenizer; readonly clip: TextTokenizer };
  readonly #files: { readonly t5: EncoderFiles; readonly clip: EncoderFiles };
  readonly #length: number;

  constructor(
    parts: {
      readonly t5: T5Encoder;
      readonly clip: ClipTowers;
      readonly tokenizers: { readonly t5: TextTokenizer; readonly clip: TextTokenizer };
      readonly files: { readonly t5: EncoderFiles; readonly clip: EncoderFiles };
    },
    length: number,
  ) {
    this.#t5 = parts.t5;
    this.#clip = parts.clip;
    this.#tokenizers = parts.tokenizers;
    this.#files = parts.files;
    this.#length = length;
  }

  /** SHA-256 of the weights, configurations and tokenizers of both. */
  async hashes(): Promise<FileHashes> {
    const { t5, clip } = this.#files;
    const filesOf = (file: string, { weights, tokenizer }: EncoderFiles): TextEncoderFiles => ({
      weights: file,
      folder: weights,
      tokenizer,
    });
    return {
      ...(await textEncoderHashes('t5', filesOf(this.#t5.file, t5), T5_ENCODER_TENSORS)),
      ...(await textEncoderHashes('clipText', filesOf(this.#clip.file, clip))),
    };
  }

  /** States of a prompt; what is longer than the padded length is cut. */
  async encode(prompt: string): Promise<FluxText> {
    const length = this.#length;
    const { ids } = this.#tokenizers.t5.encode([prompt], { maxLength: length, padTo: length });
    const context = this.#clip.config.text?.context ?? 0;
    const tokens = this.#tokenizers.clip.encode([prompt], { maxLength: context, padTo: context });
    const [states, run] = await Promise.all([
      this.#t5.states({ ids, length }),
      this.#clip.runText(tokens.ids, 1, ['pooler_output']),
    ]);
    const pooled = run.float32('pooler_output');
    checkReadout(this.#clip.file, "the text tower's pooled state", pooled);
    return { states, tokens: length, pooled };
  }

  close(): void {
    this.#t5.close();
    this.#clip.close();
  }
}

/**
 * Opens the text encoders of a FLUX whose sizes are `config`'s; T5's tokens are padded to `textLength`, and its linear layers computed in `precision`. Throws CheckpointError
 * when a file is missing or belongs to another model.
 */
export async function openFluxText(
  runtime: Runtime,
  files: { readonly t5: EncoderFiles; readonly clip: EncoderFiles },
  config: Pick<FluxConfig, 'contextWidth' | 'vectorWidth'>,
  { textLength: length, precision }: { readonly textLength: number; readonly precision?: Precision },
): Promise<FluxTextEncoder> {
  if (!Number.isInteger(length) || length < 1) {
    throw new UsageError(`the length of padded text should be a whole number above 0, got ${length}`);
  }
  const tokenizers = {
    // The official code calls Python's tokenizer over SentencePiece, not the one that tokenizer.json was made for.
    t5: loadTokenizer(files.t5.tokenizer, { sentencePiece: true }),
    clip: loadTokenizer(files.clip.tokenizer),
  };
  const t5 = await openT5Weights(runtime, files.t5.weights, precision);
  try {
    check(t5.file, 'T5', t5.config.width, config.contextWidth);
    const clip = await openTowers(runtime, files.clip.weights, { towers: ['text'] });
    try {
      check(clip.file, 'CLIP text', clip.config.text?.width, config.vectorWidth);
      return new FluxTextEncoder({ t5, clip, tokenizers, files }, length);
    } catch (error) {
      clip.close();
      throw error;
    }
  } catch (error) {
    t5.close();
    throw error;
  }
}

function check(file: string, what: string, found: number | undefined, wanted: number): void {
  if (found === wanted) return;
  const has = found === undefined ? 'has no text tower' : `gives states of ${found} channels`;
  throw new CheckpointError(
    file,
    `${has}, the transformer reads ${wanted}: it is not the ${what} encoder of this model`,
  );
}
