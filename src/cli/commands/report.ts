// varsearch report: one report on benchmark runs.

import { resolve } from 'node:path';
import type { Command } from 'commander';

import { reportBenchmarks } from '../../benchmarks/analysis/index.js';
import { benchmarkReportFiles, REPORT_FILES } from '../../report/benchmark/files.js';
import type { CliIo } from '../io.js';
import { line, plain } from '../io.js';
import { openFolder } from '../output-folder.js';
import { shownPath } from '../summary.js';

interface ReportFlags {
  readonly out: string;
  readonly primary?: string;
  readonly json?: true;
  readonly quiet?: true;
}

const MORE = `
A run may be unfinished: the report says how much of it is there. Several runs of one benchmark make one report.

Example:
  varsearch report runs/quality runs/speed --primary "beam,random,image-reward,315" --out report`;

async function run(folders: readonly string[], flags: ReportFlags, io: CliIo): Promise<void> {
  const { out, primary } = flags;
  const report = await reportBenchmarks({ runs: folders, primary, cwd: io.cwd });
  const files = benchmarkReportFiles(report);
  const folder = openFolder(resolve(io.cwd, out));
  try {
    folder.write(files);
  } finally {
    folder.close();
  }
  if (flags.json === true) {
    line(io.stdout, JSON.stringify({ folder: folder.path, ...report }, null, 2));
  } else if (flags.quiet !== true) {
    for (const words of report.answer) line(io.stdout, plain(words));
    line(
      io.stdout,
      `written to ${shownPath(folder.path, io.cwd)}: ${REPORT_FILES.page}, ${REPORT_FILES.text}, ${REPORT_FILES.data}, ${REPORT_FILES.tables}`,
    );
  }
}

/** Adds the command to the program. */
export function addReport(program: Command, io: CliIo): void {
  program
    .command('report')
    .description('make one report on benchmark runs: what search gains, at what cost, with intervals')
    .argument('<run...>', "folders that 'varsearch bench' wrote, of one benchmark")
    .requiredOption('--out <dir>', 'folder of the report')
    .option(
      '--primary <comparison>',
      "the comparison that was named before the runs, as 'beam,random,image-reward,315' (search, reference, guide, budget and, where there are several, model; " +
        'default: the first line of primary.txt in the folder of a run)',
    )
    .option('--json', 'print the report as JSON on stdout, and nothing else there')
    .option('--quiet', 'print nothing but errors')
    .addHelpText('after', MORE)
    .action(async (folders: readonly string[], flags: ReportFlags) => {
      await run(folders, flags, io);
    });
}
