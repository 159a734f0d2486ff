// varsearch cache: the ready graphs of large models, and how to be rid of them.

import { basename } from 'node:path';
import type { Command } from 'commander';

import { formatBytes } from '../../core/format.js';
import { type CachedGraph, GraphCache, graphCacheFolder } from '../../runtime/index.js';
import type { CliIo } from '../io.js';
import { line, plain } from '../io.js';
import { printTable } from '../table.js';

interface CacheFlags {
  readonly clear?: true;
  readonly json?: true;
}

function print(entries: readonly CachedGraph[], folder: string, io: CliIo): void {
  if (entries.length === 0) {
    line(io.stdout, `no ready graphs in ${folder}: the first use of a large model makes its own`);
    return;
  }
  const rows = entries.map(({ graph, bytes, made, state, sources }) => [
    graph,
    formatBytes(bytes),
    made?.slice(0, 10) ?? '?',
    plain(state),
    plain(sources[0] ?? basename(folder)),
  ]);
  printTable(io.stdout, [['graph', 'size', 'made', 'state', 'from'], ...rows], [0, 2, 3, 4]);
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  line(io.stdout, `${formatBytes(bytes)} in ${folder}; all can be made again: varsearch cache --clear`);
}

async function run(flags: CacheFlags, io: CliIo): Promise<void> {
  const folder = graphCacheFolder();
  if (folder === null) {
    if (flags.json === true) line(io.stdout, JSON.stringify({ format: 1, folder: null, entries: [] }));
    else line(io.stdout, "VARSEARCH_CACHE is 'off': nothing is kept");
    return;
  }
  const cache = new GraphCache(folder);
  const freed = flags.clear === true ? await cache.clear() : 0;
  const entries = await cache.list();
  if (flags.json === true) {
    line(io.stdout, JSON.stringify({ format: 1, folder, freed, entries }, null, 2));
  } else if (flags.clear === true) line(io.stdout, `removed ${formatBytes(freed)} from ${folder}`);
  else print(entries, folder, io);
}

/** Adds the command to the program. */
export function addCache(program: Command, io: CliIo): void {
  program
    .command('cache')
    .description('list the ready graphs that are kept of large models')
    .option('--clear', 'remove all of them')
    .option('--json', 'as JSON')
    .action(async (flags: CacheFlags) => {
      await run(flags, io);
    });
}
