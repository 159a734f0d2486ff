// What every strategy is made of: candidates are drawn from beams, completed to whole pictures, decoded, judged, and the
// best of them go on.
//
// Random numbers: a candidate draws step s with draw.fold(round).fold(beam).fold(candidate).fold(s), so that a picture
// depends on its place in the search alone, never on batches, groups or the order of work. In round 1 there is one beam,
// the empty prefix: strategies with the same seed draw the same pictures there.
//
// Nothing is computed twice: the generator keeps a prefix's forward pass with the prefix. A candidate's own prefix is held
// until it is dropped, so the first step of its rollout is also the first step of all that the next round draws from it. Where the
// memory does not hold so many (memory.ts), the elected are drawn again from their places, and so is a preview that is completed.

import { throwIfAborted } from '../core/errors.js';
import { Ledger } from '../core/ledger.js';
import type { Draw } from '../core/random.js';
import type { Prefix } from '../models/contract.js';
import { isRelative } from '../verifiers/jury.js';
import { complete, drawAt, judgeAll, type Judged, letGo } from './completion.js';
import { Contest } from './contest.js';
import type { Candidate, Fate, SearchContext, SearchEvent, SearchResult, Shown } from './contract.js';
import { completionRound, noPlaceFor, planRound, type RoundPlan, type RoundSize } from './memory.js';
import { Owned } from './owned.js';

/** What a round draws from: the empty prefix, or a candidate that the round before elected. */
export interface Beam {
  /** The elected candidate; null for the empty prefix. */
  readonly candidate: Candidate | null;
  /**
   * The prefix to draw from, and after it the further steps of the candidate's rollout where elected rollouts are kept; nothing
   * where the candidate fixes all steps, since nothing can be drawn from it.
   */
  readonly chain: Chain;
  /** Where candidates are drawn in the neighbourhood of another draw: that draw, and how far from it. */
  readonly near?: { readonly pivot: Draw; readonly radius: number };
}

/** Prefixes that continue each other. */
type Chain = readonly Prefix[];

/** A beam that a round elected. */
export interface Elected extends Beam {
  readonly candidate: Candidate;
}

/** A candidate that is still to be completed. */
export interface Draft {
  readonly beam: Beam;
  /** Round, beam and number among the beam's candidates. */
  readonly path: readonly number[];
  /** How many steps it fixes. */
  readonly step: number;
  /** True when the beam's own rollout stands for it. */
  readonly inherited: boolean;
  readonly draw: Draw;
}

/** A round of candidates. */
export interface Round {
  /** Its number, from 1. */
  readonly round: number;
  /** How many of them are played; that in which a preview is completed is not among them. */
  readonly rounds: number;
  /** How many steps its candidates fix. */
  readonly step: number;
  /** Candidates in all; every beam gets the same share. */
  readonly total: number;
}

/** A draft's rollout, judged; the search owns its prefixes. */
interface Outcome extends Judged {
  readonly chain: Chain;
  /** The packed picture, for those who are shown it. */
  readonly state: Uint8Array;
}

/** How the rollouts of a search go on. */
export interface RolloutOptions {
  /** Keeps the rollouts of elected candidates: each is candidate 0 of its beam in the next round, at no cost. @default false */
  readonly keepElected?: boolean;
  /**
   * Judges candidates by how far they have come after so many steps, at their own size and without the steps after that; none of
   * its rounds may fix more. `complete` then finishes the winner. With 'none', by the steps that they fix, decoded at the last
   * size: rounds judge pictures of different steps, which do not compare, and the best are those of the last. @default all steps
   */
  readonly until?: number | 'none' | undefined;
}

/** The candidates of one search, with everything that it holds of the generator. */
export class Rollouts {
  readonly #context: SearchContext;
  readonly #keepElected: boolean;
  readonly #until: number | 'none';
  readonly #owned = new Owned();
  readonly #candidates: Candidate[] = [];
  readonly #fates: Fate[] = [];
  /** How many pictures the next group may have, whatever fits. */
  #growing = FIRST_GROUP;
  /** Packed previews by candidate: one of them is to be completed. */
  readonly #states = new Map<number, Uint8Array>();
  /** The rollouts of those previews that may be it: going on with them computes nothing twice. */
  readonly #leading = new Map<Candidate, Prefix>();
  /** All pictures that were judged at the most steps, each once. */
  #search: Contest;
  /** The step after which the pictures of the round under way are judged. */
  #goal = 0;
  #rounds = 0;
  /** The candidates of the round under way. */
  #round: Contest;
  /** How the round under way keeps within the memory; null where nothing was set aside for the search. */
  #plan: RoundPlan | null = null;

