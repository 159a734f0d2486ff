// The verifiers by name: what each is, under which licence, whether its files are there, and how to load it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { assetPath, modelsFolder } from '../core/assets.js';
import { UsageError } from '../core/errors.js';
import { type ClipEncoder, openClip } from '../models/clip/clip.js';
import type { ClipPool } from '../models/clip/shared.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { openAesthetic } from './aesthetic.js';
import { clipScore, openClipScore } from './clip-score.js';
import type { Verifier } from './contract.js';
import { openImageRewardVerifier } from './image-reward.js';
import { oracle } from './oracle.js';

/** What loading a verifier may be given. */
export interface VerifierLoadOptions {
  /** The runtime to load into, which stays the caller's. @default one of its own, closed with the verifier */
  readonly runtime?: Runtime;
  /** Threads of its own runtime. @default the number of cores */
  readonly threads?: number;
  /** CLIPs of `runtime` that verifiers share, so that each picture goes through one image tower once. @default none */
  readonly clips?: ClipPool;
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

/** A folder of files that the user fetches, and where from. */
interface Fetched {
  readonly folder: string;
  /** The files that have to be there, all of one source. */
  readonly files: readonly string[];
  readonly source: string;
}

const LARGE_CLIP: Fetched = {
  folder: 'clip-vit-large-patch14',
  files: ['model.safetensors', 'config.json', 'tokenizer.json'],
  source: 'openai/clip-vit-large-patch14 (Hugging Face)',
};
const AESTHETIC_HEAD = 'sac+logos+ava1-l14-linearMSE.pth';
const AESTHETIC: Fetched = {
  folder: 'aesthetic',
  files: [AESTHETIC_HEAD],
  source: 'christophschuhmann/improved-aesthetic-predictor (GitHub)',
};
const IMAGE_REWARD: Fetched = {
  folder: 'image-reward',
  files: ['ImageReward.pt', 'med_config.json'],
  source: 'THUDM/ImageReward (Hugging Face)',
};
const BERT_TOKENIZER: Fetched = {
  folder: 'image-reward',
  files: ['tokenizer.json'],
  source: 'google-bert/bert-base-uncased (Hugging Face)',
};

const pathOf = ({ folder }: Fetched, ...parts: string[]): string => join(modelsFolder(), folder, ...parts);

/** True when all files are there, or which are missing and where they come from. */
function fetched(...parts: readonly Fetched[]): true | string {
  const missing = parts.flatMap((part) => {
    const files = part.files.filter((file) => !existsSync(pathOf(part, file)));
    return files.length === 0 ? [] : [`${pathOf(part)} lacks ${files.join(', ')} of ${part.source}`];
  });
  return missing.length === 0 || `files are missing: ${missing.join('; ')}`;
}

/** ViT-L/14, shared where there is a pool. */
function openLargeClip(runtime: Runtime, { clips }: VerifierLoadOptions): Promise<ClipEncoder> {
  const folder = pathOf(LARGE_CLIP);
  return clips ? clips.open(folder) : openClip(runtime, folder);
}

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
    name: 'clip-score-l14',
    description: 'CLIPScore with the official OpenAI CLIP ViT-L/14',
    licence: 'MIT',
    installed: () => fetched(LARGE_CLIP),
    load: (options = {}) =>
      withRuntime(options, async (runtime) => ({
        ...clipScore(await openLargeClip(runtime, options)),
        name: 'clip-score-l14',
      })),
  },
  {
    name: 'aesthetic',
    description: "LAION's Aesthetic Score, 1 to 10, over CLIP ViT-L/14; it does not read the prompt",
    licence: 'Apache-2.0 (head), MIT (CLIP)',
    installed: () => fetched(LARGE_CLIP, AESTHETIC),
    load: (options = {}) =>
      withRuntime(options, (runtime) =>
        openAesthetic({
          openClip: () => openLargeClip(runtime, options),
          head: pathOf(AESTHETIC, AESTHETIC_HEAD),
        }),
      ),
  },
  {
    name: 'image-reward',
    description: 'ImageReward: what people prefer for a prompt, around 0 with deviation 1',
    licence: 'Apache-2.0',
    installed: () => fetched(IMAGE_REWARD, BERT_TOKENIZER),
    load: (options = {}) =>
      withRuntime(options, (runtime) => openImageRewardVerifier(runtime, pathOf(IMAGE_REWARD))),
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
