// The files of a result, by name: contents only, writing them is the caller's.

import type { CompareResult } from '../run/compare.js';
import { encodeWithRecipe, type PictureFileOptions } from '../run/recipe.js';
import type { GenerateResult, ResultJson } from '../run/result.js';
import { resultJson } from '../run/result.js';
import type { Standing } from '../verifiers/jury.js';
import { compareReport } from './compare-report.js';
import { generateReport } from './generate-report.js';

/** Names of the files of a result. */
export const FILE_NAMES = { picture: 'picture.png', result: 'result.json', page: 'index.html' } as const;

/** Contents of files by their path below the folder of a result, with / between parts. */
export type Files = Readonly<Record<string, Uint8Array | string>>;

/** The layout of a comparison's result.json. */
export interface CompareJson {
  readonly format: 2;
  readonly incomplete?: true;
  readonly prompt: string;
  readonly budget: number;
  /** The strategy that stands highest; the earliest of equals. */
  readonly best: string;
  /** What the results are compared by, in their order: each winner's standing among all pictures of the comparison. */
  readonly standings: readonly Standing[];
  readonly results: readonly ResultJson[];
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** What is written into the pictures of results besides their pixels. */
export type ResultFilesOptions = Pick<PictureFileOptions, 'metadata'>;

/** The picture with its recipe, result.json and the page of one run. */
export function resultFiles(result: GenerateResult, { metadata }: ResultFilesOptions = {}): Files {
  // A diffusion model's noise is a step of the search, and none of those that galleries count.
  const steps = result.schedule.steps.filter(({ nfe }) => nfe > 0).length;
  return {
    [FILE_NAMES.picture]: encodeWithRecipe(result.image, result.recipe, { metadata, steps }),
    [FILE_NAMES.result]: json(resultJson(result, FILE_NAMES.picture)),
    [FILE_NAMES.page]: generateReport(result),
  };
}

function strategyFolder(result: GenerateResult): string {
  return result.options.search.strategy;
}

/** A comparison as plain data for result.json. */
export function compareJson(compared: CompareResult): CompareJson {
  const { complete, prompt, budget, best, standings, results } = compared;
  return {
    format: 2,
    ...(complete ? {} : { incomplete: true as const }),
    prompt,
    budget,
    best: best.options.search.strategy,
    standings,
    results: results.map((result) => resultJson(result, `${strategyFolder(result)}/${FILE_NAMES.picture}`)),
  };
}

/** The files of one strategy's run, in its folder below that of the comparison. */
export function strategyFiles(result: GenerateResult, options?: ResultFilesOptions): Files {
  const files = Object.entries(resultFiles(result, options));
  return Object.fromEntries(
    files.map(([name, content]) => [`${strategyFolder(result)}/${name}`, content] as const),
  );
}

/** result.json and the page of a comparison; the page links to the pages of `strategyFiles`. */
export function compareFiles(compared: CompareResult): Files {
  const links = compared.results.map((result) => {
    const folder = strategyFolder(result);
    return [folder, `${folder}/${FILE_NAMES.page}`] as const;
  });
  return {
    [FILE_NAMES.result]: json(compareJson(compared)),
    [FILE_NAMES.page]: compareReport(compared, Object.fromEntries(links)),
  };
}
