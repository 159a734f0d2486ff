// FLUX's transformer as a graph (flux/model.py, flux/modules/layers.py): one forward of a batch of latents, each with its
// own time, guidance and text. B rows, L image tokens, T text tokens, N = T + L, C width, H heads.
// Text stands before the image, in the joint attention and in the single blocks.

import {
  add,
  concat,
  geluTanh,
  gemmFrom,
  GraphBuilder,
  type GraphModel,
  layerNorm,
  mul,
  multiHeadAttention,
  type NamedWeights,
  type Precision,
  reshapeTo,
  rmsNorm,
  silu,
  sizeOf,
  sliceBetween,
  split,
  unsqueeze,
  type Value,
} from '../../runtime/graph/index.js';
import { type FluxConfig, SINUSOID_WIDTH } from './config.js';

const EPS = 1e-6;

/** Names of the layers that are computed in the precision that is asked for. */
const IN_BLOCKS = /^(?:double|single)_blocks\./;

/** What a layer of the graph costs: multiplications once a row, per text token, image token, or token of both; attention per pair. */
export interface LayerCost {
  readonly over: 'row' | 'text' | 'image' | 'tokens' | 'pairs';
  readonly multiplications: number;
}

/** A built transformer. */
export interface FluxGraph {
  readonly model: GraphModel;
  /** The matrix products of the graph, in the order in which they were built. */
  readonly costs: readonly LayerCost[];
}

/** Tokens [B, n, C] of one stream, with what is needed to bring rows back into that shape. */
interface Stream {
  readonly over: 'text' | 'image' | 'tokens';
  /** The name of n. */
  readonly length: string;
  /** int64 [3]: B, n, -1. */
  readonly spec: Value;
}

/**
 * Builds the transformer.
 *
 * Inputs: `latents` [B, L, channels] packed; `text` [B, T, context]; `time` [B, 256] and, for models that have it,
 * `guidance` [B, 256], both as sinusoids; `pooled` [B, vector]; `cos`, `sin` [N, C / H / 2].
 * Output: `prediction` [B, L, out channels], noise minus picture. The precision is that of the blocks' linear layers, 99.5% of a
 * FLUX.1; what comes before and after them is float32.
 */
export function buildFluxGraph(
  config: FluxConfig,
  weights: NamedWeights,
  precision: Precision = 'float32',
): FluxGraph {
  return new Builder(config, weights, precision).build();
}

class Builder {
  readonly #g = new GraphBuilder('flux');
  readonly #costs: LayerCost[] = [];
  readonly #config: FluxConfig;
  readonly #weights: NamedWeights;
  readonly #precision: Precision;
  readonly #cos: Value;
  readonly #sin: Value;

  constructor(config: FluxConfig, weights: NamedWeights, precision: Precision) {
    this.#config = config;
    this.#weights = weights;
    this.#precision = precision;
    const half = config.width / config.heads / 2;
    this.#cos = this.#g.input('cos', 'float32', ['N', half]);
    this.#sin = this.#g.input('sin', 'float32', ['N', half]);
  }

