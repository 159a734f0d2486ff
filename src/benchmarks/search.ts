// One unit of work: the search is run, and its record made of what it gave.

import type { LedgerCounts, LedgerRecord } from '../core/ledger.js';
import { startGenerate } from '../run/generate.js';
import type { AnyPictureOptions } from '../run/options.js';
import { hashPixels } from '../run/recipe.js';
import type { GenerateResult } from '../run/result.js';
import { drawn, previewOf } from '../run/standings.js';
import type { Candidate } from '../search/contract.js';
import { combine } from '../verifiers/jury.js';
import { judgesOf, type Lab } from './lab.js';
import { Panel, rounded } from './panel.js';
import type { CurvePoint, PictureRecord, SpeedRecord, Verdict } from './record.js';
import type { Unit } from './units.js';

/** What runs units. */
export interface SearcherOptions {
  readonly lab: Lab;
  readonly heldOut: readonly string[];
}

/** A unit's record, with the result that it was made of. */
export interface Searched {
  readonly record: PictureRecord;
  readonly result: GenerateResult;
}

/** Runs units one after the other; what those of the same prompt share is kept from one to the next. */
export class Searcher {
  readonly #options: SearcherOptions;
  #prompt: string | null = null;
  #panel: Panel | null = null;
  /** Verdicts of pictures of the prompt, by model, verifiers and pixels. */
  readonly #verdicts = new Map<string, Promise<Verdict>>();
  /** Cells that have run once. */
  readonly #warm = new Set<string>();
  /** The first pictures of a prompt, by model options and seed, where a search has shown none that is complete. */
  readonly #firsts = new Map<string, Promise<GenerateResult>>();

  constructor(options: SearcherOptions) {
    this.#options = options;
  }

  async run(unit: Unit, signal?: AbortSignal): Promise<Searched> {
    const { lab } = this.#options;
    const { cell } = unit;
    const panel = await this.#panelFor(unit.prompt.text);
    const engine = await lab.engine(cell.model, cell.jury);
    const result = await startGenerate(pictureOf(unit, unit.plan.search, signal), {
      open: () => Promise.resolve(engine),
    }).result;
    const first = await this.#firstOf(unit, result, signal);
    const pool = poolOf(result);
    const rights = pool.members.map(({ id }) => {
      const picture = result.pictures.thumbnails.get(id);
      return picture ? panel.isRight(cell.model, picture) : null;
    });
    const record: PictureRecord = {
      id: unit.id,
      benchmark: unit.benchmark,
      prompt: unit.prompt,
      seed: unit.seed,
      ...cell,
      search: unit.plan.search,
      pixels: result.recipe.pixels,
      winner: await this.#verdict(unit, panel, result),
      first: await this.#verdict(unit, panel, first),
      pool: { scores: pool.numbers.map(rounded), right: rights.map(letterOf).join('') },
      found: foundOf(result, pool),
      spent: countsOf(result.ledger),
      curve: curveOf(result, pool, rights),
    };
    return { record, result };
  }

  /** A search that is timed, after one that is not where model and jury are new: what runs first is slower. */
  async time(unit: Unit, signal?: AbortSignal): Promise<SpeedRecord> {
    const { id, benchmark, prompt, seed, cell } = unit;
    const engine = await this.#options.lab.engine(cell.model, cell.jury);
    const run = (): Promise<GenerateResult> =>
      startGenerate(pictureOf(unit, unit.plan.search, signal), { open: () => Promise.resolve(engine) })
        .result;
    const key = JSON.stringify([cell, unit.plan]);
    if (this.#warm.size < this.#warm.add(key).size) await run();
    const { ledger, milliseconds } = await run();
    const own = milliseconds - ledger.milliseconds.load;
    return { id, benchmark, prompt, seed, ...cell, milliseconds: rounded(own), ledger };
  }

  async close(): Promise<void> {
    await this.#panel?.close();
    this.#panel = null;
    this.#prompt = null;
    this.#verdicts.clear();
    this.#firsts.clear();
  }

  async #panelFor(prompt: string): Promise<Panel> {
    if (this.#panel && this.#prompt === prompt) return this.#panel;
    await this.close();
    this.#prompt = prompt;
    this.#panel = new Panel(this.#options.lab, prompt);
    return this.#panel;
  }

  /** What one gets without a search: the first picture of this one where it is complete, or a search for one picture. */
  async #firstOf(unit: Unit, result: GenerateResult, signal?: AbortSignal): Promise<FirstPicture> {
    const [first] = result.candidates;
    if (first && isComplete(first, result)) return { image: result.pictures.first };
    const { cell, searchSeed, plan } = unit;
    const key = JSON.stringify([cell.model, searchSeed, plan.modelOptions]);
    const engine = await this.#options.lab.engine(cell.model, 'none');
    const single = { strategy: 'random', images: 1 } as const;
    const known =
      this.#firsts.get(key) ??
      startGenerate(pictureOf(unit, single, signal), { open: () => Promise.resolve(engine) }).result;
    this.#firsts.set(key, known);
    return await known;
  }

