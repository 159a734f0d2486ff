// A prompt made ready in Infinity: draws scales, shares forward passes and keys and values between candidates, decodes.

import { throwIfAborted } from '../../core/errors.js';
import { type Image, imageFromPlanes } from '../../core/image.js';
import type { Ledger } from '../../core/ledger.js';
import type { Draw } from '../../core/random.js';
import { checkReadout } from '../../core/readout.js';
import type { Reservation } from '../../core/reservation.js';
import type { Precision } from '../../runtime/graph/index.js';
import {
  type Copy,
  float32Tensor,
  type HostTensor,
  int64Tensor,
  type JoinedOutputs,
  type RunInput,
  type RunResult,
  type Runtime,
  type TensorHandle,
} from '../../runtime/index.js';
import type { CallOptions, Extension, Generator, Prefix, Schedule, View } from '../contract.js';
import { roomIn } from '../held-bytes.js';
import type { VaeDecoder } from '../vae/decoder.js';
import type { PreviewDecoder } from '../vae/preview-decoder.js';
import { type CodeLayout, type Latent, scaleInput } from './codes.js';
import type { InfinityConfig } from './config.js';
import { gatheredBytes, type PagePart, stepBytes, stepTokens } from './cost.js';
import { packBits, unpackBits } from './packing.js';
import { Page } from './page.js';
import { type Forward, InfinityPrefix, type PrefixFamily } from './prefix.js';
import type { RotaryTable } from './rotary.js';
import { sampleBits, type SamplingOptions, thresholds } from './sampling.js';
import type { Scale, ScaleSchedule } from './schedule.js';
import type { TransformerSessions } from './sessions.js';
import { mixMatrix } from './step-graph.js';
import { scheduleOf } from './steps.js';

/** The prompt's side of a generation; its tensors belong to the generator and are freed by `close`. */
export interface TextState {
  /** Sequences per prefix: 2 with guidance, else 1. */
  readonly branches: number;
  /** Tokens of the prompt. */
  readonly tokens: number;
  /** Start token of every branch, [branches, C]. */
  readonly sos: Float32Array;
  readonly modulation: TensorHandle;
  readonly keys: readonly TensorHandle[];
  readonly values: readonly TensorHandle[];
}

/** The parts of the model that every prompt shares. */
export interface InfinityCore {
  /** The transformer's file, for messages. */
  readonly file: string;
  readonly config: InfinityConfig;
  readonly layout: CodeLayout;
  readonly runtime: Runtime;
  readonly sessions: TransformerSessions;
  readonly precision: Precision;
  /** What a block keeps of its tokens. */
  readonly parts: readonly PagePart[];
  /** Inputs of the step's graph for keys and values from before: one of all scales, or one of each. */
  readonly pieces: number;
  readonly decoder: VaeDecoder;
  /** The decoder of unfinished pictures, where they have one of their own: they are only judged. */
  readonly previews?: PreviewDecoder | undefined;
  /** Level embeddings [maxScales, C], the word embedding's bias [C], the start position [C]. */
  readonly levels: Float32Array;
  readonly wordBias: Float32Array;
  readonly posStart: Float32Array;
  /** Bytes that prefixes and a running step may take together. */
  readonly memory: number;
}

/** A prefix's ancestors, the empty one first. */
type Chain = readonly InfinityPrefix[];

/** What a generator is made of. */
export interface GeneratorParts {
  readonly core: InfinityCore;
  readonly text: TextState;
  readonly schedule: ScaleSchedule;
  readonly rotary: readonly RotaryTable[];
  readonly ledger: Ledger;
  /** What prefixes are charged to. */
  readonly reservation?: Reservation | undefined;
  /** Guidance and sampling of every scale. */
  readonly cfg: readonly number[];
  readonly sampling: readonly SamplingOptions[];
}

/** Infinity's generator. Calls are made one after another, as the strategies do. */
export class InfinityGenerator implements Generator {
  readonly schedule: Schedule;
  readonly scales: readonly Scale[];
  readonly ledger: Ledger;
  readonly rollOut?: NonNullable<Generator['rollOut']>;
  readonly #parts: GeneratorParts;
  readonly #family: PrefixFamily;

  constructor(parts: GeneratorParts) {
    this.#parts = parts;
    const { core, text } = parts;
    const { scales } = parts.schedule;
    this.scales = scales;
    this.ledger = parts.ledger;
    this.#family = { scales, layout: core.layout, reservation: parts.reservation, live: 0 };
    if (core.sessions.oneRun) this.rollOut = (draws, until, call) => this.#rollOut(draws, until, call);
    this.schedule = scheduleOf({
      scales,
      sizes: core.config,
      tokenPixels: core.decoder.pictureSize({ height: core.layout.patch, width: core.layout.patch }).width,
      branches: text.branches,
      textTokens: text.tokens,
      precision: core.precision,
    });
  }

