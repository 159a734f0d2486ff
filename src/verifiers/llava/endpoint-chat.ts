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
  /** The name under which the server takes the most tokens of an answer. */
  readonly limit: TokenLimit;
}

/** OpenAI's newer models refuse the first, most other servers do not know the second. */
export type TokenLimit = 'max_tokens' | 'max_completion_tokens';

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
    throw new EndpointError(`the endpoint ${url} gave no score: ${error.message}`, undefined, {
      cause: error,
    });
  }
}

/** The body of a chat completion that asks `question` about a picture. */
async function chatBody(
  image: Image,
  question: string,
  { model, mode, topLogprobs, limit }: ChatForm,
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
    // Some servers stream unless they are told not to.
    stream: false,
    ...(mode === 'logprobs'
      ? { [limit]: 1, logprobs: true, top_logprobs: topLogprobs }
      : { [limit]: TEXT_TOKENS }),
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
  if (tokens === undefined) return undefined;
  // The first token of a thought is no answer, and one token is all that was asked for.
  if (thinks(choice)) throw new ThinkingError();
  return scoreOfTokens(tokens, tell);
}

/** The model thinks before it answers, and no answer came behind its thoughts. */
export class ThinkingError extends VarsearchError {
  override readonly name = 'ThinkingError';

  constructor() {
    super(
      'its model thinks before it answers, and its thoughts leave no room for the answer: let the server turn thinking off ' +
        '(enable_thinking, reasoning_effort and the like), or ask a model that answers at once',
    );
  }
}

function firstChoice(completion: unknown, tell: Tell): JsonObject {
  const choices = isObject(completion) ? completion['choices'] : undefined;
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  if (isObject(first)) return first;
  // Some gateways report failures of the model behind them as a success.
  const message = tell(messageOf(completion));
  throw new VarsearchError(`its answer has no choices${message === '' ? '' : `, but says "${message}"`}`);
}

/** How thoughts begin and end in the text of an answer: <think>, [THINK], ◁think▷ and the like. */
const OPENED = /^\s*[<[◁]\/?(?:\w+:)?(?:think|thinking|thought|thoughts|reason|reasoning)[>\]▷]/i;
const CLOSED = /^[^]*[<[◁]\/(?:\w+:)?(?:think|thinking|thought|thoughts|reason|reasoning)[>\]▷]/i;

/** Whether an answer is thoughts and nothing else. */
function thinks(choice: JsonObject): boolean {
  const { message } = choice;
  const fields = isObject(message) ? message : {};
  const text = writtenIn(fields['content']) ?? '';
  if (OPENED.test(text)) return answerIn(text) === undefined;
  return text.trim() === '' && ['reasoning_content', 'reasoning'].some((name) => isFilled(fields[name]));
}

const isFilled = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** What stands behind the thoughts of a text that has some; undefined where they do not end, or nothing comes after them. */
function answerIn(text: string): string | undefined {
  // A template that opens the thought in the question leaves its end alone in the answer.
  if (!OPENED.test(text) && !CLOSED.test(text)) return text;
  const rest = CLOSED.test(text) ? text.replace(CLOSED, '') : '';
  return rest.trim() === '' ? undefined : rest;
}

/** Content is a text, or a list of parts of which some are text; undefined for anything else. */
function writtenIn(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = (content as unknown[]).map((part) =>
    isObject(part) && [undefined, 'text', 'output_text'].includes(part['type'] as string | undefined)
      ? part['text']
      : undefined,
  );
  const written = texts.filter((text) => typeof text === 'string');
  return written.length === 0 ? undefined : written.join('');
}

function textOf(choice: JsonObject): string {
  if (thinks(choice)) throw new ThinkingError();
  const { message, finish_reason: finish } = choice;
  const written = writtenIn(isObject(message) ? message['content'] : undefined);
  const content = written === undefined ? undefined : answerIn(written);
  if (content === undefined) throw new VarsearchError('its answer has no text');
  // The last word of an answer that was cut off may be half a number.
  const lastWord = Math.max(content.lastIndexOf(' '), content.lastIndexOf('\n')) + 1;
  return finish === 'length' ? content.slice(0, lastWord) : content;
}
