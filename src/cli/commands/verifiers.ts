// varsearch verifiers: what can be named with --verifier, what it is good at, and whether it is there.

import type { Command } from 'commander';

import { DEFAULT_NAMES } from '../../engine/options.js';
import type { VerifierEntry } from '../../verifiers/catalog.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';
import { printTable, printText } from '../table.js';

function asJson(entry: VerifierEntry): unknown {
  const { name, description, goodAt, licence, size, world, detectorLabels = false } = entry;
  const installed = entry.installed();
  return {
    name,
    description,
    goodAt,
    licence,
    size,
    world,
    detectorLabels,
    installed: installed === true,
    missing: installed === true ? null : installed,
  };
}

function print(verifiers: readonly VerifierEntry[], io: CliIo): void {
  const states = verifiers.map((entry) => ({ entry, installed: entry.installed() }));
  const rows = states.map(({ entry, installed }) => {
    const { name, size, licence, goodAt } = entry;
    const mark = name === DEFAULT_NAMES.verifier ? '*' : ' ';
    return [`${mark} ${name}`, installed === true ? 'installed' : 'not installed', size, licence, goodAt];
  });
  const head = ['  name', 'state', 'size', 'licence', 'good at'];
  printTable(io.stdout, [head, ...rows], [0, 1, 2, 3, 4]);
  const missing = states.filter(({ installed }) => installed !== true);
  if (missing.length > 0) {
    line(io.stdout);
    printText(
      io.stdout,
      "What is missing. Files come with 'varsearch pull NAME' into the cache that all programs share " +
        '(HF_HUB_CACHE moves it), or into folders of your own (VARSEARCH_MODELS moves them):',
    );
    for (const { entry, installed } of missing) printText(io.stdout, `${entry.name}: ${installed}`);
  }
  const taught = verifiers.filter(({ detectorLabels }) => detectorLabels).map(({ name }) => name);
  line(io.stdout);
  if (taught.length > 0) {
    printText(
      io.stdout,
      `Trained with the toybox detector's labels: ${taught.join(', ')}. The oracle is that detector, and no independent judge of what they choose.`,
    );
  }
  printText(
    io.stdout,
    'Any other CLIP in the Hugging Face layout: --verifier clip-dir --clip-dir FOLDER. Several at once are joined: --verifier a,b,c.',
  );
}

/** Adds the command to the program. */
export function addVerifiers(program: Command, io: CliIo): void {
  program
    .command('verifiers')
    .description('list the judges of pictures')
    .option('--json', 'as JSON')
    .action(async (flags: { readonly json?: true }) => {
      const { verifiers } = await io.catalogs();
      if (flags.json === true) {
        line(io.stdout, JSON.stringify({ format: 1, verifiers: verifiers.map(asJson) }, null, 2));
      } else print(verifiers, io);
    });
}
