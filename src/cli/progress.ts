// The progress of searches on stderr: one line that is redrawn on a terminal, with a clock, and a line a round elsewhere.

import type { LedgerRecord } from '../core/ledger.js';
import type { Schedule } from '../models/contract.js';
import { briefScores } from '../report/words.js';
import type { GenerateEvent } from '../run/generate.js';
import type { Candidate } from '../search/contract.js';
import type { Estimate } from '../search/cost.js';
import type { CliIo, Output } from './io.js';
import { line, plain, sizeOf } from './io.js';
import { canRedraw } from './terminal.js';
import { clock, outlook } from './time-left.js';

/** Shows what a run does. */
export interface Progress {
  show(event: GenerateEvent): void;
  /** Takes the redrawn line away and stops the clock, so that others can write; what is shown next brings them back. */
  clear(): void;
}

/** How the progress of a run is shown. */
export interface ProgressOptions {
  readonly quiet: boolean;
  /** What stands before it. */
  readonly title?: string;
  /** What is being loaded until the search begins. */
  readonly loading?: string;
  /** Milliseconds from now after which the search ends. */
  readonly limit?: number | null;
}

/** What there is to say at any time. */
interface State {
  /** What the model calls its steps. */
  unit: Schedule['unit'];
  steps: number;
  step: number;
  rounds: number;
  done: number;
  cost: Pick<Estimate, 'flops' | 'images'>;
  judges: number;
  /** The candidates of the search by id, since events name the best by it. */
  candidates: Map<number, Candidate>;
  best: Candidate | null;
  /** When the search began; null while things are loaded. */
  began: number | null;
  /** The ledger at the last call. */
  ledger: LedgerRecord | null;
  /** When the last call was done. */
  called: number;
  /** The most that the bar has shown: it does not go back. */
  share: number;
}

const begin = (): State => ({
  unit: 'step',
  steps: 0,
  step: 0,
  rounds: 0,
  done: 0,
  cost: { flops: 0, images: 0 },
  judges: 1,
  candidates: new Map(),
  best: null,
  began: null,
  ledger: null,
  called: 0,
  share: 0,
});

function follow(state: State, event: GenerateEvent, now: number): void {
  switch (event.type) {
    case 'ready':
      Object.assign(state, begin(), {
        unit: event.schedule.unit,
        steps: event.schedule.steps.length,
        cost: event.cost,
        judges: event.options.jury.judges.length,
        began: now,
        called: now,
      });
      break;
    case 'work':
      state.ledger = event.ledger;
      state.called = now;
      break;
    case 'round':
      state.step = event.step;
      state.rounds = event.rounds;
      break;
    case 'judged':
      for (const candidate of event.candidates) {
        state.candidates.set(candidate.id, candidate);
        if (candidate.sameAs === undefined) state.done++;
      }
      state.best = state.candidates.get(event.best) ?? null;
      break;
    case 'warning':
    case 'elected':
    case 'ended':
    case 'report':
      break;
  }
}

/** How far it is, and how long still; the time since the last call is taken off. */
function lookOut(state: State, now: number): { readonly share: number; readonly left: number | null } {
  const { cost, judges, ledger, began, called } = state;
  if (!ledger || began === null) return { share: 0, left: null };
  const { share, left } = outlook({ cost, judges, ledger, elapsed: called - began });
  state.share = Math.max(state.share, share);
  return { share: state.share, left: left === null ? null : Math.max(0, left - (now - called)) };
}

/** The parts of the line, each in the order in which it stands; what is not known yet is empty. */
interface Parts {
  readonly title: string;
  readonly share: number;
  readonly place: string;
  readonly pictures: string;
  readonly score: string;
  readonly elapsed: string;
  readonly left: string;
}

function partsOf(state: State, title: string, { elapsed, left }: { elapsed: string; left: string }): Parts {
  const { unit, step, steps, rounds, done, cost, best } = state;
  // By the judges' own scores: a standing holds among the pictures until now only.
  const kind = best !== null && best.judgedAt < steps ? 'best preview' : 'best';
  return {
    title,
    share: state.share,
    place: rounds > 1 ? `${unit} ${step}/${steps}` : '',
    pictures: `${done}/${cost.images} pictures`,
    score: best === null ? '' : `${kind} ${briefScores(best)}`,
    elapsed,
    left,
  };
}

const join = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('  ');

function bar(share: number, length: number): string {
  const filled = Math.floor(Math.min(1, share) * length);
  return '\u2588'.repeat(filled) + '\u2591'.repeat(length - filled);
}

