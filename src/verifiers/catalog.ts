// The verifiers by name: what each is, what it is good at, under which licence, whether its files are there, and how to
// load it. The plain names are the embedded ones, which know the toybox world alone.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { assetPath } from '../core/assets.js';
import { UsageError } from '../core/errors.js';
import { given } from '../core/given.js';
import { didYouMean } from '../core/nearest.js';
import { type HubSet, webPath } from '../hub/index.js';
import { type ClipEncoder, openClip } from '../models/clip/clip.js';
import type { ClipPool } from '../models/clip/shared.js';
import { type Runtime, type RuntimeChoice, withRuntime } from '../runtime/index.js';
import { openAesthetic } from './aesthetic.js';
import { clipScore } from './clip-score.js';
import type { Verifier } from './contract.js';
import {
  AESTHETIC_HEAD,
  BERT_TOKENIZER,
  CLIP_B32,
  CLIP_L14,
  fetchable,
  type Fetched,
  fetchedPath,
  IMAGE_REWARD,
  LLAVA,
} from './fetched.js';
import { openImageRewardVerifier } from './image-reward.js';
import { openLlavaEndpoint } from './llava/endpoint.js';
import { llavaEndpointFromEnvironment, llavaEndpointInstalled } from './llava/endpoint-options.js';
import { isLlavaInstalled, type LlavaOptions, llavaPackage, openLlava } from './llava/in-process.js';
import { oracle } from './oracle.js';
import { clipFlopsIn, imageRewardFlopsIn, OFFICIAL_FLOPS, type PictureFlops } from './picture-flops.js';

/** What loading a verifier may be given. */
export interface VerifierLoadOptions extends RuntimeChoice {
  /** CLIPs of `runtime` that verifiers share, so that each picture goes through one image tower once. @default none */
  readonly clips?: ClipPool;
  /** Ends a loading that waits for somebody else, which then rejects with its reason. @default none */
  readonly signal?: AbortSignal;
}

/** A verifier that can be asked for by name. */
export interface VerifierEntry {
  readonly name: string;
  readonly description: string;
  /** What its scores are worth something for, in a few words. */
  readonly goodAt: string;
  /** Of the weights; the code is under varsearch's own licence. */
  readonly licence: string;
  /** Of the files, such as '1.7 GB'; 'embedded' where they come with the package, 'none' where there are none. */
  readonly size: string;
  /** The pictures it knows: those of the embedded model alone, or any. */
  readonly world: 'toybox' | 'any';
  /**
   * Whether it was trained with the toybox detector's labels (its verdicts, or captions chosen by what it found): the detector is
   * no independent judge of what it chooses.
   */
  readonly detectorLabels?: true;
  /** Where it is the judge that others are studied by: it takes part only when it is asked for by its name. */
  readonly studyOnly?: true;
  /** Where it sends pictures and prompts to somebody else: a recipe may not ask for it without the user's word. */
  readonly sendsAway?: true;
  /** Floating-point operations of judging one picture, without loading it; null where it does not tell when it is loaded either. @default loading tells */
  readonly pictureFlops?: PictureFlops;
  /** The files that `varsearch pull` fetches. @default there is nothing to fetch */
  readonly hub?: HubSet;
  /** True, or what is missing and where it comes from, in one line. */
  installed(): true | string;
  /** Loads it; the caller closes it. Throws CheckpointError when files are missing or wrong. */
  load(options?: VerifierLoadOptions): Promise<Verifier>;
}

type OpenVerifier = (runtime: Runtime, options: VerifierLoadOptions) => Promise<Verifier>;
type EntryFacts = Omit<VerifierEntry, 'load'> & { readonly open: OpenVerifier };

function entry({ open, ...facts }: EntryFacts): VerifierEntry {
  return { ...facts, load: (options = {}) => withRuntime(options, (runtime) => open(runtime, options)) };
}

/** An embedded verifier: a folder or file below assets/toybox. */
function embedded(
  path: readonly string[],
  facts: Pick<VerifierEntry, 'name' | 'description' | 'goodAt' | 'detectorLabels' | 'pictureFlops'> & {
    readonly open: OpenVerifier;
  },
): VerifierEntry {
  return entry({
    ...facts,
    licence: 'Apache-2.0',
    size: 'embedded',
    world: 'toybox',
    installed: () => {
      const file = assetPath('toybox', ...path);
      return existsSync(file) || `files are missing: ${file}; install varsearch again`;
    },
  });
}

