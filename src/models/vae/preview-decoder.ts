// A decoder in 8 bits for pictures that are only judged. It is loaded when the first of them is decoded: a search of whole pictures
// never pays for it.

import type { Ledger } from '../../core/ledger.js';
import type { Runtime } from '../../runtime/index.js';
import { openVaeDecoder, type VaeDecoder } from './decoder.js';

/** The decoder of unfinished pictures; the caller closes it. */
export class PreviewDecoder {
  readonly #runtime: Runtime;
  readonly #path: string;
  #opened: Promise<VaeDecoder> | null = null;

  /** `path` is the checkpoint of the decoder of whole pictures. */
  constructor(runtime: Runtime, path: string) {
    this.#runtime = runtime;
    this.#path = path;
  }

  /** The decoder; loading it is told to the ledger. */
  open(ledger: Ledger): Promise<VaeDecoder> {
    return (this.#opened ??= ledger.time('load', () =>
      openVaeDecoder(this.#runtime, this.#path, { precision: 'int8' }),
    ));
  }

  async close(): Promise<void> {
    (await this.#opened?.catch(() => null))?.close();
  }
}
