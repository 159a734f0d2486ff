// The environment variables that the Hub's Python libraries read, read as they do (huggingface_hub/constants.py).

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { UsageError } from '../core/errors.js';

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the Hub is, who asks, and where its files are kept. */
export interface HubSettings {
  /** The Hub or a mirror, without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | null;
  /** The folder with models--OWNER--NAME/. */
  readonly cache: string;
  /** Nothing may be asked of the network. */
  readonly offline: boolean;
  /** Whether files may come by the Hub's xet protocol. */
  readonly xet: boolean;
}

const PUBLIC = 'https://huggingface.co';

/** The first of some variables that is set. */
function first(env: Environment, ...names: readonly string[]): string | undefined {
  return names.map((name) => env[name]?.trim()).find((value) => value !== undefined && value !== '');
}

function home(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

function flag(env: Environment, ...names: readonly string[]): boolean {
  return names.some((name) => ['1', 'TRUE', 'YES', 'ON'].includes(env[name]?.trim().toUpperCase() ?? ''));
}

function hubHome(env: Environment): string {
  const given = first(env, 'HF_HOME');
  return given === undefined
    ? join(home(first(env, 'XDG_CACHE_HOME') ?? join(homedir(), '.cache')), 'huggingface')
    : home(given);
}

/** The folder that all programs share: HF_HUB_CACHE, or hub/ in HF_HOME. */
export function hubCache(env: Environment = process.env): string {
  const given = first(env, 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE');
  return given === undefined ? join(hubHome(env), 'hub') : home(given);
}

/** Everything the environment says; a UsageError for what makes no sense. */
export function hubSettings(env: Environment = process.env): HubSettings {
  const endpoint = (first(env, 'HF_ENDPOINT') ?? PUBLIC).replace(/\/+$/, '');
  if (!/^https?:\/\/./.test(endpoint)) {
    throw new UsageError(`HF_ENDPOINT is '${endpoint}', which is no address that begins with https://`);
  }
  const token = first(env, 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN') ?? tokenFile(env);
  if (token !== null && !token.startsWith('hf_')) {
    throw new UsageError(
      "HF_TOKEN, or the file of the token, holds no token of the Hub: it begins with 'hf_'",
    );
  }
  return {
    endpoint,
    token,
    cache: hubCache(env),
    offline: flag(env, 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'),
    xet: !flag(env, 'HF_HUB_DISABLE_XET'),
  };
}

/** The token that `hf auth login` has left. */
function tokenFile(env: Environment): string | null {
  const given = first(env, 'HF_TOKEN_PATH');
  const path = given === undefined ? join(hubHome(env), 'token') : home(given);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new UsageError(`the file of the Hub's token, ${path}, cannot be read (${String(code)})`, {
      cause: error,
    });
  }
  return text.trim() === '' ? null : text.trim();
}
