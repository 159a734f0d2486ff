// The schedule that a command is about, known before anything is loaded.

import { basename } from 'node:path';
import type { Command } from 'commander';

import { UsageError } from '../core/errors.js';
import type { OptionValues } from '../core/options.js';
import type { Catalogs } from '../engine/catalogs.js';
import { checkOpenOptions, DEFAULT_NAMES, type OpenOptions } from '../engine/options.js';
import type { Schedule } from '../models/contract.js';
import { REPLAY_LIMITS } from '../run/replay.js';
import { inWords } from './checks.js';
import { GROUPS } from './groups.js';
import { parseWhole } from './values.js';

/** Counting costs without computing. */
export interface DryRunFlags {
  readonly dryRun?: true;
  readonly scales?: number;
  readonly yes?: true;
}

/** The model whose schedule --scales means where none is named: the official one. */
const OFFICIAL = 'infinity-2b';

/** Adds --dry-run, --scales and --yes. */
export function addDryRunFlags(command: Command): Command {
  return command
    .optionsGroup(GROUPS.costs)
    .option('--dry-run', 'print what the search would cost, compute nothing')
    .option(
      '--scales <n>',
      `for --dry-run: the first n scales of the official schedule (13: 1024 pixels), as ${OFFICIAL} runs them or the model named`,
      parseWhole,
    )
    .option('--yes', `run it although it is large: above ${inWords(REPLAY_LIMITS)}, or a day`);
}

/** What a command loads, for people. */
export function loadedName({ model, modelDir }: OpenOptions): string {
  if (modelDir !== undefined) return basename(modelDir);
  return typeof model === 'string' ? model : DEFAULT_NAMES.model;
}

/** The schedule that costs are counted on: that of the model, or the first steps of the official one. */
export function scheduleOf(
  { dryRun, scales: count }: DryRunFlags,
  { open, modelOptions }: { readonly open: OpenOptions; readonly modelOptions: OptionValues },
  catalogs: Catalogs,
): Schedule {
  const { model, modelDir } = checkOpenOptions(open);
  if (count !== undefined && dryRun !== true) {
    throw new UsageError('--scales is for --dry-run: a model has its own schedule');
  }
  const usual = count === undefined ? DEFAULT_NAMES.model : OFFICIAL;
  const entry =
    modelDir === undefined
      ? catalogs.findModel(typeof model === 'string' ? model : usual)
      : catalogs.modelIn(modelDir);
  const { unit, steps } = entry.schedule(modelOptions);
  if (count === undefined) return { unit, steps };
  if (unit !== 'scale') {
    throw new UsageError(`--scales is for models with scales: ${entry.name} takes --steps`);
  }
  if (count >= 1 && count <= steps.length) return { unit, steps: steps.slice(0, count) };
  throw new UsageError(`--scales must be 1 to ${steps.length}, got ${count}`);
}
