// Where lies what can be made again at any time.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** The value of VARSEARCH_CACHE with which nothing is kept. */
const OFF = 'off';

/**
 * The folder of what is kept between starts: VARSEARCH_CACHE, or `varsearch` in XDG_CACHE_HOME or .cache in the user's home;
 * null where VARSEARCH_CACHE is 'off'.
 */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string | null {
  const own = env['VARSEARCH_CACHE'];
  if (own === OFF) return null;
  if (own !== undefined && own !== '') return own;
  const caches = env['XDG_CACHE_HOME'];
  // The standard says that a relative path is to be ignored.
  return join(caches?.startsWith('/') === true ? caches : join(homedir(), '.cache'), 'varsearch');
}
