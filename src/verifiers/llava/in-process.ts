// LLaVA-OneVision on this machine: Transformers.js and the ONNX files of llava-hf/llava-onevision-qwen2-0.5b-ov-hf answer
// a yes-or-no question about each picture (question.ts); the score is the share of yes, 0..1. The model lives in a process
// of its own. @huggingface/transformers is an optional package, loaded when a model is opened.

import { availableParallelism } from 'node:os';

import { UsageError } from '../../core/errors.js';
import { textHash } from '../../core/hash.js';
import type { Ledger } from '../../core/ledger.js';
import { elsewhere, Line } from '../../runtime/rpc/index.js';
import type { Judge, Verifier } from '../contract.js';
import {
  LLAVA_REPOSITORY,
  type LlavaDtype,
  llavaHashes,
  type LlavaPart,
  missingLlavaFiles,
  readLlavaFolder,
} from './in-process-files.js';
import { INSTALL_LLAVA, packageFault } from './in-process-package.js';
import type { LlavaMethods, LlavaStats } from './in-process-protocol.js';
import { createQuestion, type Question, yesShare } from './question.js';

/** Options of LLaVA-OneVision in process. */
export interface LlavaOptions {
  /** The folder of llava-hf/llava-onevision-qwen2-0.5b-ov-hf, with `onnx/` in it. */
  readonly folder: string;
  /** The verifier's name. @default 'llava' */
  readonly name?: string;
  /** What is asked, with {prompt} where the prompt belongs. @default DEFAULT_QUESTION of question.ts */
  readonly question?: string;
  /** Precision of the ONNX files, of all parts or part by part. @default the most exact one that the folder has */
  readonly dtype?: LlavaDtype | Partial<Record<LlavaPart, LlavaDtype>>;
  /** Threads of the engine. @default the number of cores */
  readonly threads?: number;
}

/** LLaVA-OneVision, and what its worker holds. */
export interface LlavaVerifier extends Verifier {
  stats(): Promise<LlavaStats>;
}

/**
 * Opens LLaVA-OneVision; the caller closes it. Nothing comes from the network. Throws CheckpointError for files that are
 * missing or wrong, and UsageError for options that cannot be or when the package is not installed.
 */
export async function openLlava(options: LlavaOptions): Promise<LlavaVerifier> {
  const { name = 'llava', threads = availableParallelism() } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(`threads has to be a whole number from 1 on, not ${threads}.`);
  }
  const question = createQuestion(options.question);
  const folder = await readLlavaFolder(options.folder, options.dtype);
  checkPackage();
  const worker = new Line<LlavaMethods>(elsewhere(import.meta.url, 'in-process-worker'), {
    worker: 'The worker of LLaVA',
    closed: 'LLaVA has been closed; open it again.',
    remedy: 'Open it again.',
  });
  try {
    await worker.call('load', { folder, threads });
  } catch (error) {
    await worker.close();
    throw error;
  }
  let prompts = 0;
  return {
    name,
    hashes: async () => ({
      ...(await llavaHashes(folder)),
      question: textHash(question.template),
    }),
    prepare: (prompt, ledger) => prepare({ worker, question, number: prompts++ }, prompt, ledger),
    stats: () => worker.call('stats'),
    isBroken: () => worker.isBroken,
    close: () => worker.close(),
  };
}

/** True when folder and package are there, or what is missing and where it comes from, in one line. */
export function isLlavaInstalled(folder: string): true | string {
  const missing = missingLlavaFiles(folder);
  if (missing.length > 0) {
    return `files are missing: ${folder} lacks ${missing.join(', ')} of ${LLAVA_REPOSITORY} (Hugging Face); 'varsearch pull llava' fetches them`;
  }
  return llavaPackage();
}

/** True when the package that runs the model is there, or what is wrong, in one line. */
export function llavaPackage(): true | string {
  const fault = packageFault(import.meta.url);
  return fault === undefined || `the package ${fault}: ${INSTALL_LLAVA}`;
}

/** Throws a UsageError when the package, as a module finds it, cannot be used. @internal */
export function checkPackage(from: string = import.meta.url): void {
  const fault = packageFault(from);
  if (fault === undefined) return;
  throw new UsageError(
    `LLaVA in process needs the package ${fault}: ${INSTALL_LLAVA}, or use LLaVA through an endpoint`,
  );
}

interface Host {
  readonly worker: Line<LlavaMethods>;
  readonly question: Question;
  /** Numbers the prompt in the worker. */
  readonly number: number;
}

async function prepare({ worker, question, number }: Host, prompt: string, ledger: Ledger): Promise<Judge> {
  const asked = question.ask(prompt);
  await ledger.time('verifier', () => worker.call('prepare', { prompt: number, question: asked }));
  return {
    score: (images, { signal } = {}) =>
      ledger.time('verifier', async () => {
        const scores: number[] = [];
        for (const image of images) {
          const { yes, no } = await worker.call('score', { prompt: number, image }, { signal });
          scores.push(yesShare(yes, no));
          ledger.add({ imagesVerified: 1 });
        }
        return scores;
      }),
    close: () => {
      worker.tell('drop', { prompt: number });
    },
  };
}
