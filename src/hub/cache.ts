// The cache of Hub files that all programs share, looked at without the network: models--OWNER--NAME/ with blobs/ (contents by
// their hash), snapshots/COMMIT/ (names that link to blobs) and refs/BRANCH (a commit).

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type HubPart, isIndex, namesOf, revisionOf } from './facts.js';
import { type Environment, hubCache } from './settings.js';

/** What a folder has of a part. */
export interface PartState {
  readonly folder: string;
  /** The files that are there, by the names that are used: of alternatives the chosen one. */
  readonly files: readonly string[];
  /** Names of what is not: alternatives as 'a or b'. */
  readonly missing: readonly string[];
}

const COMMIT = /^[0-9a-f]{40}$/;

/** The folder of a repository in a cache. */
export function repoFolder(cache: string, repo: string): string {
  return join(cache, `models--${repo.replaceAll('/', '--')}`);
}

/** What a folder has of a part; a link whose target has gone counts as missing. */
export function lookIn(folder: string, part: HubPart): PartState {
  const files: string[] = [];
  const missing: string[] = [];
  const has = (name: string): boolean => existsSync(join(folder, name));
  for (const file of part.files) {
    const names = namesOf(file);
    const found = names.find(has);
    if (found === undefined) missing.push(names.join(' or '));
    else {
      files.push(found);
      if (isIndex(found)) {
        for (const shard of shardsOf(readFileSync(join(folder, found), 'utf8'), found, part)) {
          (has(shard) ? files : missing).push(shard);
        }
      }
    }
  }
  files.push(...(part.optional ?? []).filter(has));
  return { folder, files, missing };
}

/** The shards that an index names for the tensors of a part, as paths beside it; none of an index that makes no sense. */
export function shardsOf(json: string, index: string, { tensors }: HubPart): string[] {
  let map: unknown;
  try {
    ({ weight_map: map } = JSON.parse(json) as { readonly weight_map?: unknown });
  } catch {
    // Its reader says what is wrong with it.
    return [];
  }
  if (typeof map !== 'object' || map === null) return [];
  const wanted = Object.entries(map).flatMap(([name, shard]) => {
    const needed = tensors === undefined || tensors.some((start) => name.startsWith(start));
    // A shard lies beside its index; a path could lead anywhere.
    return needed && typeof shard === 'string' && /^\w[\w.-]*$/.test(shard) ? [shard] : [];
  });
  const folder = dirname(index);
  return [...new Set(wanted)].sort().map((shard) => (folder === '.' ? shard : `${folder}/${shard}`));
}

/** Snapshots of a repository, the one that the revision stands for first, then the newest. */
function snapshots(cache: string, part: HubPart): string[] {
  const repo = repoFolder(cache, part.repo);
  const revision = revisionOf(part);
  const meant = COMMIT.test(revision) ? revision : readRef(repo, revision);
  const all = listFolder(join(repo, 'snapshots'));
  if (COMMIT.test(revision)) return all.includes(revision) ? [join(repo, 'snapshots', revision)] : [];
  return all
    .map((commit) => ({ commit, time: statSync(join(repo, 'snapshots', commit)).mtimeMs }))
    .sort((a, b) => Number(b.commit === meant) - Number(a.commit === meant) || b.time - a.time)
    .map(({ commit }) => join(repo, 'snapshots', commit));
}

function readRef(repo: string, revision: string): string | null {
  const path = join(repo, 'refs', revision);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
}

function listFolder(path: string): string[] {
  return existsSync(path) ? readdirSync(path).filter((name) => COMMIT.test(name)) : [];
}

/** Where the cache has a part: the snapshot that has all of it, or the one that has most; null where nothing of it is there. */
export function findPart(part: HubPart, env: Environment = process.env): PartState | null {
  const states = snapshots(hubCache(env), part).map((folder) => lookIn(folder, part));
  const whole = states.find(({ missing }) => missing.length === 0);
  if (whole) return whole;
  const [best] = states.sort((a, b) => b.files.length - a.files.length);
  return best && best.files.length > 0 ? best : null;
}

/** How the files of a part that are being fetched are called until they are whole. */
export const PARTIAL = '.varsearch.incomplete';

/** Whether a pull of a repository was interrupted. */
export function isBegun(part: HubPart, env: Environment = process.env): boolean {
  const blobs = join(repoFolder(hubCache(env), part.repo), 'blobs');
  return existsSync(blobs) && readdirSync(blobs).some((name) => name.endsWith(PARTIAL));
}
