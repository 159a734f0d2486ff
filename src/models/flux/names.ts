// The two layouts of FLUX checkpoints under one naming: that of the official files (flux/model.py, autoencoder.py). The
// names of Diffusers are translated: its split projections are joined, the halves of the last layer's modulation exchanged,
// its up blocks counted from the other end, its attention matrices made 1 x 1 convolutions again.

import { inRange } from '../../core/config-fields.js';
import { RANGES } from '../../core/config-ranges.js';
import { CheckpointError } from '../../core/errors.js';
import type { NamedWeights } from '../../runtime/graph/index.js';
import { quoteName, type TensorSource, unwrapped } from '../../runtime/weights/index.js';

/** Where a tensor of the official naming comes from. */
interface Origin {
  /** Tensors to be laid one behind the other along the first axis. */
  readonly keys: string[];
  /** The second half before the first. */
  readonly exchanged?: boolean;
  /** Sizes of 1 to be put behind the shape. */
  readonly ones?: number;
}

/** A module of Diffusers, the official one, and its place in a joined projection or what else is to be done. */
type Rule = readonly [RegExp, string, ({ readonly part?: number } & Omit<Origin, 'keys'>)?];

const DOUBLE = '^transformer_blocks\\.(\\d+)\\.';
const SINGLE = '^single_transformer_blocks\\.(\\d+)\\.';

function transformerRules(): Rule[] {
  const rules: Rule[] = [
    [/^x_embedder\.(\w+)$/, 'img_in.$1'],
    [/^context_embedder\.(\w+)$/, 'txt_in.$1'],
    [/^proj_out\.(\w+)$/, 'final_layer.linear.$1'],
    [/^norm_out\.linear\.(\w+)$/, 'final_layer.adaLN_modulation.1.$1', { exchanged: true }],
  ];
  for (const [theirs, ours] of [
    ['timestep', 'time'],
    ['text', 'vector'],
    ['guidance', 'guidance'],
  ] as const) {
    for (const [number, layer] of [
      [1, 'in_layer'],
      [2, 'out_layer'],
    ] as const) {
      rules.push([
        new RegExp(`^time_text_embed\\.${theirs}_embedder\\.linear_${number}\\.(\\w+)$`),
        `${ours}_in.${layer}.$1`,
      ]);
    }
  }
  for (const stream of [
    {
      ours: 'img',
      norm: 'norm1',
      projections: ['to_q', 'to_k', 'to_v'],
      out: 'to_out\\.0',
      added: '',
      ff: 'ff',
    },
    {
      ours: 'txt',
      norm: 'norm1_context',
      projections: ['add_q_proj', 'add_k_proj', 'add_v_proj'],
      out: 'to_add_out',
      added: 'added_',
      ff: 'ff_context',
    },
  ]) {
    const at = `double_blocks.$1.${stream.ours}`;
    rules.push(
      [new RegExp(`${DOUBLE}${stream.norm}\\.linear\\.(\\w+)$`), `${at}_mod.lin.$2`],
      [new RegExp(`${DOUBLE}attn\\.norm_${stream.added}q\\.weight$`), `${at}_attn.norm.query_norm.scale`],
      [new RegExp(`${DOUBLE}attn\\.norm_${stream.added}k\\.weight$`), `${at}_attn.norm.key_norm.scale`],
      [new RegExp(`${DOUBLE}attn\\.${stream.out}\\.(\\w+)$`), `${at}_attn.proj.$2`],
      [new RegExp(`${DOUBLE}${stream.ff}\\.net\\.0\\.proj\\.(\\w+)$`), `${at}_mlp.0.$2`],
      [new RegExp(`${DOUBLE}${stream.ff}\\.net\\.2\\.(\\w+)$`), `${at}_mlp.2.$2`],
    );
    stream.projections.forEach((name, part) => {
      rules.push([new RegExp(`${DOUBLE}attn\\.${name}\\.(\\w+)$`), `${at}_attn.qkv.$2`, { part }]);
    });
  }
  const single = 'single_blocks.$1';
  ['attn\\.to_q', 'attn\\.to_k', 'attn\\.to_v', 'proj_mlp'].forEach((name, part) => {
    rules.push([new RegExp(`${SINGLE}${name}\\.(\\w+)$`), `${single}.linear1.$2`, { part }]);
  });
  rules.push(
    [new RegExp(`${SINGLE}proj_out\\.(\\w+)$`), `${single}.linear2.$2`],
    [new RegExp(`${SINGLE}norm\\.linear\\.(\\w+)$`), `${single}.modulation.lin.$2`],
    [new RegExp(`${SINGLE}attn\\.norm_q\\.weight$`), `${single}.norm.query_norm.scale`],
    [new RegExp(`${SINGLE}attn\\.norm_k\\.weight$`), `${single}.norm.key_norm.scale`],
  );
  return rules;
}

