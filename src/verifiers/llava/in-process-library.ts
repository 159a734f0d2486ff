// The only door to @huggingface/transformers, an optional package that is loaded when a model is. What we use of it is
// declared here: its own declarations leave most of it open.

import { createRequire } from 'node:module';

import { RuntimeError } from '../../core/errors.js';
import { isError } from '../../core/realm.js';

/** A tensor of Transformers.js. */
export interface TensorLike {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
  dispose(): void;
}

/** A tokenizer of Transformers.js. */
export interface TokenizerLike {
  readonly all_special_tokens: readonly string[];
  get_vocab(): ReadonlyMap<string, number>;
  encode(text: string, options: { readonly add_special_tokens: boolean }): readonly number[];
  apply_chat_template(messages: readonly unknown[], options: Readonly<Record<string, unknown>>): string;
}

/** A session of ONNX Runtime in a model. */
interface SessionLike {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  release(): Promise<void>;
}

/** A model of Transformers.js that reads pictures and texts. */
export interface ModelLike {
  readonly sessions: Readonly<Record<string, SessionLike>>;
  encode_text(inputs: { readonly input_ids: unknown }): Promise<TensorLike>;
  encode_image(inputs: { readonly pixel_values: unknown }): Promise<TensorLike>;
  forward(inputs: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, TensorLike>>>;
}

/** The package. */
export interface Library {
  readonly env: Record<string, unknown>;
  readonly LogLevel: { readonly NONE: number };
  readonly Tensor: new (
    type: string,
    data: Float32Array | BigInt64Array,
    dims: readonly number[],
  ) => TensorLike;
  readonly RawImage: new (data: Uint8Array, width: number, height: number, channels: 3) => unknown;
  readonly AutoTokenizer: { from_pretrained(folder: string): Promise<TokenizerLike> };
  readonly AutoImageProcessor: {
    from_pretrained(folder: string): Promise<(image: unknown) => Promise<{ pixel_values: TensorLike }>>;
  };
  readonly LlavaOnevisionForConditionalGeneration: {
    from_pretrained(folder: string, options: Readonly<Record<string, unknown>>): Promise<ModelLike>;
  };
}

/** Required, not imported: the bundle is there in both kinds, and tsx would spend 2 s on looking through the other one. */
const require = createRequire(import.meta.url);

/**
 * Loads the package, set up so that files come from a folder or not at all, nothing is stored elsewhere, and nothing is
 * printed. Throws a RuntimeError when it is there but does not load.
 */
export function loadLibrary(): Library {
  let library: Library;
  try {
    library = require('@huggingface/transformers') as Library;
  } catch (cause) {
    const message = isError(cause) ? cause.message : String(cause);
    throw new RuntimeError(`@huggingface/transformers cannot be loaded, install it again: ${message}`, {
      cause,
    });
  }
  Object.assign(library.env, {
    allowRemoteModels: false,
    allowLocalModels: true,
    useFSCache: false,
    useBrowserCache: false,
    useWasmCache: false,
    logLevel: library.LogLevel.NONE,
    fetch: () => Promise.reject(new Error('varsearch never loads models from the network')),
  });
  return library;
}
