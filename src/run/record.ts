// Keeps what a search has shown so far, so that an interrupted run still has a picture, candidates and a ledger.

import type { Image } from '../core/image.js';
import { flopsOf, type Ledger } from '../core/ledger.js';
import type { EngineHashes } from '../engine/engine.js';
import type { Versions } from '../engine/versions.js';
import type { Generator, Schedule } from '../models/contract.js';
import type { Completion } from '../search/completion.js';
import type { Candidate, Fate, SearchEvent, SearchResult, Shown } from '../search/contract.js';
import { combine, type Standing } from '../verifiers/jury.js';
import type { ResolvedOptions } from './options.js';
import { PictureStore } from './pictures.js';
import { hashPixels } from './recipe.js';
import type { EndedBy, GenerateResult } from './result.js';
import { type Spent, standingsOf, traceOf } from './standings.js';

/** What a run is, before it has shown anything. */
export interface RunFacts {
  readonly options: ResolvedOptions;
  readonly schedule: Schedule;
  readonly ledger: Ledger;
  /** Known before the search: no result waits for them. */
  readonly hashes: EngineHashes;
  /** Of the programs, and the device where it is no CPU. */
  readonly versions: Versions;
  /** When the run began, by performance.now(). */
  readonly started: number;
  /** Milliseconds of loading that happened before the run, and count as part of it. */
  readonly loadTime: number;
  /** What was said until now; the caller goes on adding to it. */
  readonly warnings: readonly string[];
  /** A candidate that is asked for whatever the search finds: its picture stays. */
  readonly wanted?: number | undefined;
}

interface Found {
  readonly image: Image;
  readonly winner: Candidate;
  readonly standing: Standing;
  /** What the winner was until the search was ended early, and it completed. */
  readonly preview?: Candidate | undefined;
}

/** The record of one search: fed with its pictures and events, asked for results at any time. */
export class RunRecord {
  readonly #facts: RunFacts;
  readonly #store = new PictureStore();
  readonly #candidates: Candidate[] = [];
  readonly #fates: Fate[] = [];
  readonly #trace: Spent[] = [];
  /** The best so far, and the candidate that was asked for. */
  readonly #whole = new Map<number, Image>();
  #best: Candidate | null = null;
  #asideTime = 0;
  #rounds = 0;

  constructor(facts: RunFacts) {
    this.#facts = facts;
  }

  /** Whether there is a picture to give. */
  get hasBest(): boolean {
    return this.#best !== null;
  }

  /**
   * The first picture of an event that reaches a score, a preview too. The first and not the best of them: which pictures are
   * judged together depends on the memory, and what a seed gives must not.
   */
  firstFrom(score: number, event: SearchEvent): Candidate | undefined {
    if (event.type !== 'judged') return undefined;
    const { jury } = this.#facts.options;
    return event.candidates.find(({ scores }) => (combine([scores], jury)[0] ?? NaN) >= score);
  }