  begin(): InfinityPrefix {
    return new InfinityPrefix(this.#family, null, new Uint8Array(0));
  }

  async extend(requests: readonly Extension[], call: CallOptions = {}): Promise<InfinityPrefix[]> {
    const prefixes = requests.map(({ prefix }) => this.#own(prefix));
    await this.computeForwards(prefixes, call);
    (call.ledger ?? this.ledger).add({ nfe: requests.length });
    return requests.map(({ draw }, i) => {
      const prefix = prefixes[i] as InfinityPrefix;
      const sampling = this.#parts.sampling[prefix.step] as SamplingOptions;
      return this.force(prefix, sampleBits(this.#logits(prefix), draw, sampling));
    });
  }

  /** The prefix that follows with these bits of the next scale, [tokens, D] in token order. The caller owns it. */
  force(prefix: InfinityPrefix, bits: Uint8Array): InfinityPrefix {
    const expected = this.#bitsOf(prefix.step);
    if (bits.length !== expected) {
      throw new RangeError(`scale ${prefix.step + 1} has ${expected} bits, got ${bits.length}`);
    }
    return new InfinityPrefix(this.#family, prefix, bits);
  }

  /**
   * Makes sure that every prefix has its forward pass, in micro-batches that keep within the memory budget. Those before it
   * have theirs already, unless it was unpacked: then theirs are computed first, since it reads their keys and values.
   */
  async computeForwards(prefixes: readonly InfinityPrefix[], { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    const complete = prefixes.find(({ step }) => step >= this.scales.length);
    if (complete) throw new RangeError(`a prefix of all ${complete.step} scales cannot be extended`);
    const chains = new Set(prefixes.flatMap((prefix) => prefix.chain()));
    const waiting = [...chains].filter((prefix) => !prefix.isComputed).sort((a, b) => a.step - b.step);
    for (const index of new Set(waiting.map(({ step }) => step))) {
      const group = waiting.filter(({ step }) => step === index);
      const size = this.#microBatch(index);
      for (let start = 0; start < group.length; start += size) {
        throwIfAborted(signal);
        await this.ledger.time('transformer', () => this.#forward(group.slice(start, start + size), index));
      }
    }
  }

  async decode(
    prefixes: readonly Prefix[],
    view: View,
    { signal, ledger = this.ledger }: CallOptions = {},
  ): Promise<Image[]> {
    throwIfAborted(signal);
    const latents = prefixes.map((prefix): Latent => {
      const own = this.#own(prefix);
      return view === 'full' ? own.sum : own.sumOn(this.scales[Math.max(own.step, 1) - 1]);
    });
    const isComplete = prefixes.map(({ step }) => step === this.scales.length);
    const pictures: Image[] = [];
    const { core } = this.#parts;
    // Pictures of one call may differ in size, and in whether they are complete: neighbours that are alike go together.
    for (let start = 0; start < latents.length;) {
      throwIfAborted(signal);
      const first = latents[start] as Latent;
      const decoder = isComplete[start] ? core.decoder : await (core.previews?.open(ledger) ?? core.decoder);
      const fits = decoder.batchWithin(core.memory / 2, first);
      let end = start + 1;
      while (
        end < latents.length &&
        end - start < fits &&
        isComplete[end] === isComplete[start] &&
        sameSize(latents[end], first)
      ) {
        end++;
      }
      const batch = latents.slice(start, end);
      const planes = await ledger.time('decoder', () => decoder.decode(batch));
      const size = decoder.pictureSize(first);
      for (const picture of planes) pictures.push(imageFromPlanes(picture, size.width, size.height));
      ledger.add({ imagesDecoded: batch.length, decoderFlops: batch.length * decoder.flops(first) });
      start = end;
    }
    return pictures;
  }

  pack(prefix: Prefix): Uint8Array {
    const [, ...chain] = this.#own(prefix).chain();
    return packBits(chain.map(({ bits }) => bits));
  }

  unpack(state: Uint8Array): InfinityPrefix {
    const scales = unpackBits(
      state,
      this.scales.map((_, index) => this.#bitsOf(index)),
    );
    return this.#chain(scales);
  }

  stages(prefix: Prefix): InfinityPrefix[] {
    const [, ...chain] = this.#own(prefix).chain();
    return chain.map((each) => each.retain());
  }

  room(from: number, until: number): number {
    return roomIn(this.schedule, this.#parts.core.memory, { from, until });
  }

  close(): void {
    if (this.#family.live > 0) {
      throw new RangeError(`${this.#family.live} prefixes were not released before close`);
    }
    const { modulation, keys, values } = this.#parts.text;
    for (const handle of [modulation, ...keys, ...values]) handle.dispose();
  }

  /** The prefix of the bits of its scales. */
  #chain(scales: readonly Uint8Array[]): InfinityPrefix {
    let prefix = this.begin();
    for (const bits of scales) {
      const next = this.force(prefix, bits);
      prefix.release();
      prefix = next;
    }
    return prefix;
  }

  #own(prefix: Prefix): InfinityPrefix {
    if (!(prefix instanceof InfinityPrefix) || prefix.family !== this.#family) {
      throw new TypeError('the prefix belongs to another generator');
    }
    prefix.assertAlive();
    return prefix;
  }

  #logits(prefix: InfinityPrefix): Float32Array {
    if (!prefix.forward) throw new RangeError(`the forward pass of scale ${prefix.step + 1} is missing`);
    return prefix.forward.logits;
  }

  /** Bits of scale `index` (0-based). */
  #bitsOf(index: number): number {
    return stepTokens(this.scales, index).tokens * this.#parts.core.config.bits;
  }

  #stepSize(index: number): Parameters<typeof stepBytes>[1] {
    const { branches, tokens: textTokens } = this.#parts.text;
    const { precision } = this.#parts.core;
    return { branches, textTokens, precision, ...stepTokens(this.scales, index) };
  }

  /** Half of the budget is for what prefixes hold, half for the step that runs. */
  #microBatch(index: number): number {
    const { core } = this.#parts;
    const size = this.#stepSize(index);
    const each = stepBytes(core.config, size) + gatheredBytes(core.config, size);
    return Math.max(1, Math.floor(core.memory / 2 / each));
  }

  /** Pictures of `until` scales, each drawn in one run of the transformer, in micro-batches that keep within the memory budget. */
  async #rollOut(draws: readonly Draw[], until: number, call: CallOptions = {}): Promise<InfinityPrefix[]> {
    const { signal, ledger = this.ledger } = call;
    const { core, schedule } = this.#parts;
    const plan = { schedule, until, layout: core.layout };
    // A run holds no more than its largest step: keys and values are there once, and not gathered.
    const size = Math.min(...this.scales.slice(0, until).map((_, index) => this.#microBatch(index)));
    const prefixes: InfinityPrefix[] = [];
    try {
      for (let start = 0; start < draws.length; start += size) {
        throwIfAborted(signal);
        const batch = draws.slice(start, start + size);
        const outputs = await core.sessions.rollout(plan, this.ledger, (session) =>
          this.ledger.time('transformer', () => session.run(this.#rolloutInputs(batch, until))),
        );
        prefixes.push(...this.#drawn(outputs, batch.length, until));
        this.#countRollouts(batch.length, until);
      }
    } catch (error) {
      for (const prefix of prefixes) prefix.release();
      throw error;
    }
    ledger.add({ nfe: draws.length * until });
    return prefixes;
  }

  #rolloutInputs(draws: readonly Draw[], until: number): Record<string, RunInput> {
    const { text, sampling } = this.#parts;
    const { branches } = text;
    const n = draws.length;
    const inputs: Record<string, RunInput> = {
      ...this.#textInputs(),
      row_branch: int64Tensor(
        Array.from({ length: branches * n }, (_, row) => Math.floor(row / n)),
        [branches * n],
      ),
    };
    this.scales.slice(0, until).forEach((_, index) => {
      const bits = this.#bitsOf(index);
      const each = new Float32Array(n * bits);
      draws.forEach((draw, i) => {
        const uniform = draw.fold(index + 1).uniform(bits);
        each.set(thresholds(uniform, sampling[index] as SamplingOptions), i * bits);
      });
      // All pictures begin alike: one row.
      const shared = this.#scaleInputs(index === 0 ? 1 : n, index);
      for (const [name, input] of Object.entries(shared)) inputs[`${name}.${index + 1}`] = input;
      inputs[`threshold.${index + 1}`] = float32Tensor(each, [n, bits]);
    });
    return inputs;
  }

  /** The prefixes of a rollout's bits. */
  #drawn(outputs: RunResult, count: number, until: number): InfinityPrefix[] {
    const scales = this.scales.slice(0, until).map((_, index) => {
      const [mean, ...range] = outputs.float32(`logits.${index + 1}`);
      const part = `the logits of scale ${index + 1}`;
      checkReadout(this.#parts.core.file, part, Float32Array.of(mean ?? NaN));
      checkReadout(this.#parts.core.file, part, Float32Array.from(range));
      return outputs.float32(`bits.${index + 1}`);
    });
    return Array.from({ length: count }, (_, i) =>
      this.#chain(
        scales.map((bits) => {
          const each = bits.length / count;
          return Uint8Array.from(bits.subarray(i * each, (i + 1) * each));
        }),
      ),
    );
  }

  /** What a run of rollouts has cost: the first scale is computed once for all of them. */
  #countRollouts(count: number, until: number): void {
    this.schedule.steps.slice(0, until).forEach(({ tokens, flops }, index) => {
      const forwards = index === 0 ? 1 : count;
      this.ledger.add({ forwards, tokens: forwards * tokens, transformerFlops: forwards * flops });
    });
    this.ledger.add({ forwardCalls: 1 });
  }

  /** Runs one step for prefixes of the same scale and hands each its logits and page. */
  async #forward(prefixes: readonly InfinityPrefix[], index: number): Promise<void> {
    const { core } = this.#parts;
    const { config } = core;
    const size = this.#stepSize(index);
    const isLast = this.#isLast(index);
    // Empty prefixes are all the same: one row, as for one of them, where a product of one row may differ in its last bits.
    const rows = index === 0 ? prefixes.slice(0, 1) : prefixes;
    const step = await core.sessions.step();
    // Nothing comes after the last scale, so that its keys and values need not be kept.
    const joined = isLast ? [] : this.#pageOutputs(rows.length, size.tokens);
    const outputs = await step.run(this.#inputs(rows, index), { outputs: ['logits'], joined });
    const made = joined.map(({ name }) => outputs.kept(name));
    let own: Page | null = null;
    try {
      const logits = outputs.float32('logits');
      checkReadout(core.file, `the logits of scale ${index + 1}`, logits);
      const perPrefix = size.tokens * 2 * config.bits;
      for (const [i, prefix] of prefixes.entries()) {
        const row = Math.min(i, rows.length - 1);
        if (!isLast && prefixes.length === 1) own = new Page(core.parts, made);
        const page = isLast
          ? null
          : (own ?? this.#copyPage(made, row, { batch: rows.length, tokens: size.tokens }));
        const forward: Forward = { logits: logits.slice(row * perPrefix, (row + 1) * perPrefix), page };
        prefix.setForward(forward);
      }
    } finally {
      // The page of one prefix is made of them.
      for (const tensor of own ? [] : made) tensor.dispose();
    }
    this.ledger.add({
      forwardCalls: 1,
      forwards: rows.length,
      tokens: rows.length * size.tokens,
      transformerFlops: rows.length * (this.schedule.steps[index]?.flops ?? 0),
    });
  }

  /** Where a run leaves what its blocks keep: of each part one tensor, [depth, branches * batch, tokens, width]. */
  #pageOutputs(batch: number, tokens: number): JoinedOutputs[] {
    const { core, text } = this.#parts;
    return core.parts.map(({ name, type, width }) => ({
      name,
      type,
      dims: [text.branches * batch, tokens, width],
      outputs: core.config.blocks.map((_, block) => `${name}.${block}`),
    }));
  }

  /** Copies row `i` of every block's keys and values out of a batch. */
  #copyPage(
    made: readonly TensorHandle[],
    i: number,
    { batch, tokens }: { readonly batch: number; readonly tokens: number },
  ): Page {
    const { core, text } = this.#parts;
    const depth = core.config.blocks.length;
    const copies = made.map((from, part) => {
      const { type, width } = core.parts[part] as PagePart;
      const row = tokens * width;
      // Blocks and branches lie alike: every `batch` rows one of this prefix.
      const copy: Copy = {
        from,
        offset: i * row,
        stride: batch * row,
        toOffset: 0,
        toStride: row,
        length: row,
        count: depth * text.branches,
      };
      const dims = [depth, text.branches, tokens, width];
      return core.runtime.assemble({ type, dims, parts: [copy] });
    });
    return new Page(core.parts, copies);
  }

  #inputs(prefixes: readonly InfinityPrefix[], index: number): Record<string, RunInput> {
    const { core, rotary } = this.#parts;
    const { width, heads, bits } = core.config;
    const { tokens } = this.#stepSize(index);
    const table = rotary[index] as RotaryTable;
    const n = prefixes.length;
    const half = width / heads / 2;
    const inputs: Record<string, RunInput> = {
      ...this.#textInputs(),
      ...this.#scaleInputs(n, index),
      codes: float32Tensor(this.#codes(prefixes, index), [n * tokens, bits]),
      cos: float32Tensor(table.cos, [tokens, half]),
      sin: float32Tensor(table.sin, [tokens, half]),
      kept: int64Tensor([this.#isLast(index) ? 0 : tokens], [1]),
    };
    const chains = prefixes.map((prefix) => prefix.chain().slice(0, -1));
    for (let piece = 0; piece < core.pieces; piece++) this.#addPast(inputs, chains, piece);
    return inputs;
  }

  #isLast(index: number): boolean {
    return index === this.scales.length - 1;
  }

  /**
   * A piece of the keys and values of every chain, [branches * n, tokens, width] a part and block: those of one scale, or of all
   * before it. What is one scale's of one chain is fed as it lies; all else is copied beside each other.
   */
  #addPast(inputs: Record<string, RunInput>, chains: readonly Chain[], piece: number): void {
    const { core, text } = this.#parts;
    const scales = [...(chains[0]?.keys() ?? [])].filter((scale) => core.pieces === 1 || scale === piece);
    const counts = scales.map((scale) => stepTokens(this.scales, scale).tokens);
    const tokens = counts.reduce((sum, count) => sum + count, 0);
    for (const [which, { name, type, width }] of core.parts.entries()) {
      const total = tokens * width;
      const dims = [text.branches * chains.length, tokens, width];
      for (let block = 0; block < core.config.blocks.length; block++) {
        const parts = chains.flatMap((chain, row) => {
          let before = row * total;
          return scales.map((scale, i): Copy => {
            const length = (counts[i] as number) * width;
            const page = chain[scale]?.forward?.page;
            if (!page) throw new RangeError(`scale ${scale + 1} has no keys and values`);
            const { from, offset } = page.at(block, which);
            const toOffset = before;
            before += length;
            const toStride = chains.length * total;
            return { from, offset, stride: length, toOffset, toStride, length, count: text.branches };
          });
        });
        inputs[`past_${name}.${block}.${piece}`] =
          parts.length === 0 ? nothing(type, dims) : { type, dims, parts };
      }
    }
  }

  /** What the prompt gives every run. */
  #textInputs(): Record<string, RunInput> {
    const { keys, values, modulation } = this.#parts.text;
    return {
      modulation,
      ...Object.fromEntries(keys.map((key, block) => [`text_key.${block}`, key])),
      ...Object.fromEntries(values.map((value, block) => [`text_value.${block}`, value])),
    };
  }

  /** What a scale gives a run of n prefixes. */
  #scaleInputs(n: number, index: number): Record<string, RunInput> {
    const { core, cfg } = this.#parts;
    const { width } = core.config;
    const { tokens, branches } = this.#stepSize(index);
    return {
      offset: float32Tensor(this.#offset(index), [branches, 1, width]),
      branch_shape: int64Tensor([branches, n * tokens, width], [3]),
      row_shape: int64Tensor([branches * n, tokens, width], [3]),
      mix: float32Tensor(mixMatrix(branches, cfg[index] ?? 1), [branches, branches]),
    };
  }

  /** The summed codes of every prefix on the grid of the scale, [n * tokens, D]; zeros at the first scale. */
  #codes(prefixes: readonly InfinityPrefix[], index: number): Float32Array {
    const { layout, config } = this.#parts.core;
    const scale = this.scales[index] as Scale;
    const row = scale.height * scale.width * config.bits;
    const codes = new Float32Array(prefixes.length * row);
    if (index > 0) prefixes.forEach((prefix, i) => codes.set(scaleInput(prefix.sum, scale, layout), i * row));
    return codes;
  }

  /** What is added to the embedded codes, per branch: level and bias, or the start token at the first scale. */
  #offset(index: number): Float32Array {
    const { core, text } = this.#parts;
    const { width } = core.config;
    return Float32Array.from({ length: text.branches * width }, (_, i) => {
      const channel = i % width;
      const level = core.levels[index * width + channel] ?? 0;
      if (index > 0) return level + (core.wordBias[channel] ?? 0);
      return level + (text.sos[i] ?? 0) + (core.posStart[channel] ?? 0);
    });
  }
}

function nothing(type: PagePart['type'], dims: readonly number[]): HostTensor {
  return { type, dims, data: type === 'int8' ? new Int8Array(0) : new Float32Array(0) };
}

function sameSize(a: Latent | undefined, b: Latent): boolean {
  return a?.height === b.height && a.width === b.width;
}
