// The verifiers by name: what each is, under which licence, whether its files are there, and how to load it.

import { existsSync } from 'node:fs';

import { assetPath } from '../core/assets.js';
import { UsageError } from '../core/errors.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { openClipScore } from './clip-score.js';
import type { Verifier } from './contract.js';
import { oracle } from './oracle.js';

/** What loading a verifier may be given. */
export interface VerifierLoadOptions {
  /** The runtime to load into, which stays the caller's. @default one of its own, closed with the verifier */
  readonly runtime?: Runtime;
  /** Threads of its own runtime. @default the number of cores */
  readonly threads?: number;
}

/** A verifier that can be asked for by name. */
export interface VerifierEntry {
  readonly name: string;
  readonly description: string;
  /** Of the weights; the code is under varsearch's own licence. */
  readonly licence: string;
  /** True, or what is missing and where it comes from, in one line. */
  installed(): true | string;
  /** Loads it; the caller closes it. Throws CheckpointError when files are missing or wrong. */
  load(options?: VerifierLoadOptions): Promise<Verifier>;
}

const embeddedClip = (): string => assetPath('toybox', 'clip');

/** Every verifier of this package. */
export const VERIFIERS = [
  {
    name: 'clip-score',
    description: 'CLIPScore, 2.5 * max(cos, 0), with the embedded CLIP of the toybox world',
    licence: 'Apache-2.0',
    installed: () =>
      existsSync(embeddedClip()) || `the folder ${embeddedClip()} is missing: install varsearch again`,
    load: (options = {}) =>
      withRuntime(options, (runtime) => openClipScore(runtime, { folder: embeddedClip() })),
  },
  {
    name: 'oracle',
    description:
      "the toybox detector: the share of the prompt's demands that the picture meets; for studies only",
    licence: 'Apache-2.0',
    installed: () => true,
    load: () => Promise.resolve(oracle()),
  },
] as const satisfies readonly VerifierEntry[];

/** The entry of a name; throws a UsageError that lists the names when there is none. */
export function findVerifier(name: string): VerifierEntry {
  const found = VERIFIERS.find((entry) => entry.name === name);
  if (found) return found;
  throw new UsageError(
    `unknown verifier '${name}': choose one of ${VERIFIERS.map((entry) => entry.name).join(', ')}`,
  );
}

/** Opens a verifier in the caller's runtime, or in one of its own that is closed with it. */
async function withRuntime(
  { runtime, threads }: VerifierLoadOptions,
  open: (runtime: Runtime) => Promise<Verifier>,
): Promise<Verifier> {
  if (runtime) return open(runtime);
  const own = await createRuntime(threads === undefined ? {} : { threads });
  try {
    const verifier = await open(own);
    return {
      ...verifier,
      close: async () => {
        await verifier.close();
        await own.close();
      },
    };
  } catch (error) {
    await own.close();
    throw error;
  }
}
