// What prefixes hold, by arithmetic on a schedule. Steps are counted from 1; the forward pass of step t is held by the prefix of
// t - 1 steps, whose children share it.

import type { Schedule, Step } from './contract.js';

/** More rollouts at once than this bring no more speed on any engine we measured. */
export const MOST_ROLLOUTS = 64;

/** The bytes of a schedule's prefixes. */
export class HeldBytes {
  readonly #steps: readonly Step[];
  readonly #standsAlone: boolean;

  constructor({ steps, standsAlone = false }: Schedule) {
    this.#steps = steps;
    this.#standsAlone = standsAlone;
  }

  /** A prefix of `step` steps by itself. The empty one may hold what the first one does. */
  #own(step: number): number {
    return this.#steps[Math.max(step, 1) - 1]?.prefixBytes ?? 0;
  }

  /** What the forward pass of step `step` leaves. */
  #forward(step: number): number {
    return this.#steps[step - 1]?.heldBytes ?? 0;
  }

  #sum(from: number, until: number, of: (step: number) => number): number {
    let sum = 0;
    for (let step = from; step <= until; step++) sum += of(step);
    return sum;
  }

  /** What looking at a prefix leaves in it: the evaluation that its picture is predicted by. */
  look(step: number): number {
    return (this.#steps[step - 1]?.readout.nfe ?? 0) > 0 ? this.#forward(step + 1) : 0;
  }

  /** A prefix of no steps, with its forward pass. */
  get root(): number {
    return this.#own(0) + this.#forward(1);
  }

  /** Step `until` of a prefix of `from` steps, with all that it needs beyond that one; without a forward pass of its own. */
  line(from: number, until: number): number {
    if (this.#standsAlone) return until > from ? this.#own(until) : 0;
    const own = this.#sum(from + 1, until, (step) => this.#own(step));
    return own + this.#sum(from + 2, until, (step) => this.#forward(step));
  }

  /**
   * Of a rollout from `from` to `until`, whose prefix of `step` steps stays: what it lets go before its picture is decoded. Nothing is
   * drawn from a prefix of all steps, so that forward passes which only it needs are gone then.
   */
  letGo(from: number, step: number, until: number): number {
    const last = this.#steps.length;
    if (this.#standsAlone || until < last) return 0;
    return this.#sum((step === last ? from : step) + 2, until, (each) => this.#forward(each));
  }

  /** A prefix of `step` steps that was unpacked to be looked at: no forward pass has run. */
  unpacked(step: number): number {
    return this.#standsAlone ? this.#own(step) : this.#sum(0, step, (each) => this.#own(each));
  }

  /** As `line`, with its forward pass where the steps go on to `last`. */
  extended(from: number, until: number, last: number): number {
    return this.line(from, until) + (until < last ? this.#forward(until + 1) : this.look(until));
  }

  /** All prefixes of the steps `step` to `until` that continue one of `from` steps, each with its forward pass. */
  kept(from: number, step: number, until: number): number {
    if (!this.#standsAlone) return this.line(from, until) + this.look(until);
    return this.#sum(step, until, (each) => this.#own(each) + this.#forward(each + 1));
  }

  /** The most that a rollout from `from` to `until` holds under way, when its prefix of `step` steps, or all from there, stay. */
  rollout(from: number, step: number, until: number, keepsAll: boolean): number {
    if (!this.#standsAlone) return this.kept(from, step, until);
    const steps = Array.from({ length: until - from }, (_, i) => from + 1 + i);
    const moving = steps.map(
      (each) => 2 * Math.max(this.#own(each), this.#own(each - 1)) + this.#forward(each),
    );
    const staying = keepsAll ? this.kept(from, step, until) : this.extended(from, step, until);
    return Math.max(...moving, 0) + staying + this.look(until);
  }

  /**
   * The most that a forward pass of one prefix between `from` and `until`, or of a look at it there, needs while it runs, or a
   * decoder's picture, which has the size of step `size`; `together` with others or by itself.
   */
  running(from: number, until: number, { size = until, together = false } = {}): number {
    const { width = 0, height = 0 } = this.#steps[size - 1]?.readout ?? {};
    const looks = (this.#steps[until - 1]?.readout.nfe ?? 0) > 0 ? 1 : 0;
    const passes = this.#steps
      .slice(from, until + looks)
      .map(({ runBytes = 0, gatheredBytes = 0 }) => runBytes + (together ? gatheredBytes : 0));
    return Math.max(...passes, PLANE_BYTES * width * height);
  }

  /** A decoded picture of `step` steps. */
  picture(step: number): number {
    const { width = 0, height = 0 } = this.#steps[step - 1]?.readout ?? {};
    return PIXEL_BYTES * width * height;
  }
}

/** Of a pixel: three bytes, and three float32 on its way from the decoder. */
const PIXEL_BYTES = 3;
const PLANE_BYTES = 12;

/**
 * How many prefixes can be taken from one step to another together, of an engine that may hold so many bytes: half is for what they
 * hold, half for the step that runs. At least one.
 */
export function roomIn(
  { steps, standsAlone = false }: Schedule,
  memory: number,
  { from, until }: { readonly from: number; readonly until: number },
): number {
  // A latent and a prediction, however many steps there are: no prefix holds the one before it.
  const held = standsAlone
    ? Math.max(...steps.map(({ heldBytes, prefixBytes = 0 }) => heldBytes + prefixBytes))
    : steps.slice(from, until).reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  return Math.min(MOST_ROLLOUTS, Math.max(1, Math.floor(memory / 2 / Math.max(held, 1))));
}
