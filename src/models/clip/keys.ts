// The two layouts of CLIP checkpoints under one naming: Hugging Face's CLIPModel. OpenAI's names are translated, its
// packed projections cut in three, its right-hand projections turned round, as transformers' conversion script does
// (convert_clip_original_pytorch_to_hf.py).

import { CheckpointError } from '../../core/errors.js';
import type { TensorSource, Wanted } from '../../runtime/weights/index.js';

/** The part of a checkpoint that graphs are built from, under Hugging Face's names. */
export interface ClipTensors {
  /** The file, for messages. */
  readonly label: string;
  readonly layout: 'hugging-face' | 'openai';
  has(name: string): boolean;
  info(name: string): { readonly shape: readonly number[] };
  /** Row-major elements in float32. */
  read(name: string): Float32Array;
}

const HUGGING_FACE_MARKS = [
  'vision_model.embeddings.class_embedding',
  'text_model.embeddings.token_embedding.weight',
];
const OPENAI_MARK = 'visual.class_embedding';
const OPENAI_RESNET_MARK = 'visual.layer1.0.conv1.weight';

/** A CLIP in either layout. */
export const CLIP: Wanted = { marks: [...HUGGING_FACE_MARKS, OPENAI_MARK] };

/** Recognises the layout of a checkpoint; throws CheckpointError when it is no CLIP with a ViT. */
export function clipTensors(source: TensorSource): ClipTensors {
  const { label } = source;
  if (HUGGING_FACE_MARKS.some((name) => source.has(name))) {
    return {
      label,
      layout: 'hugging-face',
      has: (name) => source.has(name),
      info: (name) => source.info(name),
      read: (name) => source.read(name),
    };
  }
  if (source.has(OPENAI_MARK)) return openAiTensors(source);
  throw new CheckpointError(
    label,
    source.has(OPENAI_RESNET_MARK)
      ? 'is a CLIP with a ResNet, which is not supported: take one with a ViT, such as ViT-L/14'
      : `is no CLIP: it has neither '${HUGGING_FACE_MARKS[0]}' (Hugging Face) nor '${OPENAI_MARK}' (OpenAI)`,
  );
}

/** A tensor of OpenAI's that stands for one of Hugging Face's. */
interface Origin {
  readonly key: string;
  /** Which third of a packed projection. */
  readonly third?: number;
  /** Stored as [in, out]. */
  readonly transposed?: true;
}

/** Modules of OpenAI's and their Hugging Face names, tried in this order. */
const MODULES: readonly (readonly [RegExp, string])[] = [
  [/^visual\.transformer\.resblocks\.(\d+)\./, 'vision_model.encoder.layers.$1.'],
  [/^transformer\.resblocks\.(\d+)\./, 'text_model.encoder.layers.$1.'],
  [/\.attn\./, '.self_attn.'],
  [/\.ln_([12])\./, '.layer_norm$1.'],
  [/\.mlp\.c_fc\./, '.mlp.fc1.'],
  [/\.mlp\.c_proj\./, '.mlp.fc2.'],
  [/^visual\.ln_pre\./, 'vision_model.pre_layrnorm.'],
  [/^visual\.ln_post\./, 'vision_model.post_layernorm.'],
  [/^visual\.conv1\.weight$/, 'vision_model.embeddings.patch_embedding.weight'],
  [/^visual\.class_embedding$/, 'vision_model.embeddings.class_embedding'],
  [/^visual\.positional_embedding$/, 'vision_model.embeddings.position_embedding.weight'],
  [/^token_embedding\.weight$/, 'text_model.embeddings.token_embedding.weight'],
  [/^positional_embedding$/, 'text_model.embeddings.position_embedding.weight'],
  [/^ln_final\./, 'text_model.final_layer_norm.'],
];
const PROJECTIONS: ReadonlyMap<string, string> = new Map([
  ['visual.proj', 'visual_projection.weight'],
  ['text_projection', 'text_projection.weight'],
]);
const PACKED = /^(.*\.self_attn\.)in_proj_(weight|bias)$/;

function originsOf(key: string): (readonly [string, Origin])[] {
  const projection = PROJECTIONS.get(key);
  if (projection !== undefined) return [[projection, { key, transposed: true }]];
  const name = MODULES.reduce((text, [from, to]) => text.replace(from, to), key);
  const packed = PACKED.exec(name);
  if (!packed) return [[name, { key }]];
  return ['q', 'k', 'v'].map((part, third) => [`${packed[1]}${part}_proj.${packed[2]}`, { key, third }]);
}

function openAiTensors(source: TensorSource): ClipTensors {
  const origins = new Map(source.names.flatMap(originsOf));
  const find = (name: string): Origin => {
    const origin = origins.get(name);
    if (origin) return origin;
    throw new CheckpointError(source.label, `has no tensor for '${name}'`);
  };
  return {
    label: source.label,
    layout: 'openai',
    has: (name) => origins.has(name),
    info: (name) => {
      const { key, third, transposed } = find(name);
      const { shape } = source.info(key);
      if (transposed) return { shape: shape.toReversed() };
      return { shape: third === undefined ? shape : shape.map((size, i) => (i === 0 ? size / 3 : size)) };
    },
    read: (name) => {
      const { key, third, transposed } = find(name);
      const data = source.read(key);
      if (transposed) return transpose(data, source.info(key).shape);
      if (third === undefined) return data;
      return data.slice((third * data.length) / 3, ((third + 1) * data.length) / 3);
    },
  };
}

function transpose(data: Float32Array, [rows = 0, columns = 0]: readonly number[]): Float32Array {
  return data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)] as number);
}
