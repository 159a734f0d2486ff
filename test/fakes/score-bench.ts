// Command lines over a folder of small pictures, with several judges without weights: one by colour, one absent.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { CliIo, InterruptSignal, Output } from '../../src/cli/io.js';
import { runCli } from '../../src/cli/program.js';
import { UsageError } from '../../src/core/errors.js';
import { createImage, type Image } from '../../src/core/image.js';
import type { Catalogs } from '../../src/engine/catalogs.js';
import type { VerifierEntry } from '../../src/verifiers/catalog.js';
import type { Verifier } from '../../src/verifiers/contract.js';
import { encodePng } from '../fixtures/write-png.js';
import { type CliOutcome, temporaryFolder } from './cli.js';

/** A judge that remembers what it was asked. */
export interface ColourJudge extends Verifier {
  /** The number of pictures of each call, by prompt. */
  readonly calls: { readonly prompt: string; readonly pictures: number }[];
  readonly closed: () => boolean;
  /** Judges that are prepared and not closed. */
  readonly open: () => number;
}

/** How a judge of colour behaves. */
export interface ColourJudgeOptions {
  /** Called before each call; what it rejects with, the call rejects with. */
  readonly onScore?: (signal: AbortSignal | undefined) => Promise<void>;
}

/** Scores a picture by the first pixel's red (0), green (1) or blue (2), 0..1. */
export function colourJudge(
  name: string,
  channel: number,
  { onScore }: ColourJudgeOptions = {},
): ColourJudge {
  const calls: ColourJudge['calls'] = [];
  let closed = false;
  let open = 0;
  return {
    name,
    calls,
    closed: () => closed,
    open: () => open,
    hashes: () => Promise.resolve({}),
    prepare(prompt, ledger) {
      open++;
      return Promise.resolve({
        async score(images, options = {}) {
          await onScore?.(options.signal);
          calls.push({ prompt, pictures: images.length });
          ledger.add({ imagesVerified: images.length });
          return images.map(({ data }) => (data[channel] ?? 0) / 255);
        },
        close: () => {
          open--;
        },
      });
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
}

/** A picture of one colour. */
export function plainPicture(red: number, green = 0, blue = 0, side = 4): Image {
  const pixels = Array.from({ length: side * side }, () => [red, green, blue]);
  return createImage(side, side, Uint8Array.from(pixels.flat()));
}

/** Surroundings for several command lines in one new folder. */
export interface ScoreBench {
  readonly folder: string;
  readonly catalogs: Catalogs;
  readonly loaded: ColourJudge[];
  /** Writes a file, and the folders that it lies in. */
  write(name: string, content: Image | Uint8Array | string): void;
  run(...words: string[]): Promise<CliOutcome>;
  /** Presses Ctrl-C while a command runs. */
  interrupt(signal?: InterruptSignal): void;
}

/** How the surroundings are. */
export interface ScoreBenchOptions extends ColourJudgeOptions {
  /** @default false */
  readonly terminal?: boolean;
  /** @default the judges of colour */
  readonly catalogs?: Catalogs;
}

/** The verifiers: clip-score (red, of the toybox world), greenness, clip-score-large (blue), and absent. */
function verifiersOf(options: ScoreBenchOptions, loaded: ColourJudge[]): VerifierEntry[] {
  const entry = (name: string, channel: number, world: 'any' | 'toybox'): VerifierEntry => ({
    name,
    description: `likes channel ${channel}`,
    goodAt: 'colour',
    licence: 'Apache-2.0',
    size: 'none',
    world,
    installed: () => true,
    load: () => {
      const judge = colourJudge(name, channel, options);
      loaded.push(judge);
      return Promise.resolve(judge);
    },
  });
  return [
    entry('clip-score', 0, 'toybox'),
    entry('greenness', 1, 'any'),
    entry('clip-score-large', 2, 'any'),
    { ...entry('absent', 0, 'any'), size: '1 GB', installed: () => 'weights.pth is missing: put it there' },
  ];
}

/** Makes the surroundings of command lines that score. */
export function scoreBench(options: ScoreBenchOptions = {}): ScoreBench {
  const folder = temporaryFolder();
  const loaded: ColourJudge[] = [];
  const verifiers = verifiersOf(options, loaded);
  let handler: ((signal: InterruptSignal) => void) | null = null;
  const catalogs: Catalogs = options.catalogs ?? {
    models: [],
    verifiers,
    findModel: (name) => {
      throw new UsageError(`unknown model '${name}'`);
    },
    modelIn: (folder) => {
      throw new UsageError(`no model in '${folder}'`);
    },
    clipIn: () => ({ ...verifiers[1]!, name: 'clip-dir' }),
    findVerifier: (name) => {
      const found = verifiers.find((each) => each.name === name);
      if (found) return found;
      throw new UsageError(
        `unknown verifier '${name}': choose one of ${verifiers.map((each) => each.name).join(', ')}`,
      );
    },
  };
  const run = async (...words: string[]): Promise<CliOutcome> => {
    const written = { stdout: '', stderr: '' };
    const output = (name: keyof typeof written): Output => ({
      write: (text) => (written[name] += text),
      ...(options.terminal === true ? { isTTY: true, columns: 80, rows: 24 } : {}),
    });
    const io: CliIo = {
      stdout: output('stdout'),
      stderr: output('stderr'),
      env: {},
      cwd: folder,
      catalogs: () => Promise.resolve(catalogs),
      onInterrupt: (given) => {
        handler = given;
        return () => (handler = null);
      },
    };
    return { code: await runCli(words, io), ...written };
  };
  return {
    folder,
    catalogs,
    loaded,
    run,
    interrupt: (signal = 'SIGINT') => handler?.(signal),
    write(name, content) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === 'object' && 'width' in content ? encodePng(content) : content);
    },
  };
}
