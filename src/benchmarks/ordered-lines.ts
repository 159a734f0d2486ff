// The lines of a run, written in the order of its units whoever is through first. What comes before its turn waits in a file of its own,
// so that a run that is killed loses no more than what was in work; main file and waiting lines together hold no unit twice.

import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { VarsearchError } from '../core/errors.js';
import { Lines, type Named } from './lines.js';
import { BENCH_FILES } from './manifest.js';
import type { Unit } from './units.js';

/** The lines of a run. */
export class OrderedLines {
  readonly #lines: Lines<Named>;
  readonly #ahead: Lines<Named>;
  readonly #aheadPath: string;
  /** By place. */
  readonly #waiting = new Map<number, Named>();
  #written: number;

  /** Opens the lines of a folder's run; throws where they are not those of the units. */
  constructor(folder: string, name: string, units: readonly Unit[]) {
    const path = join(folder, name);
    this.#aheadPath = join(folder, BENCH_FILES.ahead);
    this.#lines = Lines.open(path);
    this.#ahead = Lines.open(this.#aheadPath);
    this.#written = this.#lines.lines.length;
    const wrong = this.#lines.lines.findIndex(({ id }, i) => id !== units[i]?.id);
    if (wrong >= 0) {
      this.#lines.close();
      this.#ahead.close();
      throw new VarsearchError(
        `line ${wrong + 1} of ${path} is not the run's: somebody has changed the file; begin again in a new folder`,
      );
    }
    const places = new Map(units.map(({ id, place }) => [id, place]));
    for (const line of this.#ahead.lines) {
      const place = places.get(line.id);
      if (place !== undefined && place >= this.#written) this.#waiting.set(place, line);
    }
    this.#drain();
  }

  /** Units that are through. */
  get done(): number {
    return this.#written + this.#waiting.size;
  }

  has(place: number): boolean {
    return place < this.#written || this.#waiting.has(place);
  }

  /** Keeps the line of a unit. */
  add(place: number, line: Named): void {
    if (place !== this.#written) this.#ahead.append(line);
    this.#waiting.set(place, line);
    this.#drain();
  }

  #drain(): void {
    for (let line = this.#waiting.get(this.#written); line; line = this.#waiting.get(this.#written)) {
      this.#lines.append(line);
      this.#waiting.delete(this.#written);
      this.#written++;
    }
    if (this.#waiting.size === 0) this.#ahead.clear();
  }

  close(): void {
    this.#lines.close();
    this.#ahead.close();
    if (this.#waiting.size === 0) rmSync(this.#aheadPath, { force: true });
  }
}
