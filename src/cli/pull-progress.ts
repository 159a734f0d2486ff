// The progress of a pull on stderr: how much of how much, how fast, and how long still.

import { formatDuration, formatLarge, formatPercent } from '../core/format.js';
import type { PullEvent } from '../hub/index.js';
import type { CliIo, Output } from './io.js';
import { line, plain, sizeOf } from './io.js';

/** Shows what a pull does. */
export interface PullProgress {
  show(event: PullEvent): void;
  /** Takes the redrawn line away, so that others can write. */
  clear(): void;
}

/** Over how many milliseconds a rate is taken. */
const WINDOW = 15_000;
const REDRAW = 200;
/** A line this often where there is no terminal. */
const REPORT = 10_000;

/** Bytes a second of late, from what was there when. */
export class Rate {
  readonly #points: { readonly at: number; readonly have: number }[] = [];

  add(have: number, at: number): void {
    this.#points.push({ at, have });
    while (this.#points.length > 2 && at - (this.#points[0]?.at ?? at) > WINDOW) this.#points.shift();
  }

  /** null until it can be told. */
  get perSecond(): number | null {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    if (!first || !last || last.at - first.at < 500) return null;
    return ((last.have - first.have) / (last.at - first.at)) * 1000;
  }
}

/** Words such as '1.20 GB of 8.82 GB (14%), 12.3 MB/s, 10 min 22 s left'. */
export function progressWords(have: number, bytes: number, rate: number | null): string {
  const share = bytes === 0 ? 1 : have / bytes;
  const speed =
    rate === null
      ? ''
      : `, ${formatLarge(rate)}B/s${rate > 0 ? `, ${formatDuration(((bytes - have) / rate) * 1000)} left` : ''}`;
  return `${formatLarge(have)}B of ${formatLarge(bytes)}B (${formatPercent(share)})${speed}`;
}

/** The progress that fits the surroundings; what goes wrong is told however quiet it is to be. */
export function createPullProgress(io: CliIo, quiet: boolean): PullProgress {
  const { stderr } = io;
  const terminal = stderr.isTTY === true;
  const rate = new Rate();
  const state = { files: 0, bytes: 0, have: 0, path: '', index: 0 };
  let shown = -Infinity;
  const clear = (): void => {
    if (terminal && !quiet) stderr.write('\r\u001b[2K');
  };
  const draw = (): void => {
    const now = performance.now();
    const ended = state.have === state.bytes;
    if (quiet || (now - shown < (terminal ? REDRAW : REPORT) && !ended)) return;
    shown = now;
    const words = `${state.index + 1}/${state.files} ${plain(state.path)}  ${progressWords(state.have, state.bytes, rate.perSecond)}`;
    write(stderr, words, terminal);
  };
  const say = (text: string): void => {
    clear();
    line(stderr, `varsearch: ${plain(text)}`);
  };
  return {
    clear,
    show(event) {
      switch (event.type) {
        case 'plan':
          Object.assign(state, event);
          rate.add(event.have, performance.now());
          break;
        case 'file':
          Object.assign(state, event);
          draw();
          break;
        case 'bytes':
          state.have = event.have;
          rate.add(event.have, performance.now());
          draw();
          break;
        case 'retry':
          say(`${event.fault}: trying again${event.wait < 1000 ? '' : ` in ${formatDuration(event.wait)}`}`);
          break;
        case 'waiting':
          say(`${event.path} is being fetched by ${event.holder}: waiting for it`);
          break;
      }
    },
  };
}

function write(output: Output, words: string, terminal: boolean): void {
  if (terminal) output.write(`\r\u001b[2K${words.slice(0, sizeOf(output).columns - 1)}`);
  else line(output, words);
}
