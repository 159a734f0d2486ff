// varsearch pull: brings the files of models and verifiers from the Hugging Face Hub.

import type { Command } from 'commander';

import { UsageError } from '../../core/errors.js';
import { formatBytes } from '../../core/format.js';
import type { Catalogs } from '../../engine/catalogs.js';
import { bytesOf, type HubSet, pull, type Terms } from '../../hub/index.js';
import type { ModelEntry } from '../../models/catalog.js';
import type { VerifierEntry } from '../../verifiers/catalog.js';
import { interruptible } from '../interrupt.js';
import type { CliIo } from '../io.js';
import { line, plain } from '../io.js';
import { createPullProgress } from '../pull-progress.js';
import { printTable } from '../table.js';

interface PullFlags {
  readonly acceptLicence?: true;
  /** False with --no-xet. */
  readonly xet: boolean;
  readonly quiet?: true;
}

/** What can be pulled. */
type Pullable = (ModelEntry | VerifierEntry) & { readonly hub: HubSet };

const MORE = `
Files go into the cache that all Hugging Face programs share (HF_HUB_CACHE, HF_HOME), and what is there already is used.
What was interrupted goes on where it stopped. HF_TOKEN, HF_ENDPOINT (a mirror) and HF_HUB_OFFLINE are obeyed.

Examples:
  varsearch pull
  varsearch pull infinity-2b clip-score-l14`;

function isPullable(entry: ModelEntry | VerifierEntry): entry is Pullable {
  return entry.hub !== undefined;
}

function allPullable({ models, verifiers }: Catalogs): Pullable[] {
  return [...models, ...verifiers].filter(isPullable);
}

function find(name: string, catalogs: Catalogs): Pullable {
  const entry = [...catalogs.models, ...catalogs.verifiers].find((each) => each.name === name);
  if (entry && isPullable(entry)) return entry;
  const names = allPullable(catalogs).map((each) => each.name);
  throw new UsageError(
    entry
      ? `'${name}' has no files to fetch: ${entry.installed() === true ? 'it is here' : entry.installed()}`
      : `there is nothing called '${name}' to pull: choose from ${names.join(', ')}`,
  );
}

function licencesOf({ hub }: Pullable): string {
  return [...new Set([...hub.parts, ...(hub.web ?? [])].map(({ licence }) => licence.name))].join(', ');
}

function list(catalogs: Catalogs, io: CliIo): void {
  const rows = allPullable(catalogs).map((entry) => {
    const { bytes, atLeast } = bytesOf(entry.hub);
    return [
      entry.name,
      entry.installed() === true ? 'installed' : 'not installed',
      `${atLeast ? 'over ' : ''}${formatBytes(bytes)}`,
      licencesOf(entry),
      entry.description,
    ];
  });
  const head = ['name', 'state', 'to fetch', 'licence', 'description'];
  printTable(io.stdout, [head, ...rows], [0, 1, 3, 4]);
}

/** Shows terms and asks, where somebody is there to answer. */
async function accept({ repo, licence, url, reason }: Terms, flags: PullFlags, io: CliIo): Promise<boolean> {
  line(io.stderr, plain(`${repo} is under '${licence.name}' (${reason}): ${url}`));
  if (flags.acceptLicence === true) return true;
  return (await io.ask?.('Have you read these terms, and do you accept them? [y/N] ')) ?? false;
}

async function run(names: readonly string[], flags: PullFlags, io: CliIo): Promise<void> {
  const catalogs = await io.catalogs();
  if (names.length === 0) {
    list(catalogs, io);
    return;
  }
  for (const entry of names.map((name) => find(name, catalogs))) {
    const progress = createPullProgress(io, flags.quiet === true);
    const { fetched } = await interruptible(io, async (signal) => {
      try {
        return await pull(entry.hub, {
          env: io.env,
          signal,
          onEvent: (event) => {
            progress.show(event);
          },
          accept: (terms) => {
            progress.clear();
            return accept(terms, flags, io);
          },
          // What the environment says counts where nothing is said here.
          ...(flags.xet ? {} : { xet: false }),
        });
      } finally {
        progress.clear();
      }
    });
    if (flags.quiet !== true) {
      const came = fetched === 0 ? 'was here already' : `is here (${formatBytes(fetched)} came)`;
      line(io.stdout, `${entry.name} ${came}`);
    }
  }
}

/** Adds the command to the program. */
export function addPull(program: Command, io: CliIo): void {
  program
    .command('pull')
    .description('fetch the files of models and verifiers from the Hugging Face Hub')
    .argument('[name...]', 'names of models and verifiers (default: list what can be fetched)')
    .option('--accept-licence', 'accept terms that have to be accepted, such as non-commercial ones')
    .option('--no-xet', "fetch by plain HTTP instead of the Hub's xet protocol")
    .option('--quiet', 'print nothing but warnings and errors')
    .addHelpText('after', MORE)
    .action(async (names: readonly string[], flags: PullFlags) => {
      await run(names, flags, io);
    });
}