  constructor(context: SearchContext, { keepElected = false, until }: RolloutOptions = {}) {
    this.#context = context;
    this.#keepElected = keepElected;
    this.#until = until ?? context.generator.schedule.steps.length;
    this.#search = new Contest(context.bench.jury);
    this.#round = this.#search;
  }

  /** What every search starts from: the empty prefix. */
  begin(): Beam {
    return { candidate: null, chain: [this.#owned.add(this.#context.generator.begin())] };
  }

  /**
   * One round: draws candidates from the beams, completes, decodes and judges them in groups that fit the generator's memory
   * (the first ones of a search small, so that something is judged early), and gives the `elect` best, best first; contest.ts says who wins a tie. The beams are released, and so is every
   * candidate as soon as it cannot be elected any more, whatever comes after it.
   */
  async *play(
    beams: readonly Beam[],
    round: Round,
    elect: number,
  ): AsyncGenerator<SearchEvent, Elected[], void> {
    const { round: number, rounds, step, total } = round;
    this.#rounds = number;
    const told = this.#previews ? rounds + 1 : rounds;
    yield { type: 'round', round: number, rounds: told, step, candidates: total };
    this.#setGoal(this.#until === 'none' ? step : this.#until);
    const drafts = this.#draw(beams, round);
    this.#round = this.#newRound();
    this.#plan = this.#planRound(this.#sizeOf(beams, round, elect));
    if (this.#plan?.holds === false) this.#leadOnly(new Set());
    const places = new Map<Candidate, Draft>();
    let held: readonly Elected[] = [];
    for (let start = 0; start < drafts.length;) {
      const group = drafts.slice(start, start + this.#groupSize(beams, held));
      start += group.length;
      this.#growing *= GROWTH;
      const outcomes = await this.#judge(group);
      const rolled = group.map((draft) => this.#enter(draft, outcomes.get(draft)));
      const candidates = rolled.map(({ candidate }) => candidate);
      this.#round.enter(candidates);
      this.#search.enter(candidates.filter(({ sameAs }) => sameAs === undefined));
      candidates.forEach((candidate, i) => places.set(candidate, at(group, i)));
      if (this.#previews) this.#lead(rolled, number === rounds);
      const entered = rolled.map((each) => this.#shorten(each));
      held = this.#keepOnly([...held, ...entered], this.#contenders(elect, places));
      await this.#show(group, entered, outcomes);
      letGo(this.#context, outcomes.values());
      yield { type: 'judged', candidates, best: this.#search.best().id };
    }
    const ranking = this.#round.ranking(elect);
    const elected = new Set(ranking.slice(0, elect));
    // Nothing is drawn from the elected of the last round.
    const copies = number < rounds ? 1 : 0;
    const kept = this.#keepOnly(held, elected);
    const going = copies > 0 ? await this.#allOf(elected, kept, places) : kept;
    const fates = ranking.map((candidate): Fate => {
      const standing = this.#round.standingOf(candidate);
      return { id: candidate.id, standing, copies: elected.has(candidate) ? copies : 0 };
    });
    this.#fates.push(...fates);
    this.release(beams);
    yield { type: 'elected', round: number, fates };
    return ranking.flatMap((candidate) => going.filter((each) => each.candidate === candidate));
  }

  /** The same prefixes for one more round, as `play` releases those that it is given. */
  again(beam: Beam): Beam {
    return { ...beam, chain: beam.chain.map((prefix) => this.#owned.add(prefix.retain())) };
  }

  /** Frees beams that nothing more is drawn from. */
  release(beams: readonly Beam[]): void {
    for (const { chain } of beams) for (const prefix of chain) this.#owned.release(prefix);
  }

  /** The result of the search: the best picture of all rounds or of the last one, the earliest of equals. */
  result(choice: 'best' | 'last-round'): SearchResult {
    const contest = choice === 'best' ? this.#search : this.#round;
    const winner = contest.best();
    return {
      winner: winner.id,
      standing: contest.standingOf(winner),
      candidates: [...this.#candidates],
      fates: [...this.#fates],
    };
  }

  /**
   * The result of the search, which ends with it. Where it was one of previews, the remaining steps of the winner are taken first,
   * and what comes out is judged once more; all else is released.
   */
  async *complete(choice: 'best' | 'last-round'): AsyncGenerator<SearchEvent, SearchResult, void> {
    const found = this.result(choice);
    const preview = at(this.#candidates, found.winner - 1);
    const { generator } = this.#context;
    if (preview.judgedAt === generator.schedule.steps.length) return found;
    this.#planRound(completionRound(preview.judgedAt, generator.schedule));
    const { path, id: origin } = at(this.#candidates, (preview.sameAs ?? preview.id) - 1);
    const led = this.#leading.get(preview)?.retain();
    // Nothing is drawn from any other.
    this.#owned.releaseAll();
    this.#leading.clear();
    const prefix = this.#owned.add(led ?? generator.unpack(this.#states.get(origin) ?? NO_STATE));
    const id = this.#candidates.length + 1;
    const completion = { preview, path, prefix, id, round: this.#rounds + 1 };
    const { candidate, standing } = yield* complete(this.#context, completion);
    return {
      winner: id,
      standing,
      candidates: [...this.#candidates, candidate],
      fates: [...this.#fates, { id, standing, copies: 0 }],
    };
  }

  /** Frees all that is left; to be called however the search ends. */
  close(): void {
    this.#owned.releaseAll();
  }

  #newRound(): Contest {
    const { bench, draw } = this.#context;
    // A place draws its steps from 1 on: 0 is for ties.
    return new Contest(bench.jury, ({ path }) => drawAt(path, draw).fold(0).uniform(1)[0] ?? 0);
  }

  /** The candidates of a round, beam by beam. A beam whose rollout was kept has it as candidate 0. */
  #draw(beams: readonly Beam[], { round, step, total }: Round): Draft[] {
    const share = total / beams.length;
    return beams.flatMap((beam, beamIndex) => {
      const draw = this.#context.draw.fold(round).fold(beamIndex);
      return Array.from({ length: share }, (_, number): Draft => {
        const inherited = this.#keepElected && number === 0 && beam.candidate !== null;
        const own = draw.fold(number);
        const { near } = beam;
        const drawn = near ? own.near(near.pivot, near.radius) : own;
        return { beam, path: [round, beamIndex, number], step, inherited, draw: drawn };
      });
    });
  }

  /** Whether candidates are judged by previews, and one of them completed. */
  get #previews(): boolean {
    return this.#until !== 'none' && this.#until < this.#context.generator.schedule.steps.length;
  }

  /** Whether nothing can be drawn from a candidate of so many steps. */
  #isLast(step: number): boolean {
    return step === (this.#until === 'none' ? this.#context.generator.schedule.steps.length : this.#until);
  }

  /** Pictures of different steps do not compare: with more of them than before, the search begins anew. */
  #setGoal(goal: number): void {
    if (goal > this.#goal) this.#search = new Contest(this.#context.bench.jury);
    this.#goal = goal;
  }

  /** What a round holds. */
  #sizeOf(beams: readonly Beam[], { step, total }: Round, elect: number): RoundSize {
    return {
      beams: beams.length,
      from: beams[0]?.chain[0]?.step ?? 0,
      step,
      until: this.#goal,
      candidates: total,
      elect,
      keepElected: this.#keepElected,
      ...(this.#until === 'none' ? { size: this.#context.generator.schedule.steps.length } : {}),
      ...(this.#previews ? { previewsBefore: this.#candidates.length } : {}),
    };
  }

  /** Throws a UsageError where a round needs more than what was set aside for the search. */
  #planRound(size: RoundSize): RoundPlan | null {
    const { reservation, generator, bench } = this.#context;
    if (!reservation) return null;
    const { bytes } = reservation;
    const plan = planRound(generator.schedule, size, { bytes, isRelative: isRelative(bench.jury) });
    if (plan) return plan;
    throw noPlaceFor(bytes);
  }

  /**
   * Holds on to the rollouts of those previews that may be completed in the end. Where a jury ranks, that may be many: if they do not
   * fit, only the best until now stay, or none, and the first steps of another one are computed again if that wins after all.
   */
  #lead(rolled: readonly Elected[], last: boolean): void {
    if (this.#plan?.holds === false) return;
    for (const { candidate, chain } of rolled) {
      this.#leading.set(candidate, this.#owned.add((chain.at(-1) as Prefix).retain()));
    }
    const contests = last ? [this.#search, this.#round] : [this.#search];
    const leaders = new Set(contests.flatMap((contest) => [...contest.leaders()]));
    const fits = this.#plan !== null || leaders.size <= this.#context.generator.room(0, this.#goal) / 2;
    this.#leadOnly(fits ? leaders : new Set(contests.map((contest) => contest.best())));
  }

  /** Of those that lead, frees the rollouts of all others. */
  #leadOnly(staying: ReadonlySet<Candidate>): void {
    for (const [candidate, prefix] of this.#leading) {
      if (staying.has(candidate)) continue;
      this.#leading.delete(candidate);
      this.#owned.release(prefix);
    }
  }

  /** Those that stay held while others are to come. */
  #contenders(elect: number, places: ReadonlyMap<Candidate, Draft>): ReadonlySet<Candidate> {
    const contenders = this.#round.contenders(elect);
    if (this.#plan?.holds !== false) return contenders;
    // What was taken over is its beam's, which is held anyhow.
    return new Set([...contenders].filter((each) => places.get(each)?.inherited));
  }

  /** The elected: those that are held, and the others drawn again, which costs no evaluation until more is drawn from them. */
  async #allOf(
    elected: ReadonlySet<Candidate>,
    held: readonly Elected[],
    places: ReadonlyMap<Candidate, Draft>,
  ): Promise<readonly Elected[]> {
    const isHeld = new Set(held.map(({ candidate }) => candidate));
    const again: Elected[] = [];
    for (const candidate of elected) {
      const draft = places.get(candidate);
      if (isHeld.has(candidate) || !draft) continue;
      if (this.#isLast(draft.step)) {
        // Nothing can be drawn from it.
        again.push({ candidate, chain: [] });
        continue;
      }
      const last = this.#keepElected ? this.#goal : draft.step;
      // Its evaluations were counted when it was drawn first; forward passes count whenever they run.
      const [chain] = await this.#rollOut([draft], last, new Ledger());
      if (chain) again.push({ candidate, chain });
    }
    return [...held, ...again];
  }

  #groupSize(beams: readonly Beam[], held: readonly Elected[]): number {
    const { generator } = this.#context;
    const room = generator.room(beams[0]?.chain[0]?.step ?? 0, this.#goal);
    if (this.#plan) return Math.max(1, Math.min(this.#growing, room, this.#plan.rollouts));
    // Kept rollouts hold as much memory as those under way.
    const kept = this.#keepElected ? beams.filter(({ candidate }) => candidate).length + held.length : 0;
    return Math.max(1, Math.min(this.#growing, room - kept - this.#leading.size));
  }

  /** Completes, decodes and judges those drafts of a group that nothing stands for yet. */
  async #judge(group: readonly Draft[]): Promise<ReadonlyMap<Draft, Outcome>> {
    const { generator, signal, show } = this.#context;
    const drawn = group.filter(({ inherited }) => !inherited);
    if (drawn.length === 0) return new Map();
    const chains = await this.#rollOut(drawn, this.#goal);
    throwIfAborted(signal);
    const rollouts = chains.map((chain) => chain.at(-1) as Prefix);
    const judged = await judgeAll(this.#context, rollouts, this.#until === 'none' ? 'full' : 'own');
    const packs = show !== undefined || this.#previews;
    const states = rollouts.map((rollout) => (packs ? generator.pack(rollout) : NO_STATE));
    return new Map(
      drawn.map((draft, i) => [draft, { chain: at(chains, i), state: at(states, i), ...at(judged, i) }]),
    );
  }

  /** Draws the drafts' own steps and then further ones until the last, the whole group in step. */
  async #rollOut(drafts: readonly Draft[], last: number, ledger?: Ledger): Promise<Chain[]> {
    const { generator, signal } = this.#context;
    // Where nothing lies between the empty prefix and the picture that may be drawn from.
    const isWhole = drafts.every(({ beam, step }) => at(beam.chain, 0).step === 0 && step === last);
    if (generator.rollOut && isWhole) {
      const draws = drafts.map(({ draw }) => draw);
      const drawn = await generator.rollOut(draws, last, { signal, ledger });
      return drawn.map((prefix) => [this.#owned.add(prefix)]);
    }
    const chains = drafts.map((): Prefix[] => []);
    let prefixes = drafts.map(({ beam }) => this.#owned.add(at(beam.chain, 0).retain()));
    for (let step = (prefixes[0]?.step ?? 0) + 1; step <= last; step++) {
      throwIfAborted(signal);
      const requests = drafts.map(({ draw }, i) => ({ prefix: at(prefixes, i), draw: draw.fold(step) }));
      const extended = await generator.extend(requests, { signal, ledger });
      for (const prefix of extended) this.#owned.add(prefix);
      drafts.forEach((draft, i) => {
        const before = at(prefixes, i);
        if (!this.#keeps(draft, before.step)) this.#owned.release(before);
        if (this.#keeps(draft, step) || step === last) at(chains, i).push(at(extended, i));
      });
      prefixes = extended;
    }
    return chains;
  }

  /** Whether the prefix of a rollout's step may be drawn from later. */
  #keeps(draft: Draft, step: number): boolean {
    return this.#keepElected ? step >= draft.step : step === draft.step;
  }

  /** Numbers a draft as a candidate, with its whole rollout. */
  #enter(draft: Draft, outcome: Outcome | undefined): Elected {
    const { beam, path, step } = draft;
    const judgedAt = this.#goal;
    const { steps } = this.#context.generator.schedule;
    const view = this.#until === 'none' && judgedAt < steps.length ? ({ view: 'full' } as const) : {};
    const id = this.#candidates.length + 1;
    const place = { id, parent: beam.candidate?.id ?? 0, step, judgedAt, ...view, path };
    if (!outcome) return this.#takeOver(beam, place);
    const candidate: Candidate = { ...place, scores: outcome.scores };
    this.#candidates.push(candidate);
    if (this.#previews) this.#states.set(id, outcome.state);
    return { candidate, chain: outcome.chain };
  }

  /** Holds on to no more of a rollout than the next round may need. */
  #shorten({ candidate, chain }: Elected): Elected {
    const kept = this.#isLast(candidate.step) ? 0 : this.#keepElected ? chain.length : 1;
    for (const rollout of chain.slice(kept)) this.#owned.release(rollout);
    return { candidate, chain: chain.slice(0, kept) };
  }

  /** The rollout of an elected candidate, judged in the round before, as a candidate of this one. */
  #takeOver({ candidate: before, chain }: Beam, place: Omit<Candidate, 'scores'>): Elected {
    const further = chain.filter(({ step }) => step >= place.step);
    if (!before || further.length === 0) {
      throw new RangeError('a beam without a kept rollout has nothing to take over');
    }
    const candidate: Candidate = { ...place, sameAs: before.sameAs ?? before.id, scores: before.scores };
    this.#candidates.push(candidate);
    return { candidate, chain: further.map((prefix) => this.#owned.add(prefix.retain())) };
  }

  async #show(
    drafts: readonly Draft[],
    entered: readonly Elected[],
    outcomes: ReadonlyMap<Draft, Outcome>,
  ): Promise<void> {
    const { show, signal } = this.#context;
    if (!show) return;
    const pictures = drafts.flatMap((draft, i): Shown[] => {
      const outcome = outcomes.get(draft);
      return outcome
        ? [{ candidate: at(entered, i).candidate, image: outcome.image, state: outcome.state }]
        : [];
    });
    if (pictures.length > 0) await show(pictures);
    throwIfAborted(signal);
  }

  /** Frees those that are not in `staying`. */
  #keepOnly(all: readonly Elected[], staying: ReadonlySet<Candidate>): readonly Elected[] {
    this.release(all.filter(({ candidate }) => !staying.has(candidate)));
    return all.filter(({ candidate }) => staying.has(candidate));
  }
}

const NO_STATE = new Uint8Array(0);

/**
 * A group moves in step, and nothing of it is judged before all of it is complete: whoever is stopped before that has nothing. So
 * a search begins with few pictures and grows from there, which costs a default search a call or two more per step.
 */
const FIRST_GROUP = 4;
const GROWTH = 4;

/** An element of a list that must have it: a model or verifier that gives too few results is at fault. */
function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`expected at least ${index + 1} results, got ${list.length}`);
  return value;
}
