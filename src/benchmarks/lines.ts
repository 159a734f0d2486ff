// A file of JSON lines that is only ever appended to, one whole line at a time, in an order that is known beforehand. Whatever is killed
// leaves the beginning of the whole file, and at most a torn line after it, which is cut off when the file is opened again.

import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

import { VarsearchError } from '../core/errors.js';
import { fileFault } from '../core/file-faults.js';

/** A line that can be told apart from others. */
export interface Named {
  readonly id: string;
}

/** A file of lines in order. */
export class Lines<Line extends Named> {
  readonly #path: string;
  readonly #file: number;
  /** Bytes of whole lines. */
  #end: number;

  /** What the file has, in its order. */
  readonly lines: readonly Line[];

  private constructor(path: string, file: number, lines: readonly Line[], end: number) {
    this.#path = path;
    this.#file = file;
    this.lines = lines;
    this.#end = end;
  }

  /** Opens a file, or makes it; a torn last line goes. Throws a VarsearchError for lines that are none of its kind. */
  static open<Line extends Named>(path: string): Lines<Line> {
    let file: number | undefined;
    try {
      file = openSync(path, 'a+');
      const bytes = readFileSync(path);
      const end = bytes.lastIndexOf(0x0a) + 1;
      const lines = bytes
        .toString('utf8', 0, end)
        .split('\n')
        .slice(0, -1)
        .map((line, i) => read(line, `line ${i + 1} of ${path}`) as Line);
      if (end < bytes.length) ftruncateSync(file, end);
      return new Lines(path, file, lines, end);
    } catch (error) {
      if (file !== undefined) closeSync(file);
      throw error instanceof VarsearchError ? error : cannotWrite(path, error);
    }
  }

  /** Appends a line. Where that fails half-way, as on a full disk, nothing of it stays. */
  append(line: Line): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      ftruncateSync(this.#file, this.#end);
      throw cannotWrite(this.#path, error);
    }
    this.#end += bytes.length;
  }

  /** Takes all lines away. */
  clear(): void {
    ftruncateSync(this.#file, 0);
    this.#end = 0;
  }

  close(): void {
    fsyncSync(this.#file);
    closeSync(this.#file);
  }
}

function cannotWrite(path: string, cause: unknown): VarsearchError {
  return new VarsearchError(`cannot write to ${path}: ${fileFault(cause)}`, { cause });
}

function read(text: string, where: string): Named {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new VarsearchError(`${where} is not JSON: the file is damaged`, { cause });
  }
  const isNamed =
    typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
  if (!isNamed) throw new VarsearchError(`${where} is no record of a benchmark: the file is damaged`);
  return value as Named;
}