  async #verdict({ cell }: Unit, panel: Panel, { image }: FirstPicture): Promise<Verdict> {
    const names = [...judgesOf(cell.jury).filter((name) => name !== 'none'), ...this.#options.heldOut];
    const key = [cell.model, names.toSorted().join('+'), hashPixels(image)].join(' ');
    const known = this.#verdicts.get(key) ?? panel.verdict(cell.model, image, names);
    this.#verdicts.set(key, known);
    return await known;
  }
}

type FirstPicture = Pick<GenerateResult, 'image'>;

function pictureOf(unit: Unit, search: object, signal?: AbortSignal): AnyPictureOptions {
  const { prompt, searchSeed: seed, plan } = unit;
  return { ...plan.modelOptions, ...search, prompt: prompt.text, seed, signal };
}

const letterOf = (right: boolean | null): string => (right === null ? '?' : right ? '1' : '0');

/** The complete pictures of a search, with the numbers that the jury makes of them among each other. */
interface Pool {
  readonly members: readonly Candidate[];
  readonly numbers: readonly number[];
}

function isComplete({ judgedAt, view }: Candidate, { schedule }: GenerateResult): boolean {
  return judgedAt === schedule.steps.length && view === undefined;
}

function poolOf(result: GenerateResult): Pool {
  const members = drawn(result.candidates).filter((each) => isComplete(each, result));
  const scores = members.map((each) => each.scores);
  return { members, numbers: combine(scores, result.options.jury) };
}

/** Where the winner was first drawn, which may be as a preview or in a round before the last that had it. */
function foundOf({ candidates, winner, schedule }: GenerateResult, pool: Pool): PictureRecord['found'] {
  const drawnAs = candidates[(winner.sameAs ?? winner.id) - 1] ?? winner;
  const origin = previewOf(candidates, drawnAs) ?? drawnAs;
  const own = pool.numbers[pool.members.indexOf(drawnAs)];
  return {
    round: origin.path[0] ?? 1,
    rounds: candidates.reduce((most, { path }) => Math.max(most, path[0] ?? 1), 1),
    step: origin.step,
    steps: schedule.steps.length,
    tied: pool.numbers.filter((number) => number === own).length,
  };
}

function countsOf({ milliseconds: _, ...counts }: LedgerRecord): LedgerCounts {
  return counts;
}

/** A point for every time that the best changed; what had been spent is known for every group of pictures that were judged together. */
function curveOf(
  { trace, candidates }: GenerateResult,
  pool: Pool,
  rights: readonly (boolean | null)[],
): CurvePoint[] {
  const all = drawn(candidates);
  const places = new Map(pool.members.map((member, i) => [member, i]));
  const points: CurvePoint[] = [];
  let best = -1;
  let seen = 0;
  for (const { images, nfe, forwards, tokens, flops } of trace) {
    const before = best;
    for (const candidate of all.slice(seen, images)) {
      const place = places.get(candidate) ?? -1;
      if (place >= 0 && (best < 0 || (pool.numbers[place] ?? NaN) > (pool.numbers[best] ?? NaN))) {
        best = place;
      }
    }
    seen = images;
    if (best === before) continue;
    points.push({
      pictures: images,
      nfe,
      forwards,
      tokens,
      flops,
      best: rounded(pool.numbers[best] ?? NaN),
      right: rights[best] ?? null,
    });
  }
  return points;
}