function autoencoderRules(levels: number): Rule[] {
  const rules: Rule[] = [
    [/^(encoder|decoder)\.(conv_in|conv_out)\.(\w+)$/, '$1.$2.$3'],
    [/^(encoder|decoder)\.conv_norm_out\.(\w+)$/, '$1.norm_out.$2'],
    [/^(\w+)\.mid_block\.resnets\.0\.(.+)$/, '$1.mid.block_1.$2'],
    [/^(\w+)\.mid_block\.resnets\.1\.(.+)$/, '$1.mid.block_2.$2'],
    [/^(\w+)\.mid_block\.attentions\.0\.group_norm\.(\w+)$/, '$1.mid.attn_1.norm.$2'],
    [/^(\w+)\.mid_block\.attentions\.0\.to_([qkv])\.weight$/, '$1.mid.attn_1.$2.weight', { ones: 2 }],
    [/^(\w+)\.mid_block\.attentions\.0\.to_([qkv])\.bias$/, '$1.mid.attn_1.$2.bias'],
    [/^(\w+)\.mid_block\.attentions\.0\.to_out\.0\.weight$/, '$1.mid.attn_1.proj_out.weight', { ones: 2 }],
    [/^(\w+)\.mid_block\.attentions\.0\.to_out\.0\.bias$/, '$1.mid.attn_1.proj_out.bias'],
    [/^encoder\.down_blocks\.(\d+)\.resnets\.(\d+)\.(.+)$/, 'encoder.down.$1.block.$2.$3'],
    [/^encoder\.down_blocks\.(\d+)\.downsamplers\.0\.(.+)$/, 'encoder.down.$1.downsample.$2'],
  ];
  for (let level = 0; level < levels; level++) {
    const [theirs, ours] = [`^decoder\\.up_blocks\\.${levels - 1 - level}`, `decoder.up.${level}`];
    rules.push(
      [new RegExp(`${theirs}\\.resnets\\.(\\d+)\\.(.+)$`), `${ours}.block.$1.$2`],
      [new RegExp(`${theirs}\\.upsamplers\\.0\\.(.+)$`), `${ours}.upsample.$1`],
    );
  }
  return rules;
}

/** What Diffusers calls the shortcut of a block that changes the width. */
const SHORTCUT = /\bconv_shortcut\b/;

