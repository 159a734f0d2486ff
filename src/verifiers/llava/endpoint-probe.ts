// What is settled once when an endpoint is opened: which model is asked, and in which form it gives scores.

import { UsageError } from '../../core/errors.js';
import { createImage } from '../../core/image.js';
import { isObject } from '../../core/json-file.js';
import { type EndpointClient, EndpointError } from '../../endpoint/http.js';
import { clean } from '../../endpoint/words.js';
import { askChat, type ChatForm, ThinkingError, type TokenLimit } from './endpoint-chat.js';
import type { EndpointSettings } from './endpoint-options.js';

const MOST_LISTED = 20;
/** Some servers give no more log-probabilities than this, and refuse to be asked for more. */
const FEW_LOGPROBS = 5;
/** Statuses with which servers refuse what they do not know, or do not give to everybody. */
const REFUSALS: readonly (number | undefined)[] = [400, 403, 422];

/** What is needed while an endpoint is opened. */
interface Opening {
  readonly client: EndpointClient;
  readonly settings: EndpointSettings;
  readonly signal: AbortSignal;
}

/** The model that the endpoint serves, where it is one. Throws EndpointError, and a UsageError that lists them where they are several. */
export async function onlyModel({ client, settings, signal }: Opening): Promise<string> {
  const { url, apiKey } = settings;
  const listed = await client.call('/models', { signal });
  const data = isObject(listed) ? listed['data'] : undefined;
  const names = (Array.isArray(data) ? (data as unknown[]) : [])
    .map((each) => (isObject(each) ? each['id'] : undefined))
    .filter((id) => typeof id === 'string' && id !== '')
    .map(String);
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const how = 'say which one to ask (in the environment: VARSEARCH_LLAVA_MODEL)';
  if (only === undefined) throw new UsageError(`the endpoint ${url} lists no models: ${how}`);
  const shown = names.slice(0, MOST_LISTED).map((name) => clean(name, apiKey));
  const more = names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : '';
  throw new UsageError(
    `the endpoint ${url} serves ${names.length} models: ${how} of ${shown.join(', ')}${more}`,
  );
}

/** Whether a failure is the server's refusal of what was asked. */
function isRefusal(error: unknown): error is EndpointError {
  return error instanceof EndpointError && REFUSALS.includes(error.status);
}

/** Asks about a grey picture, to find the form in which the endpoint gives scores. Throws EndpointError. */
export async function probeForm({ client, settings, signal }: Opening, model: string): Promise<ChatForm> {
  const { url, apiKey, rating, topLogprobs, questions } = settings;
  const image = createImage(64, 64, new Uint8Array(64 * 64 * 3).fill(128));
  let limit: TokenLimit = 'max_tokens';
  const ask = async (form: ChatForm): Promise<ChatForm | null> => {
    const question = questions[form.mode].ask('a grey square');
    const score = await askChat({ url, apiKey, client, form }, { image, question, signal });
    return score === undefined ? null : form;
  };
  /** The form if it gives a score, under the one name of the limit or the other; null where it gives none. */
  const works = async (form: Omit<ChatForm, 'limit'>): Promise<ChatForm | null> => {
    try {
      return await ask({ ...form, limit });
    } catch (error) {
      if (!isRefusal(error) || limit !== 'max_tokens' || !/max_(?:completion_)?tokens/.test(error.message)) {
        throw error;
      }
      limit = 'max_completion_tokens';
      return await ask({ ...form, limit });
    }
  };
  const counts = rating === 'text' ? [] : new Set([topLogprobs, Math.min(topLogprobs, FEW_LOGPROBS)]);
  let fault = new EndpointError(
    `the endpoint ${url} gives no log-probabilities: let the server give them, or take ratings in text (rating: text)`,
  );
  for (const count of counts) {
    try {
      const found = await works({ model, mode: 'logprobs', topLogprobs: count });
      if (found) return found;
      break;
    } catch (error) {
      const thinking = error instanceof EndpointError && error.cause instanceof ThinkingError;
      if (!thinking && !isRefusal(error)) throw error;
      fault = error;
      if (thinking) break;
    }
  }
  if (rating === 'logprobs') throw fault;
  const form = await works({ model, mode: 'text', topLogprobs });
  if (form) return form;
  throw fault;
}
