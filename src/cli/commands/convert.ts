// varsearch convert: makes the ready graphs of a model before its first use.

import type { Command } from 'commander';

import { UsageError } from '../../core/errors.js';
import { formatBytes, formatDuration } from '../../core/format.js';
import { given as present } from '../../core/given.js';
import { requireInstalled } from '../../core/installed.js';
import { OPEN_OPTIONS } from '../../engine/options.js';
import { GraphCache, graphCacheFolder } from '../../runtime/index.js';
import { addFlags, type Flags, given } from '../flags.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';

const CONVERT_OPTIONS = {
  modelDir: OPEN_OPTIONS.modelDir,
  precision: OPEN_OPTIONS.precision,
  threads: OPEN_OPTIONS.threads,
};

async function run(name: string | undefined, flags: Flags, io: CliIo): Promise<void> {
  const { modelDir, ...options } = given(flags, CONVERT_OPTIONS);
  const catalogs = await io.catalogs();
  if ((name === undefined) === (modelDir === undefined)) {
    throw new UsageError("name a model, or give its folder by option 'modelDir' (--model-dir), one of them");
  }
  const entry = modelDir === undefined ? catalogs.findModel(name ?? '') : catalogs.modelIn(modelDir);
  requireInstalled('model', entry);
  const folder = graphCacheFolder();
  if (folder === null) {
    throw new UsageError("VARSEARCH_CACHE is 'off', so that nothing would be kept: set it to a folder");
  }
  const cache = new GraphCache(folder);
  const before = new Set((await cache.list()).map((each) => each.folder));
  const start = performance.now();
  const model = await entry.load(present(options));
  try {
    await model.loadAll?.();
  } finally {
    await model.close();
  }
  const took = formatDuration(performance.now() - start);
  const made = (await cache.list()).filter((each) => !before.has(each.folder));
  const bytes = made.reduce((sum, each) => sum + each.bytes, 0);
  const what =
    made.length === 0
      ? 'nothing had to be made (what is there already is not, and small models are converted at every start)'
      : `${made.map(({ graph }) => graph).join(', ')} made, ${formatBytes(bytes)} in ${folder}`;
  line(io.stdout, `${entry.name} can be opened: ${what} (${took})`);
}

/** Adds the command to the program. */
export function addConvert(program: Command, io: CliIo): void {
  const command = program
    .command('convert')
    .description('make the ready graphs of a large model now, which its first use would do')
    .argument('[model]', "image model, see 'varsearch models'");
  addFlags(command, CONVERT_OPTIONS);
  command.action(async (name: string | undefined, flags: Flags) => {
    await run(name, flags, io);
  });
}
