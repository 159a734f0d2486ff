// varsearch models: what can be named with --model, and whether it is there.

import type { Command } from 'commander';

import { DEFAULT_NAMES } from '../../engine/options.js';
import type { ModelEntry } from '../../models/catalog.js';
import { describeSchedule } from '../../report/words.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';
import { printTable, printText } from '../table.js';

function stateOf(entry: ModelEntry): string {
  const installed = entry.installed();
  return installed === true ? 'installed' : `not installed: ${installed}`;
}

/** What is known of a model without its weights; null where files are missing that would tell. */
function known<T>(entry: ModelEntry, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (entry.installed() === true) throw error;
    return null;
  }
}

function asJson(entry: ModelEntry): unknown {
  const { name, description, licence } = entry;
  return {
    name,
    description,
    licence,
    installed: entry.installed() === true,
    state: stateOf(entry),
    schedule: known(entry, () => entry.schedule()),
    defaults: known(entry, () => entry.resolve({})),
  };
}

function print(models: readonly ModelEntry[], io: CliIo): void {
  const rows = models.map((entry) => {
    const schedule = known(entry, () => describeSchedule(entry.schedule())) ?? '?';
    const mark = entry.name === DEFAULT_NAMES.model ? '*' : ' ';
    const state = entry.installed() === true ? 'installed' : 'not installed';
    return [`${mark} ${entry.name}`, schedule, entry.licence, state, entry.description];
  });
  const head = ['  name', 'schedule', 'licence', 'state', 'description'];
  printTable(io.stdout, [head, ...rows], [0, 1, 2, 3, 4]);
  for (const entry of models) {
    if (entry.installed() !== true) printText(io.stdout, `${entry.name} is ${stateOf(entry)}`);
  }
}

/** Adds the command to the program. */
export function addModels(program: Command, io: CliIo): void {
  program
    .command('models')
    .description('list the image models')
    .option('--json', 'as JSON')
    .action(async (flags: { readonly json?: true }) => {
      const { models } = await io.catalogs();
      if (flags.json === true) {
        line(io.stdout, JSON.stringify({ format: 2, models: models.map(asJson) }, null, 2));
      } else print(models, io);
    });
}
