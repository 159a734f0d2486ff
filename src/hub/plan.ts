// What a pull has to fetch: the files of a set as the Hub has them now, less those that the cache has already.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { VarsearchError } from '../core/errors.js';
import { lookIn, PARTIAL, repoFolder, shardsOf } from './cache.js';
import type { HubClient, HubFile, Watch } from './client.js';
import { type HubPart, isIndex, namesOf, revisionOf } from './facts.js';
import type { HubSettings } from './settings.js';

/** A part as the Hub has it now. */
export interface PartPlan {
  readonly part: HubPart;
  readonly commit: string;
  readonly gated: boolean;
  /** The folder of the repository in the cache, and of the commit in it. */
  readonly repo: string;
  readonly snapshot: string;
  readonly files: readonly HubFile[];
}

/** What a plan is made with. */
export interface Planner {
  readonly client: HubClient;
  readonly settings: HubSettings;
  /** Asks the Hub, patiently. */
  readonly ask: <T>(work: (watch: Watch) => Promise<T>) => Promise<T>;
  /** Reads an index of shards, which is fetched for it. */
  readonly readIndex: (plan: PartPlan, file: HubFile) => Promise<string>;
}

/** Asks the Hub for a part; the files of a commit never change, so that all of it fits together. */
export async function planPart(part: HubPart, planner: Planner): Promise<PartPlan> {
  const { client, settings, ask } = planner;
  const { commit, gated } = await ask((watch) => client.revision(part.repo, revisionOf(part), watch));
  const names = [...part.files.flatMap(namesOf), ...(part.optional ?? [])];
  const found = await ask((watch) => client.list(part.repo, commit, names, watch));
  const listed = new Map(found.map((file) => [file.path, file]));
  const repo = repoFolder(settings.cache, part.repo);
  const files: HubFile[] = [];
  const plan = { part, commit, gated, repo, snapshot: join(repo, 'snapshots', commit), files };
  for (const file of part.files) {
    const chosen = namesOf(file)
      .map((name) => listed.get(name))
      .find((each) => each !== undefined);
    if (!chosen) throw absent(part, namesOf(file).join(' or '), settings);
    files.push(chosen);
    if (isIndex(chosen.path)) files.push(...(await shards(plan, chosen, planner)));
  }
  for (const name of part.optional ?? []) {
    const optional = listed.get(name);
    if (optional) files.push(optional);
  }
  for (const file of files) checkKnown(part, file);
  return plan;
}

async function shards(plan: PartPlan, index: HubFile, planner: Planner): Promise<HubFile[]> {
  const { part, commit } = plan;
  const names = shardsOf(await planner.readIndex(plan, index), index.path, part);
  if (names.length === 0) {
    throw new VarsearchError(`${index.path} of ${part.repo} names no shard that is needed: it is damaged`);
  }
  const listed = await planner.ask((watch) => planner.client.list(part.repo, commit, names, watch));
  const missing = names.find((name) => listed.every(({ path }) => path !== name));
  if (missing !== undefined) throw absent(part, missing, planner.settings);
  return listed;
}

function absent(part: HubPart, name: string, { endpoint }: HubSettings): VarsearchError {
  return new VarsearchError(
    `${endpoint}/${part.repo} has no ${name} at '${revisionOf(part)}': the repository has changed, or HF_ENDPOINT is no full mirror`,
  );
}

/** What the catalogue knows for sure is believed before the Hub. */
function checkKnown({ repo, sha256 }: HubPart, { path, etag }: HubFile): void {
  const known = sha256?.[path];
  if (known !== undefined && known !== etag) {
    throw new VarsearchError(
      `${path} of ${repo} has the SHA-256 ${etag} on the server, and ${known} in varsearch's catalogue: it is another file`,
    );
  }
}

/** The files of a plan that the cache lacks, each content once, with the bytes that have come of it. */
export function missingFiles(plans: readonly PartPlan[]): {
  readonly plan: PartPlan;
  readonly file: HubFile;
  readonly have: number;
}[] {
  const seen = new Set<string>();
  return plans.flatMap((plan) =>
    plan.files.flatMap((file) => {
      const blob = blobPath(plan, file);
      if (isHere(plan, file) || seen.has(blob)) return [];
      seen.add(blob);
      const partial = `${blob}${PARTIAL}`;
      const have = existsSync(partial) ? Math.min(statSync(partial).size, file.bytes) : 0;
      return [{ plan, file, have: existsSync(blob) ? file.bytes : have }];
    }),
  );
}

/** Where the content of a file lies in the cache. */
export function blobPath({ repo }: PartPlan, { etag }: HubFile): string {
  return join(repo, 'blobs', etag);
}

/** Whether the commit's folder has a file, of its size. */
export function isHere({ snapshot }: PartPlan, { path, bytes }: HubFile): boolean {
  const file = join(snapshot, path);
  return existsSync(file) && statSync(file).size === bytes;
}

/** What is still to come of a plan after all: nothing, when a pull has ended well. */
export function isComplete({ part, snapshot }: PartPlan): boolean {
  return lookIn(snapshot, part).missing.length === 0;
}