  /** What completing the best, or another candidate, begins with; null where it is whole. */
  previewOf(preview = this.#best): (Omit<Completion, 'prefix'> & { readonly state: Uint8Array }) | null {
    if (!preview || preview.judgedAt === this.#facts.schedule.steps.length) return null;
    const { id: origin, path } = this.#candidateOf(preview.sameAs ?? preview.id);
    const id = this.#candidates.length + 1;
    return { preview, path, id, round: this.#rounds + 1, state: this.#store.state(origin) };
  }

  /** Takes in pictures as they are drawn. */
  async see(pictures: readonly Shown[]): Promise<void> {
    await this.#store.add(pictures, this.#best?.id);
    for (const { candidate, image } of pictures) {
      if (candidate.id === this.#facts.wanted) this.#whole.set(candidate.id, image);
    }
  }

  /** Time that is not the search's. */
  setAside(milliseconds: number): void {
    this.#asideTime += milliseconds;
  }

  /** Takes in what just happened; the best picture so far is then at hand. */
  async note(event: SearchEvent, generator: Generator): Promise<void> {
    if (event.type === 'round') this.#rounds = event.round;
    if (event.type === 'elected') this.#fates.push(...event.fates);
    if (event.type !== 'judged') return;
    this.#candidates.push(...event.candidates);
    const best = this.#candidateOf(event.best);
    const spent = this.#facts.ledger.record();
    const { nfe, forwards, tokens } = spent;
    const flops = flopsOf(spent);
    const images = this.#candidates.filter(({ sameAs }) => sameAs === undefined).length;
    const milliseconds = performance.now() - this.#facts.started - this.#asideTime;
    this.#trace.push({ images, nfe, forwards, tokens, flops, milliseconds });
    if (best === this.#best) return;
    const image = await this.#imageOf(best, generator);
    if (this.#best && this.#best.id !== this.#facts.wanted) this.#whole.delete(this.#best.id);
    this.#whole.set(best.id, image);
    this.#best = best;
  }

  /** The best picture until now, or that of the candidate that was asked for; null before it was judged. */
  soFar(id = this.#best?.id): GenerateResult | null {
    const winner = this.#candidates.find((each) => each.id === id);
    const image = winner && this.#whole.get(winner.id);
    if (!image) return null;
    const standing = standingsOf([this.#candidates], this.#facts.options.jury)(winner);
    return this.#result({ image, winner, standing }, null);
  }

  /**
   * The result of a search that was ended before all of it was done: the best until then, or another candidate. `preview` is what it
   * was until it was completed for that.
   */
  async end(
    by: EndedBy,
    generator: Generator,
    {
      winner = this.#best ?? undefined,
      preview,
    }: { readonly winner?: Candidate | undefined; readonly preview?: Candidate } = {},
  ): Promise<GenerateResult> {
    if (!winner) throw new RangeError('nothing was judged yet');
    const standing = standingsOf([this.#candidates], this.#facts.options.jury)(winner);
    return this.#result({ image: await this.#imageOf(winner, generator), winner, standing, preview }, by);
  }

  /** The result of a search that came to its end. */
  async finish({ winner: id, standing }: SearchResult, generator: Generator): Promise<GenerateResult> {
    const winner = this.#candidateOf(id);
    return this.#result({ image: await this.#imageOf(winner, generator), winner, standing }, 'search');
  }

  #candidateOf(id: number): Candidate {
    const found = this.#candidates[id - 1];
    if (!found) throw new RangeError(`the search has no candidate ${id}`);
    return found;
  }

  async #imageOf({ id, sameAs = id }: Candidate, generator: Generator): Promise<Image> {
    return this.#whole.get(sameAs) ?? (await this.#store.image(sameAs, generator));
  }

  #result({ image, winner, standing, preview }: Found, endedBy: EndedBy | null): GenerateResult {
    const { options, schedule, loadTime, started, hashes, versions } = this.#facts;
    const ledger = this.#facts.ledger.record();
    const milliseconds = performance.now() - started - this.#asideTime + loadTime;
    const candidates = [...this.#candidates];
    const trace = traceOf(this.#trace, candidates, standingsOf([candidates], options.jury));
    const shared = { options, standing, versions };
    const fates = [...this.#fates];
    const pictures = this.#store.pictures();
    // What was ended early is made again as what was interrupted: until its picture is there.
    const complete = endedBy === 'search';
    const recipe = {
      format: 2,
      complete,
      ...shared,
      hashes,
      candidate: preview?.id ?? winner.id,
      ...(preview ? { completed: true as const } : {}),
      pixels: hashPixels(image),
    } as const;
    return {
      ...shared,
      complete: endedBy !== null,
      endedBy,
      image,
      winner,
      candidates,
      fates,
      pictures,
      trace,
      ledger,
      milliseconds,
      schedule,
      hashes,
      recipe,
      warnings: [...this.#facts.warnings],
      report: null,
    };
  }
}
