// The progress of searches on stderr: one line that is redrawn on a terminal, a line a round elsewhere.

import { formatDuration, formatScore } from '../core/format.js';
import { describeScores } from '../report/words.js';
import type { GenerateEvent } from '../run/generate.js';
import type { TreeNode } from '../search/tree.js';
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
  scale: number;
  rounds: number;
  done: number;
  total: number;
  best: TreeNode | null;
}

const BAR = 24;
const REDRAW_MILLISECONDS = 80;

function bar(done: number, total: number): string {
  const filled = total === 0 ? 0 : Math.round((Math.min(done, total) / total) * BAR);
  return '\u2588'.repeat(filled) + '\u2591'.repeat(BAR - filled);
}

/** The best so far; of an ensemble by its members' own scores, since a joined one may only hold among its round. */
function bestOf(node: TreeNode): string {
  return Object.keys(node.scores).length > 1 ? describeScores(node) : formatScore(node.score);
}

function words(state: State): string {
  const place = state.rounds > 1 ? `scale ${state.scale}/${state.rounds}  ` : '';
  const best = state.best === null ? '' : `  best ${bestOf(state.best)}`;
  return `${place}${state.done}/${state.total} pictures${best}`;
}

function follow(state: State, event: GenerateEvent): void {
  switch (event.type) {
    case 'ready':
      Object.assign(state, { scale: 0, rounds: 0, done: 0, total: event.cost.images, best: null });
      break;
    case 'round':
      state.scale = event.scale;
      state.rounds = event.rounds;
      break;
    case 'scored':
      state.done += event.nodes.filter((node) => !node.inherited).length;
      state.best = event.best;
      break;
    case 'warning':
    case 'elected':
    case 'report':
      break;
  }
}

function onTerminal(output: Output, title: string): Progress {
  const state: State = { scale: 0, rounds: 0, done: 0, total: 0, best: null };
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
      if (event.type === 'scored' && state.done < state.total && now - drawn < REDRAW_MILLISECONDS) return;
      drawn = now;
      const text = `${title}${bar(state.done, state.total)}  ${words(state)}  ${formatDuration(now - start)}`;
      output.write(`\r\u001b[2K${text.slice(0, sizeOf(output).columns - 1)}`);
    },
    clear,
  };
}

function onLines(output: Output, title: string): Progress {
  const state: State = { scale: 0, rounds: 0, done: 0, total: 0, best: null };
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
