// Runs command lines in this process, with fakes and with what was printed at hand.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

import type { CliIo, InterruptSignal, Output } from '../../src/cli/io.js';
import { runCli } from '../../src/cli/program.js';
import { type FakeCatalogs, fakeCatalogs } from './catalogs.js';
import type { FakeModelOptions } from './fake-model.js';

/** What a command did. */
export interface CliOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Surroundings for several command lines in one new folder. */
export interface CliBench {
  readonly folder: string;
  readonly catalogs: FakeCatalogs;
  run(...words: string[]): Promise<CliOutcome>;
}

/** How the surroundings are. */
export interface CliBenchOptions extends FakeModelOptions {
  readonly env?: CliIo['env'];
  /** The user presses Ctrl-C before this extension, counted from 1. */
  readonly interruptAt?: number;
  /** @default 'SIGINT' */
  readonly interruptBy?: InterruptSignal;
  readonly terminal?: { readonly columns: number; readonly rows: number };
  /** Where commands look names up. @default the fakes */
  readonly from?: CliIo['catalogs'];
}

/** A folder that goes away when the test has ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes the surroundings of command lines. */
export function cliBench(options: CliBenchOptions = {}): CliBench {
  const { env = {}, terminal, interruptAt, interruptBy = 'SIGINT', from, ...model } = options;
  const folder = temporaryFolder();
  let handler: ((signal: InterruptSignal) => void) | null = null;
  let extensions = 0;
  const onExtend = (step: number): void => {
    if (++extensions === interruptAt) handler?.(interruptBy);
    model.onExtend?.(step);
  };
  const catalogs = fakeCatalogs({ ...model, onExtend });
  const run = async (...words: string[]): Promise<CliOutcome> => {
    const written = { stdout: '', stderr: '' };
    const output = (name: keyof typeof written): Output => ({
      write: (text) => (written[name] += text),
      ...(terminal ? { isTTY: true, ...terminal } : {}),
    });
    const code = await runCli(words, {
      stdout: output('stdout'),
      stderr: output('stderr'),
      env,
      cwd: folder,
      catalogs: from ?? (() => Promise.resolve(catalogs)),
      onInterrupt: (given) => {
        handler = given;
        return () => (handler = null);
      },
    });
    return { code, ...written };
  };
  return { folder, catalogs, run };
}