/** A checkpoint under the official names, from whatever layout the tensors are in. */
function translated(source: TensorSource, rules: readonly Rule[]): NamedWeights {
  const origins = new Map<string, Origin>();
  for (const key of source.names) {
    const rule = rules.find(([pattern]) => pattern.test(key));
    if (!rule) {
      throw new CheckpointError(
        source.label,
        `has a tensor '${quoteName(key)}' that Diffusers' FLUX does not have`,
      );
    }
    const [pattern, template, { part, ...rest } = {}] = rule;
    const name = key.replace(pattern, template).replace(SHORTCUT, 'nin_shortcut');
    const origin = origins.get(name) ?? { keys: [], ...rest };
    origin.keys[part ?? 0] = key;
    origins.set(name, origin);
  }
  const find = (name: string): Origin => {
    const origin = origins.get(name);
    if (!origin) throw new CheckpointError(source.label, `has no tensor for '${name}'`);
    for (let i = 0; i < origin.keys.length; i++) {
      if (origin.keys[i] === undefined) {
        throw new CheckpointError(source.label, `has only a part of '${name}': projection ${i} is missing`);
      }
    }
    return origin;
  };
  return {
    label: source.label,
    names: [...origins.keys()],
    has: (name) => origins.has(name),
    info: (name) => {
      const { keys, ones = 0 } = find(name);
      const shapes = keys.map((key) => source.info(key).shape);
      const rows = shapes.reduce((sum, [first = 1]) => sum + first, 0);
      return { shape: [rows, ...(shapes[0]?.slice(1) ?? []), ...Array.from({ length: ones }, () => 1)] };
    },
    read: (name) => {
      const { keys, exchanged } = find(name);
      const [first, ...others] = keys.map((key) => source.read(key));
      const data = first && others.length === 0 ? first : joined(first ? [first, ...others] : []);
      if (exchanged !== true) return data;
      const half = data.length / 2;
      return joined([data.subarray(half), data.subarray(0, half)]);
    },
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Marks of files that people take for a FLUX transformer, and what they are. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [
    /^(block_chunks|blocks)\.\d+\.|^word_embed\./,
    'is an Infinity transformer, not a FLUX: keep it as transformer.pth beside its config.json and vae.pth',
  ],
  [
    /^(decoder|encoder)\.(conv_in|mid|mid_block)\b|^vae\.decoder\./,
    'is an autoencoder, not a FLUX transformer: that one is flux1-dev.safetensors, flux1-schnell.safetensors or the folder transformer/',
  ],
  [/^encoder\.block\.\d+\.layer\.|^text_model\./, 'is a text encoder, not a FLUX transformer'],
  [/\blora_(A|B|up|down)\b/, 'is a LoRA, not a whole FLUX transformer'],
  [/^joint_blocks\.\d+\.|^model\.diffusion_model\.joint_blocks\./, 'is a Stable Diffusion 3, not a FLUX'],
];

/** ComfyUI's checkpoints keep the transformer under this prefix, beside the encoders. */
const TRANSFORMER = { marks: ['img_in.weight', 'x_embedder.weight'], official: ['model.diffusion_model.'] };
const AUTOENCODER = { marks: ['decoder.mid.attn_1.q.weight', 'decoder.mid_block.resnets.0.norm1.weight'] };

/** The tensors of a FLUX transformer under the official names. Throws CheckpointError, saying what the file is, for any other. */
export function fluxTensors(file: TensorSource): NamedWeights {
  const { label } = file;
  const source = unwrapped(file, TRANSFORMER);
  if (source.names.some((name) => name === 'scaled_fp8' || name.endsWith('.scale_weight'))) {
    throw new CheckpointError(
      label,
      'holds scaled float8 weights, which are not read: take a file with plain F8_E4M3, BF16 or F32 weights',
    );
  }
  if (source.has('img_in.weight') && source.has('final_layer.linear.weight')) return source;
  if (source.has('x_embedder.weight') && source.has('context_embedder.weight')) {
    return translated(source, transformerRules());
  }
  const other = OTHERS.find(([mark]) => source.names.some((name) => mark.test(name)));
  throw new CheckpointError(
    label,
    other?.[1] ??
      "is no FLUX transformer: it has neither 'img_in.weight' (official) nor 'x_embedder.weight' (Diffusers)",
  );
}

/** The tensors of FLUX's autoencoder under the official names. Throws CheckpointError, saying what the file is, for any other. */
export function autoencoderTensors(file: TensorSource): NamedWeights {
  const { label } = file;
  if (file.names.some((name) => /^(vae\.)?quanti[sz]e/.test(name) || name.startsWith('vae.'))) {
    throw new CheckpointError(
      label,
      "is a BSQ autoencoder, Infinity's: FLUX needs its own, ae.safetensors or the folder vae/",
    );
  }
  const source = unwrapped(file, AUTOENCODER);
  if (source.has('img_in.weight') || source.has('x_embedder.weight')) {
    throw new CheckpointError(
      label,
      'is a transformer, not an autoencoder: that one is ae.safetensors or the folder vae/',
    );
  }
  if (source.has('decoder.mid_block.resnets.0.norm1.weight')) {
    if (source.has('post_quant_conv.weight')) {
      throw new CheckpointError(
        label,
        "is the VAE of a Stable Diffusion, not FLUX's: it has a 'post_quant_conv'",
      );
    }
    const levels =
      new Set(source.names.map((name) => /^decoder\.up_blocks\.(\d+)\./.exec(name)?.[1])).size - 1;
    return translated(source, autoencoderRules(inRange(label, 'up_blocks', levels, RANGES.levelsOfVae)));
  }
  if (source.has('decoder.mid.attn_1.q.weight')) return source;
  throw new CheckpointError(
    label,
    "is no autoencoder of FLUX's kind: it has no decoder with an attention in its middle",
  );
}
