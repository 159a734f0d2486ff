// One question about one picture as a chat completion, and the score in its answer.

import { VarsearchError } from '../../core/errors.js';
import { encodePng, type Image } from '../../core/image.js';
import { isObject, type JsonObject } from '../../core/json-file.js';
import { type EndpointClient, EndpointError } from '../../endpoint/http.js';
import { clean, messageOf, type Tell } from '../../endpoint/words.js';
import { scoreOfTokens, topTokens } from './endpoint-logprobs.js';
import type { ScoreMode } from './endpoint-options.js';
import { parseRating } from './endpoint-rating.js';

/** An endpoint and how it is asked. */
export interface Chat {
  /** Named in errors. */
  readonly url: string;
  /** Kept out of errors. */
  readonly apiKey: string | undefined;
  readonly client: EndpointClient;
  readonly form: ChatForm;
}

/** How questions are put. */
export interface ChatForm {
  readonly model: string;
  readonly mode: ScoreMode;
  /** Tokens whose log-probabilities are asked for, in the mode logprobs. */
  readonly topLogprobs: number;
}

/** Tokens of an answer in text: a number, with the few words that a chatty model puts around it. */
const TEXT_TOKENS = 48;

/** What to ask about which picture. */
interface Asked {
  readonly image: Image;
  readonly question: string;
  readonly signal: AbortSignal;
}

/** The score of a picture, 0..1; undefined where log-probabilities were asked for and none came. Throws EndpointError. */
export async function askChat(
  { url, apiKey, client, form }: Chat,
  { image, question, signal }: Asked,
): Promise<number | undefined> {
  const body = await chatBody(image, question, form);
  const completion = await client.call('/chat/completions', { body, signal });
  try {
    return scoreOfChat(completion, form.mode, (text) => clean(text, apiKey));
  } catch (error) {
    if (!(error instanceof VarsearchError)) throw error;
    throw new EndpointError(`the endpoint ${url} gave no score: ${error.message}`);
  }
}

/** The body of a chat completion that asks `question` about a picture. */
async function chatBody(
  image: Image,
  question: string,
  { model, mode, topLogprobs }: ChatForm,
): Promise<JsonObject> {
  const url = `data:image/png;base64,${Buffer.from(await encodePng(image)).toString('base64')}`;
  const content = [
    { type: 'image_url', image_url: { url } },
    { type: 'text', text: question },
  ];
  return {
    model,
    messages: [{ role: 'user', content }],
    temperature: 0,
    ...(mode === 'logprobs'
      ? { max_tokens: 1, logprobs: true, top_logprobs: topLogprobs }
      : { max_tokens: TEXT_TOKENS }),
  };
}

/**
 * The score in a chat completion, 0..1; undefined in the mode logprobs where it has no log-probabilities. Throws a
 * VarsearchError, which tells what is wrong with the answer, for everything else that holds no score.
 */
export function scoreOfChat(completion: unknown, mode: ScoreMode, tell: Tell = clean): number | undefined {
  const choice = firstChoice(completion, tell);
  if (mode === 'text') return parseRating(textOf(choice), tell);
  const tokens = topTokens(choice, tell);
  return tokens && scoreOfTokens(tokens, tell);
}

function firstChoice(completion: unknown, tell: Tell): JsonObject {
  const choices = isObject(completion) ? completion['choices'] : undefined;
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  if (isObject(first)) return first;
  // Some gateways report failures of the model behind them as a success.
  const message = tell(messageOf(completion));
  throw new VarsearchError(`its answer has no choices${message === '' ? '' : `, but says "${message}"`}`);
}

function textOf(choice: JsonObject): string {
  const { message, finish_reason: finish } = choice;
  const content = isObject(message) ? message['content'] : undefined;
  if (typeof content !== 'string') throw new VarsearchError('its answer has no text');
  // The last word of an answer that was cut off may be half a number.
  const lastWord = Math.max(content.lastIndexOf(' '), content.lastIndexOf('\n')) + 1;
  return finish === 'length' ? content.slice(0, lastWord) : content;
}
