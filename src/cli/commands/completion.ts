// varsearch completion: the script with which a shell completes commands, flags and names.

import type { Command } from 'commander';
import { Argument } from 'commander';

import { ENSEMBLE_MEMBERS } from '../../engine/options.js';
import { completionOf, type KnownValues, SHELLS } from '../completion.js';
import type { CliIo } from '../io.js';

const MORE = `
Examples:
  eval "$(varsearch completion bash)"                # in ~/.bashrc
  eval "$(varsearch completion zsh)"                 # in ~/.zshrc, after compinit
  varsearch completion fish > ~/.config/fish/completions/varsearch.fish`;

async function knownValues(io: CliIo): Promise<KnownValues> {
  const { models, verifiers } = await io.catalogs();
  const ofModels = models.map(({ name }) => name);
  const ofVerifiers = verifiers.map(({ name }) => name);
  const pullable = [...models, ...verifiers].filter(({ hub }) => hub !== undefined).map(({ name }) => name);
  return {
    model: ofModels,
    models: ofModels,
    check: ofModels,
    verifier: ofVerifiers,
    holdOut: [ENSEMBLE_MEMBERS, ...ofVerifiers],
    'pull name': pullable,
  };
}

/** Adds the command to the program. */
export function addCompletion(program: Command, io: CliIo): void {
  program
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SHELLS)))
    .addHelpText('after', MORE)
    .action(async (shell: string) => {
      const script = SHELLS[shell]?.(completionOf(program, await knownValues(io)));
      io.stdout.write(script ?? '');
    });
}
