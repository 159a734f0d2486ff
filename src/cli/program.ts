// The program behind the command line: words in, exit code out. main.ts gives it the real surroundings.

import { Command } from 'commander';

import { VERSION } from '../engine/versions.js';
import { addBench } from './commands/bench.js';
import { addCache } from './commands/cache.js';
import { addCompare } from './commands/compare.js';
import { addCompletion } from './commands/completion.js';
import { addConvert } from './commands/convert.js';
import { addDoctor } from './commands/doctor.js';
import { addGenerate } from './commands/generate.js';
import { addIndex } from './commands/index-folder.js';
import { addModels } from './commands/models.js';
import { addPull } from './commands/pull.js';
import { addReplay } from './commands/replay.js';
import { addReport } from './commands/report.js';
import { addScore } from './commands/score.js';
import { addVerifiers } from './commands/verifiers.js';
import { addWords } from './commands/words.js';
import { EXIT, reportError } from './exit.js';
import { type CliIo, sizeOf } from './io.js';

const EXAMPLES = `
Examples:
  varsearch generate "three red stars left of a blue circle" --seed 7 --out stars
  varsearch compare "two green hearts" --budget 300
  varsearch generate --dry-run --scales 13
  varsearch replay stars/picture.png
  varsearch pull infinity-2b
  varsearch words
  varsearch score stars drafts --prompt "three red stars" --top 3`;

/** Commander writes help to stdout; its errors are thrown and told by reportError. */
function configure(command: Command, io: CliIo): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => io.stdout.write(text),
    writeErr: () => undefined,
    getOutHelpWidth: () => (io.stdout.isTTY === true ? sizeOf(io.stdout).columns : 100),
  });
  for (const child of command.commands) configure(child, io);
}

/** The program with all its commands; `exit` hears of exit codes that are no failures. */
export function createProgram(io: CliIo, exit: (code: number) => void): Command {
  const program = new Command('varsearch')
    .description(
      'Inference-time search over visual autoregressive image models: compute into better pictures.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .addHelpText('after', EXAMPLES);
  addGenerate(program, io);
  addCompare(program, io);
  addIndex(program, io);
  addReplay(program, io, exit);
  addScore(program, io);
  addBench(program, io);
  addReport(program, io);
  addModels(program, io);
  addVerifiers(program, io);
  addPull(program, io);
  addDoctor(program, io, exit);
  addConvert(program, io);
  addCache(program, io);
  addWords(program, io);
  addCompletion(program, io);
  configure(program, io);
  return program;
}

/** Runs one command line (without the program's name) and gives its exit code. */
export async function runCli(words: readonly string[], io: CliIo): Promise<number> {
  let code: number = EXIT.ok;
  const program = createProgram(io, (exit) => {
    code = exit;
  });
  try {
    if (words.length === 0) program.outputHelp();
    else await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    const command = program.commands.find((each) => each.name() === words[0]);
    const positional = command?.registeredArguments.map((each) => each.name()) ?? [];
    return reportError(error, io, { words, positional });
  }
}