  build(): FluxGraph {
    const g = this.#g;
    const { channels, outChannels, contextWidth, depth, singleDepth } = this.#config;
    const latents = g.input('latents', 'float32', ['B', 'L', channels]);
    const states = g.input('text', 'float32', ['B', 'T', contextWidth]);
    const stream = (over: Stream['over'], length: string, tokens: Value): Stream => ({
      over,
      length,
      spec: concat([sizeOf(latents, 0), tokens, g.constant([-1])], 0),
    });
    const image = stream('image', 'L', sizeOf(latents, 1));
    const text = stream('text', 'T', sizeOf(states, 1));
    const both = stream('tokens', 'N', sizeOf(this.#cos, 0));

    const vector = silu(this.#conditions()); // [B, C]; every modulation applies SiLU first
    let img = this.#dense(latents, 'img_in', this.#config.width, image);
    let txt = this.#dense(states, 'txt_in', this.#config.width, text);
    for (let i = 0; i < depth; i++) {
      [img, txt] = g.scoped(`double${i}`, () =>
        this.#doubleBlock(`double_blocks.${i}`, { img, txt, vector, image, text, both }),
      );
    }
    let x = concat([txt, img], 1);
    for (let i = 0; i < singleDepth; i++) {
      x = g.scoped(`single${i}`, () => this.#singleBlock(`single_blocks.${i}`, x, vector, both));
    }
    const end = g.constant([Number.MAX_SAFE_INTEGER]);
    img = sliceBetween(x, 1, sizeOf(states, 1), end, 'L');
    const [shift, scale] = this.#modulation(vector, 'final_layer.adaLN_modulation.1', 2) as [Value, Value];
    const prediction = this.#dense(modulate(img, shift, scale), 'final_layer.linear', outChannels, image);
    g.output('prediction', prediction, ['B', 'L', outChannels]);
    return { model: g.build(), costs: this.#costs };
  }

  /** The sum of the embeddings of time, guidance and pooled text, [B, C]. */
  #conditions(): Value {
    const g = this.#g;
    const embed = (input: string, width: number, name: string): Value => {
      const inner = this.#rows(
        g.input(input, 'float32', ['B', width]),
        `${name}.in_layer`,
        this.#config.width,
        'row',
      );
      return this.#rows(silu(inner), `${name}.out_layer`, this.#config.width, 'row');
    };
    const time = embed('time', SINUSOID_WIDTH, 'time_in');
    const guided = this.#config.guidance ? add(time, embed('guidance', SINUSOID_WIDTH, 'guidance_in')) : time;
    return add(guided, embed('pooled', this.#config.vectorWidth, 'vector_in'));
  }

  /** `count` vectors [B, 1, C] that a norm's factor, summand or a branch's gate are made of. */
  #modulation(vector: Value, name: string, count: number): Value[] {
    const { width } = this.#config;
    const all = unsqueeze(this.#rows(vector, name, count * width, 'row'), [1]);
    return split(
      all,
      Array.from({ length: count }, () => width),
      2,
    );
  }

  #doubleBlock(
    name: string,
    {
      img,
      txt,
      vector,
      image,
      text,
      both,
    }: Record<'img' | 'txt' | 'vector', Value> & Record<'image' | 'text' | 'both', Stream>,
  ): [img: Value, txt: Value] {
    const { width, hidden, qkvBias } = this.#config;
    const parts = (
      [
        ['txt', txt, text],
        ['img', img, image],
      ] as const
    ).map(([part, x, stream]) => {
      const at = `${name}.${part}`;
      const [shift1, scale1, gate1, shift2, scale2, gate2] = this.#modulation(vector, `${at}_mod.lin`, 6) as [
        Value, Value, Value, Value, Value, Value,
      ]; // prettier-ignore
      const joint = this.#dense(modulate(x, shift1, scale1), `${at}_attn.qkv`, 3 * width, stream, qkvBias);
      const heads = this.#heads(split(joint, [width, width, width], 2), `${at}_attn.norm`);
      const finish = (attended: Value): Value => {
        const h = add(x, mul(gate1, this.#dense(attended, `${at}_attn.proj`, width, stream)));
        const inner = this.#dense(modulate(h, shift2, scale2), `${at}_mlp.0`, hidden, stream);
        return add(h, mul(gate2, this.#dense(geluTanh(inner), `${at}_mlp.2`, width, stream)));
      };
      return { heads, finish };
    });
    const [texts, images] = parts as [(typeof parts)[0], (typeof parts)[0]];
    const joined = texts.heads.map((x, i) => concat([x, images.heads[i] as Value], 1));
    const attended = this.#attention(joined, both);
    const border = sizeOf(txt, 1);
    const end = this.#g.constant([Number.MAX_SAFE_INTEGER]);
    const ofText = sliceBetween(attended, 1, this.#g.constant([0]), border, 'T');
    const ofImage = sliceBetween(attended, 1, border, end, 'L');
    return [images.finish(ofImage), texts.finish(ofText)];
  }

  #singleBlock(name: string, x: Value, vector: Value, both: Stream): Value {
    const { width, hidden } = this.#config;
    const [shift, scale, gate] = this.#modulation(vector, `${name}.modulation.lin`, 3) as [
      Value,
      Value,
      Value,
    ];
    const joint = this.#dense(modulate(x, shift, scale), `${name}.linear1`, 3 * width + hidden, both);
    const [q, k, v, mlp] = split(joint, [width, width, width, hidden], 2) as [Value, Value, Value, Value];
    const attended = this.#attention(this.#heads([q, k, v], `${name}.norm`), both);
    const out = this.#dense(concat([attended, geluTanh(mlp)], 2), `${name}.linear2`, width, both);
    return add(x, mul(gate, out));
  }

  /** Queries, keys and values [B, n, C], the first two over their root mean square per head, with weights. */
  #heads([query, key, value]: readonly Value[], name: string): Value[] {
    const g = this.#g;
    const { width, heads } = this.#config;
    const headWidth = width / heads;
    const norm = (x: Value, which: string): Value => {
      const weight = g.weightFrom(this.#weights, `${name}.${which}.scale`, { expected: [headWidth] });
      const parted = reshapeTo(x, g.constant([0, 0, heads, headWidth]), [
        ...x.shape.slice(0, 2),
        heads,
        headWidth,
      ]);
      return reshapeTo(rmsNorm(parted, { eps: EPS, weight }), g.constant([0, 0, width]), x.shape);
    };
    return [norm(query as Value, 'query_norm'), norm(key as Value, 'key_norm'), value as Value];
  }

  /** Attention of all tokens, [B, N, C] each, queries and keys turned by the rotary table. */
  #attention([query, key, value]: readonly Value[], { length }: Stream): Value {
    const { heads, width } = this.#config;
    const shape = ['B', length, width];
    const rotate = (x: Value): Value =>
      x.graph.op1('RotaryEmbedding', {
        inputs: [x, x.graph.constant([0]), this.#cos, this.#sin],
        domain: 'com.microsoft',
        attributes: { interleaved: 1, num_heads: heads, rotary_embedding_dim: 0 },
        type: 'float32',
        shape,
      });
    this.#costs.push({ over: 'pairs', multiplications: 2 * width });
    return multiHeadAttention({
      heads,
      query: rotate(query as Value),
      key: rotate(key as Value),
      value: value as Value,
    }).output;
  }

  /** A linear layer over tokens [B, n, in]; gives [B, n, out]. */
  #dense(x: Value, name: string, out: number, { over, length, spec }: Stream, bias = true): Value {
    return reshapeTo(this.#rows(x, name, out, over, bias), spec, ['B', length, out]);
  }

  /** A linear layer over rows; counts what it costs. */
  #rows(x: Value, name: string, out: number, over: LayerCost['over'], bias = true): Value {
    this.#costs.push({ over, multiplications: out * (x.shape.at(-1) as number) });
    const precision = IN_BLOCKS.test(name) ? this.#precision : 'float32';
    return gemmFrom(x, this.#weights, name, { out, bias, precision });
  }
}

/** x [B, n, C] normed without weights, times 1 + scale, plus shift, both [B, 1, C]. */
function modulate(x: Value, shift: Value, scale: Value): Value {
  return add(mul(layerNorm(x, { eps: EPS }), add(scale, 1)), shift);
}
