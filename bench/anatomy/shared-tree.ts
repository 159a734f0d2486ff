// One prompt's pictures for several searches: what they draw from the same place is drawn, decoded and judged once. Random numbers are
// keyed by place, so that a search gives what it would give by itself; what it costs is known by arithmetic.

import { type Image, Ledger, type Schedule } from '../../src/index.js';
import type { Generator, ImageModel, Prefix } from '../../src/models/contract.js';
import type { Bench } from '../../src/search/contract.js';
import { type Fault, judgePicture } from '../../src/toybox/judge/judge.js';
import { parsePrompt } from '../../src/toybox/world/parser.js';
import type { Judge, Verifier } from '../../src/verifiers/contract.js';
import { type Jury, resolveJury, type Scores } from '../../src/verifiers/jury.js';

/** A prefix that belongs to the tree, whoever releases it. */
class Node implements Prefix {
  readonly inner: Prefix;
  readonly children = new Map<string, Node>();
  picture: Picture | undefined;

  constructor(inner: Prefix) {
    this.inner = inner;
  }

  get step(): number {
    return this.inner.step;
  }

  retain(): this {
    return this;
  }

  release(): void {
    // With the tree.
  }
}

function nodeOf(prefix: Prefix): Node {
  if (prefix instanceof Node) return prefix;
  throw new RangeError('this prefix is of another tree');
}

/** What is known of a picture. */
export interface Picture {
  readonly image: Image;
  /** By the detector. */
  readonly right: boolean;
  readonly faults: readonly Fault[];
  /** By judge, the oracle among them. */
  readonly scores: Record<string, number>;
}

/** The tree of a prompt. */
export class SharedTree {
  readonly #inner: Generator;
  readonly #verifiers: readonly Verifier[];
  readonly #prompt: string;
  readonly #judges = new Map<string, Judge>();
  readonly #nodes: Node[] = [];
  readonly #root: Node;
  readonly #pictures = new Map<Image, Picture>();
  /** What searches draw from. */
  readonly generator: Generator;

  private constructor(inner: Generator, verifiers: readonly Verifier[], prompt: string) {
    this.#inner = inner;
    this.#verifiers = verifiers;
    this.#prompt = prompt;
    this.#root = this.#own(inner.begin());
    this.generator = {
      schedule: inner.schedule,
      ledger: inner.ledger,
      begin: () => this.#root,
      extend: async (requests) => {
        const own = requests.map(({ prefix, draw }) => ({
          node: nodeOf(prefix),
          draw,
          key: draw.path.join(),
        }));
        const fresh = own.filter(({ node, key }) => !node.children.has(key));
        const made = await inner.extend(fresh.map(({ node, draw }) => ({ prefix: node.inner, draw })));
        fresh.forEach(({ node, key }, i) => node.children.set(key, this.#own(made[i] as Prefix)));
        return own.map(({ node, key }) => node.children.get(key) as Node);
      },
      decode: (prefixes) => this.#decode(prefixes.map(nodeOf)),
      pack: (prefix) => inner.pack(nodeOf(prefix).inner),
      unpack: () => {
        throw new RangeError('the searches of a shared tree judge whole pictures');
      },
      room: (from, until) => inner.room(from, until),
      close: () => undefined,
    };
  }

  /** The tree of a prompt; the caller closes it. Verifiers stay the caller's. */
  static async open(
    model: ImageModel,
    verifiers: readonly Verifier[],
    { prompt, ...options }: { readonly prompt: string; readonly cfg: number; readonly temperature: number },
  ): Promise<SharedTree> {
    const inner = await model.prepare(prompt, new Ledger(), model.resolve(options));
    return new SharedTree(inner, verifiers, prompt);
  }

  /** Those who judge for a search: verifiers of the tree, or the oracle. */
  bench(judges: readonly string[]): Bench {
    const jury = resolveJury(judges);
    return { jury, judge: (images) => this.judge(images, jury) };
  }

  /** What is known of a picture that a search was shown. */
  pictureOf(image: Image): Picture {
    const found = this.#pictures.get(image);
    if (found) return found;
    throw new RangeError('this picture was not drawn from the tree');
  }

  /** What judges give pictures. */
  async judge(images: readonly Image[], { judges }: Pick<Jury, 'judges'>): Promise<Scores[]> {
    const pictures = images.map((image) => this.pictureOf(image));
    for (const name of judges) {
      const fresh = pictures.filter(({ scores }) => scores[name] === undefined);
      if (fresh.length === 0) continue;
      const scores = await (await this.#judgeOf(name)).score(fresh.map(({ image }) => image));
      fresh.forEach((picture, i) => (picture.scores[name] = scores[i] ?? NaN));
    }
    return pictures.map(({ scores }) =>
      Object.fromEntries(judges.map((name) => [name, scores[name] ?? NaN])),
    );
  }

  /** Frees all that was drawn. */
  close(): void {
    for (const { inner } of this.#nodes) inner.release();
    for (const judge of this.#judges.values()) judge.close();
    this.#inner.close();
  }

  #own(inner: Prefix): Node {
    const node = new Node(inner);
    this.#nodes.push(node);
    return node;
  }

  async #judgeOf(name: string): Promise<Judge> {
    const known = this.#judges.get(name);
    if (known) return known;
    const verifier = this.#verifiers.find((each) => each.name === name);
    if (!verifier) throw new RangeError(`the tree was opened without the verifier '${name}'`);
    const judge = await verifier.prepare(this.#prompt, new Ledger());
    this.#judges.set(name, judge);
    return judge;
  }

  async #decode(nodes: readonly Node[]): Promise<Image[]> {
    const fresh = nodes.filter(({ picture }) => !picture);
    const images = await this.#inner.decode(
      fresh.map(({ inner }) => inner),
      'own',
    );
    const parsed = parsePrompt(this.#prompt);
    fresh.forEach((node, i) => {
      const image = images[i] as Image;
      const { correct: right, faults, score: oracle } = judgePicture(parsed, image);
      node.picture = { image, right, faults, scores: { oracle } };
      this.#pictures.set(image, node.picture);
    });
    return nodes.map(({ picture }) => (picture as Picture).image);
  }
}

/** A packed picture's bits of the scales 1 to `step` of toybox, as a text (models/infinity/packing.ts). */
export function bitsUntil(state: Uint8Array, { steps }: Schedule, step: number): string {
  const tokens = steps.slice(0, step).reduce((sum, each) => sum + each.tokens, 0);
  return Buffer.from(state.subarray(HEADER, HEADER + (tokens * BITS) / 8)).toString('base64');
}

const HEADER = 2;
/** Of a token of toybox. */
const BITS = 16;
