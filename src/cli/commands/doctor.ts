// varsearch doctor: what is here, what fits, and whether a model is what it should be.

import type { Command } from 'commander';

import { UsageError, VarsearchError } from '../../core/errors.js';
import { formatBytes, formatCount, formatDuration, formatLarge } from '../../core/format.js';
import { requireInstalled } from '../../core/installed.js';
import { Ledger, PHASES } from '../../core/ledger.js';
import type { OptionValues } from '../../core/options.js';
import { checkModel, type Finding } from '../../doctor/check.js';
import { describeDevices } from '../../doctor/devices.js';
import { needOf } from '../../doctor/fits.js';
import { lookAtMachine, type Machine } from '../../doctor/machine.js';
import type { Catalogs } from '../../engine/catalogs.js';
import type { ModelEntry } from '../../models/catalog.js';
import { MODEL_OPTIONS } from '../../models/options.js';
import { describeSearch } from '../../report/words.js';
import { STRATEGY_OPTION } from '../../run/options.js';
import type { Precision } from '../../runtime/graph/index.js';
import { measureMatMulRate } from '../../runtime/index.js';
import { resolveSearch, SEARCH_OPTIONS, type SearchOptions } from '../../search/registry.js';
import type { VerifierEntry } from '../../verifiers/catalog.js';
import { addFlags, type Flags, given, takersOf } from '../flags.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';
import { printTable } from '../table.js';

interface Own {
  readonly model?: string;
  readonly modelDir?: string;
  readonly check?: string | true;
  readonly verifier?: string;
}

type DoctorFlags = Flags & Own;

/** Pictures of this size are enough to tell a good model from a bad one. */
const SMALL = { size: '0.06M' };

const MORE = `
The check takes as long as some thirty pictures of 256 x 256 pixels and prints what it finds as it finds it. Its exit code is 0
where nothing failed, and 1 otherwise.

Examples:
  varsearch doctor
  varsearch doctor --model infinity-2b --strategy beam --width 3 --candidates 5 --size 0.06M
  varsearch doctor --check infinity-2b`;

function printMachine(machine: Machine, rate: number | null, io: CliIo): void {
  const versions = Object.entries(machine.versions).map(([name, version]) =>
    name === 'platform' ? version : `${name} ${version}`,
  );
  const disk = ({ folder, free }: Machine['cache']): string =>
    `${folder}${free === null ? '' : `, ${formatBytes(free)} free`}`;
  const speed = rate === null ? '' : `, ${formatLarge(rate)}FLOP/s in matrix products (measured)`;
  const rows = [
    ['versions', versions.join(', ')],
    ['processor', `${machine.processor}, ${machine.cores} cores${speed}`],
    ['memory', `${formatBytes(machine.memory)}, ${formatBytes(machine.freeMemory)} free`],
    ['Hub cache', disk(machine.cache)],
    ['own models', disk(machine.models)],
  ];
  printTable(io.stdout, rows, [0, 1]);
}

/** The devices besides the processor; where the engine itself does not start, that has been said. */
async function printDevices(io: CliIo): Promise<void> {
  printTable(io.stdout, await describeDevices(), [0, 1]);
}

function printInstalled({ models, verifiers }: Catalogs, io: CliIo): void {
  const states = (entries: readonly (ModelEntry | VerifierEntry)[]): string => {
    const here = entries.filter((entry) => entry.installed() === true).map(({ name }) => name);
    const missing = entries.filter((entry) => entry.installed() !== true).map(({ name }) => name);
    return `${here.join(', ')}${missing.length === 0 ? '' : ` (not here: ${missing.join(', ')})`}`;
  };
  printTable(
    io.stdout,
    [
      ['models', states(models)],
      ['verifiers', states(verifiers)],
    ],
    [0, 1],
  );
}

