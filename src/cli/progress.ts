// The progress of searches on stderr: one line that is redrawn on a terminal, a line a round elsewhere.

import { formatDuration } from '../core/format.js';
import type { Schedule } from '../models/contract.js';
import { briefScores } from '../report/words.js';
import type { GenerateEvent } from '../run/generate.js';
import type { Candidate } from '../search/contract.js';
import type { CliIo, Output } from './io.js';
import { line, plain, sizeOf } from './io.js';

/** Shows what a run does. */
export interface Progress {
  show(event: GenerateEvent): void;
  /** Takes the redrawn line away, so that others can write. */
  clear(): void;
}

/** What there is to say at any time. */
interface State {
  /** What the model calls its steps. */
  unit: Schedule['unit'];
  steps: number;
  step: number;
  rounds: number;
  done: number;
  total: number;
  /** The candidates of the search by id, since events name the best by it. */
  readonly candidates: Map<number, Candidate>;
  best: Candidate | null;
}

function begin(): State {
  return {
    unit: 'step',
    steps: 0,
    step: 0,
    rounds: 0,
    done: 0,
    total: 0,
    candidates: new Map(),
    best: null,
  };
}

const BAR = 24;
const REDRAW_MILLISECONDS = 80;

function bar(done: number, total: number): string {
  const filled = total === 0 ? 0 : Math.round((Math.min(done, total) / total) * BAR);
  return '\u2588'.repeat(filled) + '\u2591'.repeat(BAR - filled);
}

function words({ unit, step, steps, rounds, done, total, best }: State): string {
  const place = rounds > 1 ? `${unit} ${step}/${steps}  ` : '';
  // By the judges' own scores: a standing holds among the pictures until now only.
  const kind = best !== null && best.judgedAt < steps ? 'best preview' : 'best';
  const height = best === null ? '' : `  ${kind} ${briefScores(best)}`;
  return `${place}${done}/${total} pictures${height}`;
}

function follow(state: State, event: GenerateEvent): void {
  switch (event.type) {
    case 'ready':
      Object.assign(state, {
        ...begin(),
        unit: event.schedule.unit,
        steps: event.schedule.steps.length,
        total: event.cost.images,
      });
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

function onTerminal(output: Output, title: string): Progress {
  const state = begin();
  const start = performance.now();
  let drawn = -Infinity;
  const clear = (): void => {
    output.write('\r\u001b[2K');
    drawn = -Infinity;
  };
  return {
    show(event) {
      follow(state, event);
      const now = performance.now();
      if (event.type === 'judged' && state.done < state.total && now - drawn < REDRAW_MILLISECONDS) return;
      drawn = now;
      const text = `${title}${bar(state.done, state.total)}  ${words(state)}  ${formatDuration(now - start)}`;
      output.write(`\r\u001b[2K${text.slice(0, sizeOf(output).columns - 1)}`);
    },
    clear,
  };
}

function onLines(output: Output, title: string): Progress {
  const state = begin();
  return {
    show(event) {
      follow(state, event);
      if (event.type === 'elected') line(output, `${title}${words(state)}`);
    },
    clear: () => undefined,
  };
}

const SILENT: Progress = { show: () => undefined, clear: () => undefined };

/** The progress that fits the surroundings; warnings are shown however quiet it is to be. */
export function createProgress(
  io: CliIo,
  options: { readonly quiet: boolean; readonly title?: string },
): Progress {
  const { stderr } = io;
  const title = options.title === undefined ? '' : `${options.title}  `;
  const progress = options.quiet
    ? SILENT
    : stderr.isTTY === true
      ? onTerminal(stderr, title)
      : onLines(stderr, title);
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
