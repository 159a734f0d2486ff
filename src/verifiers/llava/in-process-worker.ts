// The worker of LLaVA-OneVision: holds one model and the questions of its verifier.

import { RuntimeError, VarsearchError } from '../../core/errors.js';
import { isError } from '../../core/realm.js';
import { ownPort, serve } from '../../runtime/rpc/index.js';
import { type EncodedQuestion, type LlavaModel, loadLlava } from './in-process-model.js';
import type { LlavaMethods } from './in-process-protocol.js';

let model: LlavaModel | undefined;
const prompts = new Map<number, EncodedQuestion>();
let towerRuns = 0;

function loaded(): LlavaModel {
  if (!model) throw new RuntimeError('LLaVA has not been loaded');
  return model;
}

/** Errors of Transformers.js say where they come from. */
async function named<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof VarsearchError) throw cause;
    throw new RuntimeError(`LLaVA failed: ${isError(cause) ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

serve<LlavaMethods>(
  ownPort(),
  {
    load: async ({ folder, threads }) => {
      model = await named(loadLlava(folder, threads));
    },
    prepare: async ({ prompt, question }) => {
      prompts.set(prompt, await named(loaded().encode(question)));
    },
    score: async ({ prompt, image }, { signal }) => {
      const question = prompts.get(prompt);
      if (!question) throw new RuntimeError('The prompt of this judge has been closed.');
      towerRuns++;
      return named(loaded().answer(question, image, signal));
    },
    stats: () => ({ prompts: prompts.size, sessions: model?.sessions ?? 0, towerRuns }),
    drop: ({ prompt }) => {
      prompts.delete(prompt);
    },
  },
  async () => model?.release(),
);