/** A CLIP, shared where there is a pool. */
function openSharedClip(
  runtime: Runtime,
  folder: string,
  { clips }: VerifierLoadOptions,
): Promise<ClipEncoder> {
  return clips ? clips.open(folder) : openClip(runtime, folder);
}

async function openNamedClipScore(
  name: string,
  ...clip: Parameters<typeof openSharedClip>
): Promise<Verifier> {
  return { ...clipScore(await openSharedClip(...clip)), name };
}

/** LLaVA runs in Transformers.js, on the processor. */
async function loadLlava(
  options: LlavaOptions & { readonly name: string },
  { runtime, device = runtime?.device, threads = runtime?.threads }: VerifierLoadOptions,
): Promise<Verifier> {
  if (device === undefined || device === 'cpu') return openLlava({ ...options, ...given({ threads }) });
  throw new UsageError(
    `verifier '${options.name}' computes on the CPU alone: leave option 'device' (--device ${device}) away, or take another judge`,
  );
}

function officialClipScore(
  name: string,
  size: string,
  clip: Fetched,
  pictureFlops: PictureFlops,
): VerifierEntry {
  return entry({
    name,
    pictureFlops,
    description: `CLIPScore with the official ${clip.part.repo}`,
    goodAt: 'what the prompt names is there; weak at counts and places',
    licence: 'MIT',
    size,
    world: 'any',
    ...fetchable(name, [clip]),
    open: (runtime, options) => openNamedClipScore(name, runtime, fetchedPath(clip), options),
  });
}

const TOYBOX_LLAVA = assetPath('toybox', 'llava');

/** What is known of a CLIP that somebody brings. */
const CLIP_DIR = {
  name: 'clip-dir',
  goodAt: 'what that CLIP was trained on',
  licence: 'of the folder',
  size: 'of the folder',
  world: 'any',
} as const;

