// What is said on stderr while pictures are scored: warnings, and a line that is redrawn on a terminal.

import type { ScoreEvent } from '../score/score.js';
import type { CliIo } from './io.js';
import { line, plain } from './io.js';

/** Shows how far scoring is. */
export interface ScoreProgress {
  show(event: ScoreEvent): void;
  /** Takes the redrawn line away, so that others can write. */
  clear(): void;
}

/** The progress that fits the surroundings; files left out are told however quiet it is to be. */
export function createScoreProgress({ stderr }: CliIo, quiet: boolean): ScoreProgress {
  const redraw = !quiet && stderr.isTTY === true;
  const draw = (text: string): void => {
    if (redraw) stderr.write(`\r\u001b[2K${text}`);
  };
  const say = (message: string): void => {
    draw('');
    line(stderr, `varsearch: ${plain(message)}`);
  };
  return {
    show(event) {
      switch (event.type) {
        case 'skipped':
          say(`${event.message}; left out`);
          break;
        case 'warning':
          if (!quiet) say(event.message);
          break;
        case 'looked':
          draw(`looking at pictures: ${event.done}/${event.total}`);
          break;
        case 'ready':
          draw(`loading verifiers for ${event.pictures} pictures`);
          break;
        case 'scored':
          draw(`${event.done}/${event.total} pictures scored`);
          break;
      }
    },
    clear: () => {
      draw('');
    },
  };
}
