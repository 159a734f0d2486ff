// LLaVA-OneVision as a verifier, behind any OpenAI-compatible endpoint that takes pictures (vLLM, SGLang, llama.cpp, Ollama).
// The score is the share of yes at the first answer token (question.ts), or a rating in text where the endpoint gives no
// log-probabilities. Which of the two is settled when the verifier is opened, so that a search never mixes them.

import { textHash } from '../../core/hash.js';
import type { Image } from '../../core/image.js';
import type { Ledger } from '../../core/ledger.js';
import { createEndpointClient, EndpointError } from '../../endpoint/http.js';
import { createGate, type Gate, linkSignals, mapAtOnce } from '../../endpoint/signals.js';
import type { Judge, Verifier } from '../contract.js';
import { askChat, type Chat } from './endpoint-chat.js';
import {
  type EndpointSettings,
  type LlavaEndpointOptions,
  resolveEndpointOptions,
  type ScoreMode,
} from './endpoint-options.js';
import { onlyModel, probeForm } from './endpoint-probe.js';

/** LLaVA-OneVision behind an endpoint. */
export interface LlavaEndpoint extends Verifier {
  /** The model's name at the endpoint. */
  readonly model: string;
  /** Where its scores come from. */
  readonly mode: ScoreMode;
}

/** What all judges of a verifier share. */
interface Shared {
  readonly settings: EndpointSettings;
  readonly chat: Chat;
  /** Bounds the calls of all judges together. */
  readonly gate: Gate;
  /** Aborted when the verifier is closed. */
  readonly closed: AbortSignal;
}

/**
 * Opens it: asks for the model's name where none is given, and one question about a grey picture, so that a wrong URL, key or
 * model shows at once. The caller closes it. Scores are from 0 to 1, and as reproducible as the server's answers. Throws
 * UsageError for wrong options, EndpointError, and the reason of `signal`, which ends the opening alone.
 */
export async function openLlavaEndpoint(
  options: LlavaEndpointOptions,
  signal: AbortSignal = new AbortController().signal,
): Promise<LlavaEndpoint> {
  const settings = resolveEndpointOptions(options);
  const { url, apiKey, concurrency } = settings;
  const client = createEndpointClient(settings);
  const opening = { client, settings, signal };
  const model = settings.model ?? (await onlyModel(opening));
  const form = await probeForm(opening, model);
  const closing = linkSignals();
  const shared: Shared = {
    settings,
    chat: { url, apiKey, client, form },
    gate: createGate(concurrency),
    closed: closing.signal,
  };
  return {
    name: 'llava-endpoint',
    model,
    mode: form.mode,
    hashes: () => Promise.resolve(hashesOf(shared)),
    prepare: (prompt, ledger) => prepare(shared, prompt, ledger),
    close: () => {
      closing.abort(closedError('verifier'));
      return Promise.resolve();
    },
  };
}

const closedError = (what: string): DOMException =>
  new DOMException(`the ${what} of llava-endpoint was closed`, 'AbortError');

/** There are no files: instead, hashes of all that settles a score on this side, so that a replay tells what differs. */
function hashesOf({ settings, chat }: Shared): Record<string, string> {
  const { mode, model, topLogprobs } = chat.form;
  const parts = {
    url: settings.url,
    model,
    question: settings.questions[mode].template,
    mode: mode === 'logprobs' ? `${mode} ${topLogprobs}` : mode,
  };
  return Object.fromEntries(
    Object.entries(parts).map(([part, value]) => [`llava-endpoint ${part}`, textHash(value)]),
  );
}

async function prepare(shared: Shared, prompt: string, ledger: Ledger): Promise<Judge> {
  const { settings, chat, closed } = shared;
  const question = settings.questions[chat.form.mode].ask(prompt);
  const closing = linkSignals();
  return {
    async score(images, options = {}) {
      const link = linkSignals(options.signal, closing.signal, closed);
      try {
        link.signal.throwIfAborted();
        const scores = await ledger.time('verifier', () => scoreAll(shared, question, images, link.signal));
        ledger.add({ imagesVerified: images.length });
        return scores;
      } finally {
        link.release();
      }
    },
    close: () => closing.abort(closedError('judge')),
  };
}

/** Scores in the order of the pictures; the same picture is asked about once. */
async function scoreAll(
  { settings, chat, gate }: Shared,
  question: string,
  images: readonly Image[],
  signal: AbortSignal,
): Promise<number[]> {
  const different = [...new Set(images)];
  const scores = await mapAtOnce(
    different,
    async (image, each) => {
      const score = await gate.run(() => askChat(chat, { image, question, signal: each }), each);
      if (score !== undefined) return score;
      throw new EndpointError(
        `the endpoint ${chat.url} gave log-probabilities when it was opened and gives none now; ratings in text are not ` +
          'mixed with them: see whether another server or model answers, or take ratings in text alone (rating: text)',
      );
    },
    { limit: settings.concurrency, signal },
  );
  const byImage = new Map(different.map((image, i) => [image, scores[i] as number]));
  return images.map((image) => byImage.get(image) as number);
}
