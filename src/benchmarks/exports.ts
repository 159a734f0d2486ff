// The winners' pictures in the layouts that the official evaluators read unchanged, a folder for each cell. Repeats are the pictures of a
// prompt, from 0. A picture is there whole before its line is.

import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { UsageError, VarsearchError } from '../core/errors.js';
import { fileFault } from '../core/file-faults.js';
import type { PromptList } from './lists/benchmark.js';
import type { BenchmarkPrompt, Cell, Manifest } from './record.js';
import type { Unit } from './units.js';

/** Where a picture goes. */
interface Place {
  readonly prompt: BenchmarkPrompt;
  /** Among the prompts of its kind, from 0. */
  readonly inKind: number;
  /** Of the prompt's pictures, from 0. */
  readonly image: number;
  /** Pictures a prompt. */
  readonly images: number;
  readonly metadata: string | undefined;
}

interface Layout {
  readonly needsMetadata?: true;
  picture(place: Place): string;
  /** Further files, by path. */
  beside?(place: Place): Readonly<Record<string, string>>;
  /** Further files of the whole folder. */
  index?(prompts: readonly BenchmarkPrompt[]): Readonly<Record<string, string>>;
}

const digits = (value: number, count: number): string => String(value).padStart(count, '0');
/** A name that is one folder or file on every system. */
const safe = (name: string): string =>
  name
    .replace(/[\\/:*?"<>|\0]/g, '_')
    .replace(/^\.+$/, '_')
    .trim() || '_';

/** The layouts by name. */
const LAYOUTS: Readonly<Record<string, Layout>> = {
  // generation/diffusers_generate.py: the line of the prompt beside its samples.
  geneval: {
    needsMetadata: true,
    picture: ({ prompt, image }) => `${digits(prompt.index, 5)}/samples/${digits(image, 4)}.png`,
    beside: ({ prompt, metadata = '' }) => ({ [`${digits(prompt.index, 5)}/metadata.jsonl`]: metadata }),
  },
  // inference_eval.py: the prompt is read from the file's name; the number runs over the category.
  't2i-compbench': {
    picture: ({ prompt, inKind, image, images }) =>
      `${safe(prompt.kind)}/samples/${prompt.text.replace(/[/\0]/g, ' ')}_${digits(inKind * images + image, 6)}.png`,
  },
  drawbench: {
    picture: ({ prompt, image }) => `${safe(prompt.kind)}/${prompt.index}/${image}.png`,
    index: (prompts) => ({
      'manifest.jsonl': prompts
        .map(({ index, text, kind }) => {
          return `${JSON.stringify({ index, prompt: text, category: kind, folder: `${safe(kind)}/${index}` })}\n`;
        })
        .join(''),
    }),
  },
};

/** Names of layouts, and 'none'. */
export const EXPORTS = ['none', ...Object.keys(LAYOUTS)] as const;

/** The folders of exported pictures within that of a run. */
const FOLDER = 'export';

/** Writes pictures as they are found. */
export class Exporter {
  readonly #folder: string;
  readonly #layout: Layout;
  readonly #list: PromptList;
  readonly #seeds: readonly number[];
  readonly #folders: ReadonlyMap<string, string>;
  readonly #inKind = new Map<number, number>();

  /** Throws a UsageError where the evaluator needs more than the list has. */
  constructor(folder: string, name: string, list: PromptList, { cells, seeds, prompts }: Manifest) {
    const layout = LAYOUTS[name];
    if (!layout) throw new RangeError(`there is no layout '${name}'`);
    if (layout.needsMetadata && !list.metadata) {
      throw new UsageError(
        `option 'export' is '${name}', whose evaluator reads what only the benchmark ${name} says of its prompts`,
      );
    }
    this.#folder = join(folder, FOLDER);
    this.#layout = layout;
    this.#list = list;
    this.#seeds = seeds;
    this.#folders = new Map(cells.map((cell, i) => [keyOf(cell), folderOf(cell, i)]));
    const counts = new Map<string, number>();
    for (const { index, kind } of list.prompts) {
      const place = counts.get(kind) ?? 0;
      this.#inKind.set(index, place);
      counts.set(kind, place + 1);
    }
    for (const each of this.#folders.values()) this.#writeAll(each, layout.index?.(prompts) ?? {});
  }

  write({ cell, prompt, seed }: Unit, png: Uint8Array): void {
    const place = {
      prompt,
      inKind: this.#inKind.get(prompt.index) ?? 0,
      image: this.#seeds.indexOf(seed),
      images: this.#seeds.length,
      metadata: this.#list.metadata?.[prompt.index],
    };
    const folder = this.#folders.get(keyOf(cell)) ?? '';
    this.#writeAll(folder, { ...this.#layout.beside?.(place), [this.#layout.picture(place)]: png });
  }

  #writeAll(folder: string, files: Readonly<Record<string, Uint8Array | string>>): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.#folder, folder, name);
      // Beside the run's other folders: evaluators read all files of theirs.
      const temporary = join(this.#folder, `.${randomBytes(8).toString('hex')}.tmp`);
      writeWhole(path, content, temporary);
    }
  }
}

/** A file is there whole or not at all. */
function writeWhole(path: string, content: Uint8Array | string, temporary: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeFileSync(temporary, content, { flag: 'wx' });
      renameSync(temporary, path);
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (cause) {
    throw new VarsearchError(`cannot write ${path}: ${fileFault(cause)}`, { cause });
  }
}

const keyOf = ({ model, strategy, jury, budget }: Cell): string =>
  JSON.stringify([model, strategy, jury, budget.most, budget.unit]);

function folderOf({ model, strategy, jury, budget }: Cell, index: number): string {
  const words = [digits(index + 1, 2), model, strategy, jury, `${budget.most}${budget.unit}`].join('-');
  return safe(words).slice(0, 120);
}