/** Every verifier of this package. */
export const VERIFIERS: readonly VerifierEntry[] = [
  embedded(['clip'], {
    name: 'clip-score',
    description: 'CLIPScore, 2.5 * max(cos, 0), with the embedded CLIP',
    goodAt: 'whether a toybox picture shows what the prompt says',
    detectorLabels: true,
    pictureFlops: clipFlopsIn(assetPath('toybox', 'clip')),
    open: (runtime, options) =>
      openNamedClipScore('clip-score', runtime, assetPath('toybox', 'clip'), options),
  }),
  embedded(['aesthetic'], {
    name: 'aesthetic',
    description: 'Aesthetic Score, 1 to 10, over the embedded CLIP; it does not read the prompt',
    goodAt: 'clean against damaged toybox pictures',
    pictureFlops: clipFlopsIn(assetPath('toybox', 'clip')),
    open: (runtime, options) =>
      openAesthetic({
        openClip: () => openSharedClip(runtime, assetPath('toybox', 'clip'), options),
        head: assetPath('toybox', 'aesthetic', 'aesthetic.pth'),
      }),
  }),
  embedded(['image-reward'], {
    name: 'image-reward',
    description: 'a tiny ImageReward, around 0 with deviation 1',
    goodAt: 'how well a toybox picture fits the prompt, small faults included',
    detectorLabels: true,
    pictureFlops: imageRewardFlopsIn(assetPath('toybox', 'image-reward')),
    open: (runtime) => openImageRewardVerifier(runtime, assetPath('toybox', 'image-reward')),
  }),
  {
    name: 'toybox-llava',
    description:
      'a tiny LLaVA-OneVision in this process: how likely it says yes to "does this image show ..."',
    goodAt: 'whether a toybox picture shows what the prompt says; the same question and code as llava',
    licence: 'Apache-2.0',
    size: 'embedded',
    pictureFlops: () => null,
    world: 'toybox',
    detectorLabels: true,
    installed: () =>
      existsSync(TOYBOX_LLAVA)
        ? llavaPackage()
        : `files are missing: ${TOYBOX_LLAVA}; install varsearch again`,
    load: (options = {}) => loadLlava({ folder: TOYBOX_LLAVA, name: 'toybox-llava' }, options),
  },
  officialClipScore('clip-score-l14', '1.7 GB', CLIP_L14, OFFICIAL_FLOPS.clipL14),
  officialClipScore('clip-score-b32', '0.6 GB', CLIP_B32, OFFICIAL_FLOPS.clipB32),
  entry({
    ...CLIP_DIR,
    description: 'CLIPScore with any CLIP in the Hugging Face layout, whose folder --clip-dir names',
    installed: () => "its folder is missing: name it by option 'clipDir' (--clip-dir)",
    open: () =>
      Promise.reject(new UsageError("option 'clipDir' is missing: it must be the path of a folder")),
  }),
  entry({
    name: 'aesthetic-l14',
    description: "LAION's Aesthetic Score, 1 to 10, over CLIP ViT-L/14; it does not read the prompt",
    goodAt: 'how pleasing a picture is, whatever it shows',
    pictureFlops: OFFICIAL_FLOPS.clipL14,
    licence: 'Apache-2.0 (head), MIT (CLIP)',
    size: '1.7 GB',
    world: 'any',
    ...fetchable('aesthetic-l14', [CLIP_L14], [AESTHETIC_HEAD]),
    open: async (runtime, options) => ({
      ...(await openAesthetic({
        openClip: () => openSharedClip(runtime, fetchedPath(CLIP_L14), options),
        head: webPath(AESTHETIC_HEAD),
      })),
      name: 'aesthetic-l14',
    }),
  }),
  entry({
    name: 'image-reward-v1',
    description: 'ImageReward-v1.0: what people prefer for a prompt, around 0 with deviation 1',
    goodAt: 'human preference: fit to the prompt and looks together',
    pictureFlops: OFFICIAL_FLOPS.imageReward,
    licence: 'Apache-2.0',
    size: '1.8 GB',
    world: 'any',
    ...fetchable('image-reward-v1', [IMAGE_REWARD, BERT_TOKENIZER]),
    open: async (runtime) => ({
      ...(await openImageRewardVerifier(runtime, fetchedPath(IMAGE_REWARD), fetchedPath(BERT_TOKENIZER))),
      name: 'image-reward-v1',
    }),
  }),
  {
    name: 'llava',
    description:
      'LLaVA-OneVision (Qwen2 0.5B) in this process: how likely it says yes to "does this image show ..."',
    goodAt: 'counts, places and colours in any picture; slow on a CPU',
    licence: 'Apache-2.0',
    size: '2.5 to 4.2 GB',
    pictureFlops: () => null,
    world: 'any',
    hub: { parts: [LLAVA.part] },
    installed: () => isLlavaInstalled(fetchedPath(LLAVA)),
    load: (options = {}) => loadLlava({ folder: fetchedPath(LLAVA), name: 'llava' }, options),
  },
  {
    name: 'llava-endpoint',
    description:
      'a LLaVA-OneVision (or any model that sees) behind an OpenAI-compatible endpoint, asked as llava is',
    goodAt: 'counts, places and colours in any picture, with the 7B model on a GPU',
    licence: 'of the served model',
    size: 'none',
    pictureFlops: () => null,
    world: 'any',
    sendsAway: true,
    installed: () => llavaEndpointInstalled(process.env),
    load: async ({ signal } = {}) => openLlavaEndpoint(llavaEndpointFromEnvironment(process.env), signal),
  },
  {
    name: 'oracle',
    description: "the toybox detector: the share of the prompt's demands that the picture meets",
    goodAt: 'studies of search with a perfect verifier; it is the judge itself',
    licence: 'Apache-2.0',
    size: 'none',
    world: 'toybox',
    studyOnly: true,
    pictureFlops: () => 0,
    installed: () => true,
    load: () => Promise.resolve(oracle()),
  },
];

/** CLIPScore with the CLIP of a folder in the Hugging Face layout; the folder is an option of its own, since names are never paths. */
export function clipIn(folder: string): VerifierEntry {
  return entry({
    ...CLIP_DIR,
    description: `CLIPScore with the CLIP in ${folder}`,
    pictureFlops: clipFlopsIn(folder),
    installed: () =>
      existsSync(join(folder, 'config.json')) ||
      `files are missing: ${folder} lacks config.json of a CLIP in the Hugging Face layout`,
    open: (runtime, options) => openNamedClipScore(CLIP_DIR.name, runtime, folder, options),
  });
}

/** The entry of a name; throws a UsageError that lists the names when there is none. */
export function findVerifier(name: string): VerifierEntry {
  const found = VERIFIERS.find((each) => each.name === name);
  if (found) return found;
  const names = VERIFIERS.map((each) => each.name);
  throw new UsageError(
    `unknown verifier '${name}'${didYouMean(name, names) || ':'} choose one of ${names.join(', ')} ` +
      `(a folder with a CLIP is given by option 'clipDir', for the verifier ${CLIP_DIR.name})`,
  );
}
