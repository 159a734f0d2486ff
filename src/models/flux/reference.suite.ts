// FLUX's transformer by its definition, in float64 and one sequence at a time, for tests.

import type { FluxConfig } from './config.js';
import type { FluxRow } from './transformer.js';

type Rows = number[][];
type Weights = ReadonlyMap<string, { readonly data: Float32Array }>;

const silu = (x: number): number => x / (1 + Math.exp(-x));
const gelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const toRows = (data: ArrayLike<number>, width: number): Rows =>
  Array.from({ length: data.length / width }, (_, i) => Array.from(data).slice(i * width, (i + 1) * width));

/** The prediction [tokens, channels] of one row. */
export function fluxByDefinition(
  config: FluxConfig,
  weights: Weights,
  { latent, text, time, guidance }: FluxRow,
  ids: ArrayLike<number>,
): number[] {
  const { width, heads, hidden, depth, singleDepth, channels, contextWidth, axes, theta } = config;
  const headWidth = width / heads;
  const get = (name: string): Float32Array => weights.get(name)!.data;
  const linear = (x: Rows, name: string): Rows => {
    const matrix = toRows(get(`${name}.weight`), x[0]!.length);
    const bias = weights.get(`${name}.bias`)?.data;
    return x.map((row) => matrix.map((w, o) => dot(row, w) + (bias?.[o] ?? 0)));
  };
  const sinusoid = (value: number): number[] => {
    const angles = Array.from(
      { length: 128 },
      (_, i) => 1000 * value * Math.exp((-Math.log(10000) * i) / 128),
    );
    return [...angles.map(Math.cos), ...angles.map(Math.sin)];
  };
  const embed = (x: number[], name: string): number[] =>
    linear([linear([x], `${name}.in_layer`)[0]!.map(silu)], `${name}.out_layer`)[0]!;
  const plus = (a: Rows, b: Rows, gate?: number[]): Rows =>
    a.map((row, l) => row.map((x, i) => x + b[l]![i]! * (gate?.[i] ?? 1)));

  let vector = embed(sinusoid(time), 'time_in').map((x, i) => x + embed([...text.pooled], 'vector_in')[i]!);
  if (guidance !== undefined) {
    const guided = embed(sinusoid(guidance), 'guidance_in');
    vector = vector.map((x, i) => x + guided[i]!);
  }
  const modulation = (name: string): Rows => toRows(linear([vector.map(silu)], name)[0]!, width);
  const modulate = (x: Rows, shift: number[], scale: number[]): Rows =>
    x.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / width;
      const deviation = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / width + 1e-6);
      return row.map((value, i) => ((value - mean) / deviation) * (1 + scale[i]!) + shift[i]!);
    });
  const rmsNorm = (row: number[], scale: Float32Array): number[] => {
    const root = Math.sqrt(dot(row, row) / row.length + 1e-6);
    return row.map((x, i) => (x / root) * scale[i]!);
  };
  const places = [...Array.from({ length: text.tokens }, () => [0, 0, 0]), ...toRows(ids, 3)];
  const rotate = (row: number[], place: number[]): number[] => {
    const out = [...row];
    let at = 0;
    axes.forEach((axis, a) => {
      for (let i = 0; i < axis; i += 2, at += 2) {
        const angle = place[a]! * theta ** (-i / axis);
        const [even, odd] = [row[at]!, row[at + 1]!];
        out[at] = even * Math.cos(angle) - odd * Math.sin(angle);
        out[at + 1] = even * Math.sin(angle) + odd * Math.cos(angle);
      }
    });
    return out;
  };
  /** Queries, keys and values of every token, per head: normed, not yet turned. */
  const heads3 = (joint: Rows, norm: string): number[][][][] =>
    [0, 1, 2].map((part) =>
      joint.map((row) =>
        toRows(row.slice(part * width, (part + 1) * width), headWidth).map((head) =>
          part === 2 ? head : rmsNorm(head, get(`${norm}.${part === 0 ? 'query' : 'key'}_norm.scale`)),
        ),
      ),
    );
  const attention = ([q, k, v]: number[][][][]): Rows =>
    q!.map((query, l) =>
      query.flatMap((head, h) => {
        const turned = rotate(head, places[l]!);
        const scores = k!.map((key, t) =>
          Math.exp(dot(turned, rotate(key[h]!, places[t]!)) / Math.sqrt(headWidth)),
        );
        const sum = scores.reduce((a, b) => a + b, 0);
        return Array.from({ length: headWidth }, (_, d) =>
          scores.reduce((total, score, t) => total + (score / sum) * v![t]![h]![d]!, 0),
        );
      }),
    );

  let img = linear(toRows(latent, channels), 'img_in');
  let txt = linear(toRows(text.states, contextWidth), 'txt_in');
  for (let i = 0; i < depth; i++) {
    const [im, tm] = ['img', 'txt'].map((part) => modulation(`double_blocks.${i}.${part}_mod.lin`)) as [
      Rows,
      Rows,
    ];
    const joint = [txt, img].map((x, s) => {
      const part = `double_blocks.${i}.${s === 0 ? 'txt' : 'img'}_attn`;
      const [shift, scale] = (s === 0 ? tm : im) as [number[], number[]];
      return heads3(linear(modulate(x, shift, scale), `${part}.qkv`), `${part}.norm`);
    });
    const out = attention([0, 1, 2].map((p) => [...joint[0]![p]!, ...joint[1]![p]!]));
    const finish = (x: Rows, part: string, m: Rows, attended: Rows): Rows => {
      const h = plus(x, linear(attended, `double_blocks.${i}.${part}_attn.proj`), m[2]);
      const inner = linear(modulate(h, m[3]!, m[4]!), `double_blocks.${i}.${part}_mlp.0`);
      return plus(
        h,
        linear(
          inner.map((row) => row.map(gelu)),
          `double_blocks.${i}.${part}_mlp.2`,
        ),
        m[5],
      );
    };
    [img, txt] = [
      finish(img, 'img', im, out.slice(text.tokens)),
      finish(txt, 'txt', tm, out.slice(0, text.tokens)),
    ];
  }
  let x = [...txt, ...img];
  for (let i = 0; i < singleDepth; i++) {
    const [shift, scale, gate] = modulation(`single_blocks.${i}.modulation.lin`) as [
      number[],
      number[],
      number[],
    ];
    const joint = linear(modulate(x, shift, scale), `single_blocks.${i}.linear1`);
    const attended = attention(heads3(joint, `single_blocks.${i}.norm`));
    const inner = attended.map((row, l) => [
      ...row,
      ...joint[l]!.slice(3 * width, 3 * width + hidden).map(gelu),
    ]);
    x = plus(x, linear(inner, `single_blocks.${i}.linear2`), gate);
  }
  const [shift, scale] = modulation('final_layer.adaLN_modulation.1') as [number[], number[]];
  return linear(modulate(x.slice(text.tokens), shift, scale), 'final_layer.linear').flat();
}
