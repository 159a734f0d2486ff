// The files of a result, by name: contents only, writing them is the caller's.

import type { Image } from '../core/image.js';
import { encodeGif } from '../core/image-gif.js';
import { type CompareResult, runName, type SearchNote } from '../run/compare.js';
import type { ComparedOptions } from '../run/options.js';
import { encodeWithRecipe, type PictureFileOptions } from '../run/recipe.js';
import type { GenerateResult, ResultJson } from '../run/result.js';
import { resultJson } from '../run/result.js';
import type { Standing } from '../verifiers/jury.js';
import type { PageLink } from './components/page.js';

/** Names of the files of a result. */
export const FILE_NAMES = {
  picture: 'picture.png',
  result: 'result.json',
  page: 'index.html',
  film: 'film.gif',
} as const;

/** How long a frame of a film stands, and the last of them. */
const FRAME_TIMES = { each: 700, last: 2500 } as const;

/** Contents of files by their path below the folder of a result, with / between parts. */
export type Files = Readonly<Record<string, Uint8Array | string>>;

/** The layout of a comparison's result.json. */
export interface CompareJson {
  readonly format: 2;
  readonly incomplete?: true;
  /** What was asked for. */
  readonly options: ComparedOptions;
  readonly prompt: string;
  readonly budget: number;
  /** What the budget counts. */
  readonly unit: CompareResult['unit'];
  /** The run that stands highest, by its folder; the earliest of equals. */
  readonly best: string;
  /** What the results are compared by, in their order: each winner's standing among all pictures of the comparison. */
  readonly standings: readonly Standing[];
  readonly results: readonly ResultJson[];
  /** Searches that did not suit a model or the budget; left out where there are none. */
  readonly skipped?: readonly SearchNote[];
  /** Searches with less than the budget would have bought; left out where there are none. */
  readonly limited?: readonly SearchNote[];
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** What is written of a result. */
export interface ResultFilesOptions extends Pick<PictureFileOptions, 'metadata'> {
  /** Writes the film that the result has kept as an animated picture too. @default false */
  readonly film?: boolean | undefined;
  /** The page that the result's own belongs to, as its address from there. @default none */
  readonly above?: PageLink | undefined;
}

function filmFile(frames: readonly Image[]): Promise<Uint8Array> {
  const { each, last } = FRAME_TIMES;
  return encodeGif(
    frames.map((image, i) => ({ image, milliseconds: i === frames.length - 1 ? last : each })),
  );
}

/** The picture with its recipe, result.json and the page of one run; and its film. */
export async function resultFiles(
  result: GenerateResult,
  { metadata, film = false, above }: ResultFilesOptions = {},
): Promise<Files> {
  const frames = film ? result.pictures.film : undefined;
  // Pages are built where one is written: who wants a picture alone loads nothing of them.
  const { generateReport } = await import('./generate-report.js');
  const links = [
    ...(above ? [above] : []),
    { href: FILE_NAMES.picture, text: 'picture (PNG)' },
    { href: FILE_NAMES.result, text: 'result (JSON)' },
    ...(frames ? [{ href: FILE_NAMES.film, text: 'film (GIF)' }] : []),
  ];
  // A diffusion model's noise is a step of the search, and none of those that galleries count.
  const steps = result.schedule.steps.filter(({ nfe }) => nfe > 0).length;
  return {
    [FILE_NAMES.picture]: await encodeWithRecipe(result.image, result.recipe, { metadata, steps }),
    [FILE_NAMES.result]: json(resultJson(result, FILE_NAMES.picture)),
    ...(frames ? { [FILE_NAMES.film]: await filmFile(frames) } : {}),
    [FILE_NAMES.page]: await generateReport(result, { links }),
  };
}

/** A comparison as plain data for result.json. */
export function compareJson(compared: CompareResult): CompareJson {
  const { complete, options, prompt, budget, unit, best, standings, results, several, skipped, limited } =
    compared;
  return {
    format: 2,
    ...(complete ? {} : { incomplete: true as const }),
    options,
    prompt,
    budget,
    unit,
    best: runName(best, several),
    standings,
    results: results.map((result) => resultJson(result, `${runName(result, several)}/${FILE_NAMES.picture}`)),
    ...(skipped.length > 0 ? { skipped } : {}),
    ...(limited.length > 0 ? { limited } : {}),
  };
}

/** The files of one run, in its folder below that of the comparison; `several` where models were named. */
export async function strategyFiles(
  result: GenerateResult,
  { several = false, ...options }: ResultFilesOptions & { readonly several?: boolean } = {},
): Promise<Files> {
  const above = { href: `../${FILE_NAMES.page}`, text: 'the comparison' };
  const files = Object.entries(await resultFiles(result, { above, ...options }));
  return Object.fromEntries(
    files.map(([name, content]) => [`${runName(result, several)}/${name}`, content] as const),
  );
}

/** result.json and the page of a comparison; the page links to the pages of `strategyFiles`. */
export async function compareFiles(compared: CompareResult): Promise<Files> {
  const { compareReport } = await import('./compare-report.js');
  const runs = compared.results.map((result) => {
    const folder = runName(result, compared.several);
    const links = [
      { href: `${folder}/${FILE_NAMES.page}`, text: 'its search tree' },
      { href: `${folder}/${FILE_NAMES.picture}`, text: 'PNG' },
      { href: `${folder}/${FILE_NAMES.result}`, text: 'JSON' },
    ];
    return [folder, links] as const;
  });
  const links = [{ href: FILE_NAMES.result, text: 'result (JSON)' }];
  return {
    [FILE_NAMES.result]: json(compareJson(compared)),
    [FILE_NAMES.page]: await compareReport(compared, { links, runs: Object.fromEntries(runs) }),
  };
}