/** Whether a model draws pictures of a size. */
function draws(entry: ModelEntry, size: OptionValues): boolean {
  try {
    entry.schedule(size);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

const askedPrecision = (options: OptionValues): Precision =>
  (options['precision'] as Precision | undefined) ?? 'float32';

/** A row of what fits: a model, a size and a search. */
function fitRow(
  entry: ModelEntry,
  { search, options }: { readonly search: SearchOptions; readonly options: OptionValues },
  { memory, rate }: { readonly memory: number; readonly rate: number | null },
): string[] {
  const schedule = entry.schedule(options);
  const resolved = resolveSearch(search, schedule);
  const need = needOf(resolved, schedule, {
    weights: entry.weightBytes?.(askedPrecision(options)) ?? 0,
    decoderPixel: entry.decoderPixelBytes ?? 0,
    previews: entry.previewBytes?.(askedPrecision(options)),
  });
  const { width = 0, height = 0 } = schedule.steps.at(-1)?.readout ?? {};
  const fits = need.total <= memory;
  return [
    entry.name,
    `${width} x ${height}`,
    describeSearch(resolved),
    formatBytes(need.weights),
    formatBytes(need.total - need.weights),
    formatBytes(need.total),
    fits ? 'fits' : 'does not fit',
    rate === null ? '' : atLeast(need.flops / rate),
  ];
}

/** Seconds, minutes or hours. */
function atLeast(seconds: number): string {
  return seconds < 7200 ? formatDuration(seconds * 1000) : `${formatCount(seconds / 3600)} h`;
}

async function printFits(
  flags: DoctorFlags,
  catalogs: Catalogs,
  io: CliIo,
  figures: { readonly memory: number; readonly rate: number | null },
): Promise<void> {
  const search = { ...given(flags, STRATEGY_OPTION), ...given(flags, SEARCH_OPTIONS) } as SearchOptions;
  const options = given(flags, MODEL_OPTIONS) as OptionValues;
  const entry = named(flags.model, flags.modelDir, catalogs);
  const asked = entry ? [entry] : catalogs.models;
  const rows: string[][] = [];
  for (const each of asked) {
    // Without a model's name, sizes are tried that any official one knows.
    const sizes = entry || each.world !== 'any' ? [options] : [SMALL, {}].filter((size) => draws(each, size));
    for (const size of sizes) {
      if (entry === null && each.hub !== undefined && each.weightBytes === undefined) continue;
      rows.push(fitRow(each, { search, options: size }, figures));
    }
  }
  const head = ['model', 'picture', 'search', 'weights', 'at work', 'memory', '', 'at least'];
  line(io.stdout);
  const unique = rows.filter((row, i) => rows.findIndex((other) => other.join() === row.join()) === i);
  printTable(io.stdout, [head, ...unique], [0, 2, 6]);
  line(
    io.stdout,
    `Memory as estimated for ${askedPrecision(options)}; the time is that of the transformer at the measured rate of float32.`,
  );
}

function named(name: string | undefined, dir: string | undefined, catalogs: Catalogs): ModelEntry | null {
  if (dir !== undefined) return catalogs.modelIn(dir);
  return name === undefined ? null : catalogs.findModel(name);
}

/** The judge that looks at the pictures: the one asked for, or an installed CLIP of the model's world. */
function clipFor(entry: ModelEntry, asked: string | undefined, catalogs: Catalogs): VerifierEntry | null {
  if (asked !== undefined) return catalogs.findVerifier(asked);
  const clips = catalogs.verifiers.filter(
    (each) => each.name.startsWith('clip-score') && each.world === entry.world && each.installed() === true,
  );
  return clips.find(({ name }) => name === entry.verifier) ?? clips[0] ?? null;
}

const MARKS = { true: 'ok   ', false: 'FAULT', null: '?    ' } as const;

function printFinding({ what, passed, words }: Finding, io: CliIo): void {
  line(io.stdout, `${MARKS[`${passed}`]}  ${what}: ${words}`);
}

/** Checks a model and gives the exit code. */
async function check(flags: DoctorFlags, catalogs: Catalogs, io: CliIo): Promise<boolean> {
  const entry = named(typeof flags.check === 'string' ? flags.check : flags.model, flags.modelDir, catalogs);
  if (!entry) throw new UsageError('--check needs a model: name one, or a folder by --model-dir');
  requireInstalled('model', entry);
  const judge = clipFor(entry, flags.verifier, catalogs);
  if (judge) requireInstalled('verifier', judge);
  const asked = given(flags, MODEL_OPTIONS) as OptionValues;
  const modelOptions = entry.world === 'any' ? { ...SMALL, ...asked } : asked;
  const ledger = new Ledger();
  return await interruptible(io, async (signal) => {
    const start = performance.now();
    const model = await entry.load();
    ledger.addTime('load', performance.now() - start);
    const clip = judge ? await judge.load() : null;
    let faults = 0;
    try {
      const world = entry.world === 'any' ? 'any' : 'toybox';
      for await (const finding of checkModel({ model, modelOptions, world, clip, ledger, signal })) {
        if (finding.passed === false) faults++;
        printFinding(finding, io);
      }
      for (const [name, hash] of Object.entries(await model.hashes())) {
        line(io.stdout, `sha256 ${hash}  ${name}`);
      }
    } finally {
      await clip?.close();
      await model.close();
    }
    printCost(ledger, io);
    line(io.stdout, faults === 0 ? `${entry.name}: nothing failed` : `${entry.name}: ${faults} failed`);
    return faults === 0;
  });
}

function printCost(ledger: Ledger, io: CliIo): void {
  const { milliseconds, transformerFlops } = ledger.record();
  const phases = PHASES.filter((phase) => milliseconds[phase] > 0).map(
    (phase) => `${phase} ${formatDuration(milliseconds[phase])}`,
  );
  const rate = transformerFlops / (milliseconds.transformer / 1000);
  // In kilobytes on every system.
  const memory = process.resourceUsage().maxRSS * 1024;
  line(
    io.stdout,
    `time: ${phases.join(', ')}; the transformer at ${formatLarge(rate)}FLOP/s; memory: ${formatBytes(memory)} at most`,
  );
}

/** What the engine reaches here; null where it does not start, which is said. */
async function rateOf(catalogs: Catalogs, io: CliIo): Promise<number | null> {
  try {
    const runtime = await catalogs.createRuntime?.({});
    if (!runtime) return null;
    return await measureMatMulRate(runtime).finally(() => runtime.close());
  } catch (error) {
    if (!(error instanceof VarsearchError)) throw error;
    line(io.stderr, `varsearch: the engine does not start: ${error.message}`);
    return null;
  }
}

/** Adds the command to the program; `setExit` takes the exit code of a check that found faults. */
export function addDoctor(program: Command, io: CliIo, setExit: (code: number) => void): void {
  const command = program
    .command('doctor')
    .description('say what is installed and what fits, or check a model')
    .option('--model <name>', 'the model whose needs are worked out (default: all)')
    .option('--model-dir <dir>', 'folder with an Infinity laid out as the embedded one, in place of a name')
    .option('--check [model]', 'load this model and look whether it is what it should be')
    .option('--verifier <name>', 'for --check: the CLIP that looks at its pictures');
  addFlags(command, STRATEGY_OPTION);
  addFlags(command, SEARCH_OPTIONS, { takers: takersOf });
  addFlags(command, MODEL_OPTIONS);
  command.addHelpText('after', MORE).action(async (flags: DoctorFlags) => {
    const catalogs = await io.catalogs();
    const machine = await lookAtMachine();
    // A check tells the rate of the model itself.
    const rate = flags.check === undefined ? await rateOf(catalogs, io) : null;
    printMachine(machine, rate, io);
    if (flags.check !== undefined) {
      if (!(await check(flags, catalogs, io))) setExit(1);
      return;
    }
    if (rate !== null) await printDevices(io);
    printInstalled(catalogs, io);
    await printFits(flags, catalogs, io, { memory: machine.memory, rate });
  });
}
