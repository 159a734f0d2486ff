// varsearch bench: a benchmark as a run that survives anything.

import { resolve } from 'node:path';
import type { Command } from 'commander';

import { runBenchmark } from '../../benchmarks/index.js';
import { BENCHMARKS } from '../../benchmarks/lists/catalog.js';
import { promptFile } from '../../benchmarks/lists/prompt-file.js';
import { BENCH_ONLY, type BenchOptions } from '../../benchmarks/options.js';
import type { BenchEvent, BenchResult } from '../../benchmarks/run.js';
import { UsageError } from '../../core/errors.js';
import { formatDuration } from '../../core/format.js';
import { MODEL_OPTIONS } from '../../models/options.js';
import { addFlags, type Flags, given } from '../flags.js';
import { interruptible } from '../interrupt.js';
import { type CliIo, line, plain } from '../io.js';
import { shownPath } from '../summary.js';

interface Own {
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

type BenchFlags = Flags & Own;

const HELP = `
Benchmarks:
${BENCHMARKS.map(({ name, description }) => `  ${name.padEnd(15)} ${description}`).join('\n')}

Examples:
  varsearch bench toybench --strategies single --out runs/single
  varsearch bench toybench-hard --verifiers image-reward,coin --budgets 84,315 --seeds 1-3 --out runs/hard
  varsearch bench toybench-hard --strategies "random,beam,beam:paper,beam:rollout=preview:5" --out runs/variants`;

/** Shows how far a run is. */
function createProgress(io: CliIo, quiet: boolean): { show(event: BenchEvent): void; clear(): void } {
  const { stderr } = io;
  const terminal = stderr.isTTY === true && !quiet;
  const started = performance.now();
  let shownAt = 0;
  const clear = (): void => {
    if (terminal) stderr.write('\r\u001b[2K');
  };
  const say = (text: string): void => {
    clear();
    line(stderr, `varsearch: ${plain(text)}`);
  };
  return {
    clear,
    show(event) {
      if (event.type === 'warning') say(event.message);
      if (quiet || event.type === 'warning') return;
      if (event.type === 'note') say(event.message);
      if (event.type === 'ready') {
        for (const { strategy, model, jury, budget, why } of event.manifest.skipped) {
          say(`${strategy} on ${model} by ${jury} at ${budget.most} ${budget.unit} is left out: ${why}`);
        }
        const { cells, plans, prompts, seeds } = event.manifest;
        for (const [i, { strategy, model, jury, budget }] of cells.entries()) {
          const unused = plans[i]?.unused ?? 0;
          if (unused <= TOLD) continue;
          say(
            `${strategy} on ${model} by ${jury} cannot spend ${(100 * unused).toFixed(0)}% of ${budget.most} ${budget.unit}`,
          );
        }
        const parts = `${cells.length} cells x ${prompts.length} prompts x ${seeds.length} seeds`;
        say(`${parts}: ${event.done} of ${event.total} searches are done`);
      }
      if (event.type !== 'done') return;
      const now = performance.now();
      if (now - shownAt < (terminal ? REDRAW : REPORT) && event.done < event.total) return;
      shownAt = now;
      const { done, total, left } = event;
      const text = `${done}/${total} searches  ${formatDuration(now - started)}  ${formatDuration(left)} left`;
      if (terminal) stderr.write(`\r\u001b[2K${text}`);
      else line(stderr, text);
    },
  };
}

/** Shares of a budget that are worth a line. */
const TOLD = 0.005;
const REDRAW = 100;
const REPORT = 30_000;

async function run(benchmark: string, flags: BenchFlags, io: CliIo): Promise<void> {
  if (flags.out === undefined) {
    throw new UsageError('--out is missing: name the folder of the run, with which the same command goes on');
  }
  const catalogs = await io.catalogs();
  const options = {
    ...given(flags, BENCH_ONLY),
    ...given(flags, MODEL_OPTIONS),
    // A file is named from where the command was typed.
    benchmark: promptFile(benchmark) ? resolve(io.cwd, benchmark) : benchmark,
    out: resolve(io.cwd, flags.out),
  } as BenchOptions;
  const progress = createProgress(io, flags.quiet === true);
  const result = await interruptible(io, async (signal) => {
    const running = runBenchmark({ ...options, signal }, { catalogs });
    try {
      for await (const event of running) progress.show(event);
      return await running.result;
    } finally {
      progress.clear();
    }
  });
  if (flags.json === true) line(io.stdout, JSON.stringify(summaryOf(result), null, 2));
  else if (flags.quiet !== true) {
    const { done, total, endedBy, folder } = result;
    const rest = endedBy === 'time' ? '; the time is up, and the same command goes on' : '';
    line(io.stdout, `${done} of ${total} searches are in ${shownPath(folder, io.cwd)}${rest}`);
  }
}

function summaryOf({ folder, done, total, endedBy, manifest }: BenchResult): object {
  return { folder, hash: manifest.hash, done, total, endedBy, skipped: manifest.skipped };
}

/** Adds the command to the program. */
export function addBench(program: Command, io: CliIo): void {
  const command = program
    .command('bench')
    .description('run a benchmark: models, strategies, verifiers and budgets over its prompts, resumable')
    .argument('<benchmark>', 'its name, or a file of prompts: text, CSV or JSON lines')
    .option('--out <dir>', 'folder of the run: the same command goes on with it');
  addFlags(command, { ...BENCH_ONLY, ...MODEL_OPTIONS });
  command
    .option('--json', 'print the summary as JSON')
    .option('--quiet', 'print nothing but warnings and errors')
    .addHelpText('after', HELP)
    .action(async (benchmark: string, flags: BenchFlags) => {
      await run(benchmark, flags, io);
    });
}
