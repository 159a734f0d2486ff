// The official FLUX models as data: whose they are, under which licence, and which files of which repositories make one.
// The text encoders are those of the model's own repository; of CLIP's tokenizer that has no tokenizer.json, OpenAI's has.

import type { HubLicence, HubPart } from '../../hub/index.js';
import type { FluxKind } from './folder.js';

/** Files of a repository that the Hub may give only to accounts that have accepted the terms there. */
interface RepositoryFiles extends HubPart {
  readonly files: readonly string[];
  readonly gated: boolean;
}

/** An official model. */
export interface OfficialFlux {
  readonly name: string;
  readonly kind: FluxKind;
  readonly description: string;
  /** The transformer first, then what belongs to it. */
  readonly parts: readonly [RepositoryFiles, ...RepositoryFiles[]];
}

const CLIP_TOKENIZER: RepositoryFiles = {
  repo: 'openai/clip-vit-large-patch14',
  files: ['tokenizer.json', 'tokenizer_config.json'],
  bytes: 2.2e6,
  licence: { name: 'MIT', url: 'https://github.com/openai/CLIP/blob/main/LICENSE' },
  gated: false,
};

function official(repo: string, transformer: string, licence: HubLicence): OfficialFlux['parts'] {
  const files = [
    transformer,
    'ae.safetensors',
    'text_encoder/config.json',
    'text_encoder/model.safetensors',
    'text_encoder_2/config.json',
    'text_encoder_2/model.safetensors.index.json',
    'tokenizer_2/tokenizer.json',
    'tokenizer_2/tokenizer_config.json',
  ];
  // 23.8 GB of the transformer, 9.5 of T5, 0.3 of the autoencoder, 0.2 of CLIP.
  return [{ repo, files, bytes: 33.9e9, licence, gated: true }, CLIP_TOKENIZER];
}

/** All official models. */
export const OFFICIAL_FLUX: readonly OfficialFlux[] = [
  {
    name: 'flux1-dev',
    kind: 'dev',
    description: 'FLUX.1-dev, up to 1024 x 1024 pixels: distilled guidance, 28 steps',
    parts: official('black-forest-labs/FLUX.1-dev', 'flux1-dev.safetensors', {
      name: 'FLUX.1 [dev] Non-Commercial',
      url: 'https://huggingface.co/black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md',
      accept: 'non-commercial',
    }),
  },
  {
    name: 'flux1-schnell',
    kind: 'schnell',
    description: 'FLUX.1-schnell, up to 1024 x 1024 pixels: 4 steps',
    parts: official('black-forest-labs/FLUX.1-schnell', 'flux1-schnell.safetensors', {
      name: 'Apache-2.0',
      url: 'https://huggingface.co/black-forest-labs/FLUX.1-schnell',
    }),
  },
];

/** The licence of an official model in a few words, for lists. */
export function licenceOf({ parts: [{ licence, gated }] }: OfficialFlux): string {
  return gated ? `${licence.name} (gated)` : licence.name;
}
