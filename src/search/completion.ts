// From a preview to a picture: the remaining steps of one candidate, as its rollout would have gone on. It is judged once more, since
// scores of pictures at different steps do not compare, and has nobody to compete with.

import { throwIfAborted } from '../core/errors.js';
import type { Image } from '../core/image.js';
import type { Draw } from '../core/random.js';
import type { Prefix, View } from '../models/contract.js';
import type { Scores, Standing } from '../verifiers/jury.js';
import { Contest } from './contest.js';
import type { Candidate, SearchContext, SearchEvent } from './contract.js';

/** The random numbers of a place in the search. */
export function drawAt(path: readonly number[], root: Draw): Draw {
  return path.reduce<Draw>((from, index) => from.fold(index), root);
}

/** A decoded picture with what every judge gives it. */
export interface Judged {
  readonly image: Image;
  readonly scores: Scores;
}

/** Decodes and judges prefixes, in their order. The pictures are the search's until `letGo`. */
export async function judgeAll(
  { generator, bench, signal, reservation }: SearchContext,
  prefixes: readonly Prefix[],
  view: View,
): Promise<Judged[]> {
  const images = await generator.decode(prefixes, view, { signal });
  for (const { data } of images) reservation?.charge(data.length);
  throwIfAborted(signal);
  const scores = await bench.judge(images, { signal });
  throwIfAborted(signal);
  return images.map((image, i) => ({ image, scores: scores[i] ?? {} }));
}

/** Pictures that were judged and shown are no more the search's. */
export function letGo({ reservation }: SearchContext, judged: Iterable<Judged>): void {
  for (const { image } of judged) reservation?.refund(image.data.length);
}

/** A candidate to complete. */
export interface Completion {
  readonly preview: Candidate;
  /** Whose rollout it is: the candidate itself, or the one whose picture stands for it. */
  readonly path: readonly number[];
  /** The rollout as far as it came; the caller keeps it. */
  readonly prefix: Prefix;
  /** The id and the round of the completed candidate. */
  readonly id: number;
  readonly round: number;
}

/** What came of it. */
export interface Completed {
  readonly candidate: Candidate;
  readonly standing: Standing;
}

/** Completes a candidate, in a round of its own. */
export async function* complete(
  context: SearchContext,
  { preview, path, prefix, id, round }: Completion,
): AsyncGenerator<SearchEvent, Completed, void> {
  const { generator, bench, show, signal } = context;
  const step = generator.schedule.steps.length;
  yield { type: 'round', round, rounds: round, step, candidates: 1, completes: preview.id };
  const draw = drawAt(path, context.draw);
  let last = prefix.retain();
  try {
    while (last.step < step) {
      throwIfAborted(signal);
      const [next] = await generator.extend([{ prefix: last, draw: draw.fold(last.step + 1) }], { signal });
      if (!next) throw new RangeError('expected a result, got none');
      last.release();
      last = next;
    }
    throwIfAborted(signal);
    const [judged] = await judgeAll(context, [last], 'own');
    if (!judged) throw new RangeError('expected a picture, got none');
    const { image, scores } = judged;
    const candidate: Candidate = { id, parent: preview.id, step, judgedAt: step, path, scores };
    await show?.([{ candidate, image, state: generator.pack(last) }]);
    letGo(context, [judged]);
    throwIfAborted(signal);
    yield { type: 'judged', candidates: [candidate], best: id };
    const contest = new Contest(bench.jury);
    contest.enter([candidate]);
    const standing = contest.standingOf(candidate);
    yield { type: 'elected', round, fates: [{ id, standing, copies: 0 }] };
    return { candidate, standing };
  } finally {
    last.release();
  }
}