const write = ({ title, place, pictures, score, elapsed, left }: Parts, drawn: string): string =>
  join([title, drawn, place, pictures, score, join([elapsed, left]).replace('  ', ', ')]);

const brief = (parts: Parts): Parts => ({ ...parts, pictures: parts.pictures.replace(/ pictures$/, '') });

/** What is given up where the terminal is narrow, one after the other: the score stays longest. */
const FORMS: readonly ((parts: Parts) => string)[] = [
  (parts) => write(parts, bar(parts.share, 24)),
  (parts) => write(parts, bar(parts.share, 10)),
  (parts) => write(brief(parts), bar(parts.share, 10)),
  (parts) => write(brief(parts), ''),
  (parts) => write({ ...brief(parts), elapsed: '' }, ''),
  (parts) => write({ ...brief(parts), elapsed: '', title: '' }, ''),
  (parts) => write({ ...brief(parts), elapsed: '', title: '', place: '' }, ''),
  (parts) => write({ ...brief(parts), elapsed: '', title: '', place: '', left: '' }, ''),
  ({ score, pictures }) => (score === '' ? pictures : score),
];

/** The line of a search within so many characters. */
function fitted(parts: Parts, width: number): string {
  const form = FORMS.find((each) => each(parts).length <= width) ?? FORMS.at(-1);
  return (form?.(parts) ?? '').slice(0, width);
}

const TICK_MILLISECONDS = 1000;
const REDRAW_MILLISECONDS = 80;

/** What is left, in words; a limit of time may come before. */
function leftWords(left: number | null, limit: number | null): string {
  const least = left === null || limit === null ? (left ?? limit) : Math.min(left, limit);
  return least === null || least < 0 ? '' : `~${clock(least)} left`;
}

/** The words for now. */
function textOf(state: State, { title = '', loading, limit = null }: ProgressOptions, times: Times): Parts {
  const { start, now } = times;
  const { left } = lookOut(state, now);
  const elapsed = clock(now - start);
  if (state.began === null) {
    const what = loading === undefined ? 'preparing' : `loading ${plain(loading)}`;
    return { title, share: 0, place: '', pictures: what, score: '', elapsed, left: '' };
  }
  const untilLimit = limit === null ? null : limit - (now - start);
  return partsOf(state, title, { elapsed, left: leftWords(left, untilLimit) });
}

interface Times {
  readonly start: number;
  readonly now: number;
}

function onTerminal(output: Output, options: ProgressOptions): Progress {
  const state = begin();
  const start = performance.now();
  let drawn = -Infinity;
  let ticking: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const now = performance.now();
    drawn = now;
    const parts = textOf(state, options, { start, now });
    const width = sizeOf(output).columns - 1;
    const text = state.began === null ? write(parts, '').slice(0, width) : fitted(parts, width);
    output.write(`\r\u001b[2K${text}`);
  };
  const tick = (): void => {
    ticking ??= setInterval(draw, TICK_MILLISECONDS).unref();
  };
  if (options.loading !== undefined) {
    draw();
    tick();
  }
  return {
    show(event) {
      const now = performance.now();
      follow(state, event, now);
      const often = event.type === 'judged' || event.type === 'work';
      if (often && now - drawn < REDRAW_MILLISECONDS && state.done < state.cost.images) return;
      draw();
      tick();
    },
    clear() {
      clearInterval(ticking);
      ticking = undefined;
      output.write('\r\u001b[2K');
      drawn = -Infinity;
    },
  };
}

function onLines(output: Output, options: ProgressOptions): Progress {
  const state = begin();
  const start = performance.now();
  if (options.loading !== undefined) line(output, `loading ${plain(options.loading)}`);
  return {
    show(event) {
      const now = performance.now();
      follow(state, event, now);
      if (event.type === 'elected') line(output, write(textOf(state, options, { start, now }), ''));
    },
    clear: () => undefined,
  };
}

const SILENT: Progress = { show: () => undefined, clear: () => undefined };

/** The progress that fits the surroundings; warnings are shown however quiet it is to be. */
export function createProgress({ stderr, env }: CliIo, options: ProgressOptions): Progress {
  const progress = options.quiet
    ? SILENT
    : canRedraw(stderr, env)
      ? onTerminal(stderr, options)
      : onLines(stderr, options);
  return {
    clear: () => {
      progress.clear();
    },
    show(event) {
      if (event.type === 'warning') {
        progress.clear();
        line(stderr, `varsearch: ${plain(event.message)}`);
      } else {
        progress.show(event);
      }
    },
  };
}
