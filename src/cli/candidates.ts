// All candidates of searches: as CSV, and their pictures as files.

import { csvLine } from '../core/csv.js';
import type { Image } from '../core/image.js';
import { encodeWithRecipe, hashPixels } from '../run/recipe.js';
import type { GenerateResult } from '../run/result.js';
import { standingsOf } from '../run/standings.js';
import type { Candidate } from '../search/contract.js';
import type { Varsearch } from '../varsearch.js';
import { line, type Output } from './io.js';

/** The folder of the pictures, below that of a result. */
export const CANDIDATES_FOLDER = 'candidates';

/** The name of a candidate's picture. */
export const candidateFile = (id: number): string => `${CANDIDATES_FOLDER}/${id}.png`;

/** Prints every candidate of some searches as a line of CSV, under a head. */
export function printCandidates(results: readonly GenerateResult[], output: Output): void {
  const judges = [...new Set(results.flatMap(({ options }) => options.jury.judges))];
  line(output, csvLine([...COLUMNS, ...judges]));
  for (const result of results) {
    const fates = new Map(result.fates.map((fate) => [fate.id, fate]));
    const { model, search, seed, prompt } = result.options;
    for (const candidate of result.candidates) {
      const { id, parent, step, judgedAt, path, sameAs, scores } = candidate;
      const [round = '', beam = '', number = ''] = path;
      const fate = fates.get(id);
      const place = [id, parent, step, judgedAt, round, beam, number, sameAs ?? ''];
      const end = [fate?.copies ?? '', fate?.weight ?? '', id === result.winner.id ? 1 : 0];
      const given = judges.map((judge) => scores[judge] ?? '');
      line(output, csvLine([prompt, model, search.strategy, seed, ...place, ...end, ...given]));
    }
  }
}

/** Names as in result.json. */
const COLUMNS = [
  'prompt',
  'model',
  'strategy',
  'seed',
  'id',
  'parent',
  'step',
  'judgedAt',
  'round',
  'beam',
  'number',
  'sameAs',
  'copies',
  'weight',
  'winner',
] as const;

/** Bytes of pictures that are drawn again at once. */
const AT_ONCE = 2 ** 26;

/** The candidates that have a whole picture of their own. */
function whole({ candidates, schedule }: GenerateResult): readonly Candidate[] {
  return candidates.filter(
    ({ sameAs, judgedAt }) => sameAs === undefined && judgedAt === schedule.steps.length,
  );
}

/**
 * The whole pictures of all candidates as files, a few at a time. What the result keeps small only is drawn again from its state, by a
 * decode each. A picture carries the recipe by which it is made again: the search until its candidate is there.
 */
export async function* candidateFiles(
  result: GenerateResult,
  varsearch: Pick<Varsearch, 'redraw'>,
  { metadata, signal }: { readonly metadata: boolean; readonly signal?: AbortSignal },
): AsyncGenerator<Readonly<Record<string, Uint8Array>>, void, void> {
  const { image, recipe, options, pictures, candidates, winner } = result;
  const { width, height } = image;
  const standing = standingsOf([candidates], options.jury);
  const kept = (id: number): Image | undefined => {
    if (id === winner.id) return image;
    const small = pictures.thumbnails.get(id);
    return small?.width === width && small.height === height ? small : undefined;
  };
  const own = whole(result);
  const count = Math.max(1, Math.floor(AT_ONCE / image.data.length));
  for (let start = 0; start < own.length; start += count) {
    signal?.throwIfAborted();
    const some = own.slice(start, start + count);
    const absent = some.filter(({ id }) => !kept(id)).map(({ id }) => id);
    const drawn = absent.length === 0 ? [] : await varsearch.redraw(result, absent);
    const files: Record<string, Uint8Array> = {};
    for (const candidate of some) {
      const picture = kept(candidate.id) ?? drawn[absent.indexOf(candidate.id)];
      if (!picture) throw new RangeError(`candidate ${candidate.id} was not drawn again`);
      const { completed: _, ...rest } = recipe;
      const its = { complete: false, candidate: candidate.id, standing: standing(candidate) };
      files[candidateFile(candidate.id)] = await encodeWithRecipe(
        picture,
        { ...rest, ...its, pixels: hashPixels(picture) },
        { metadata },
      );
    }
    yield files;
  }
}
