// The verifiers that score pictures: chosen by name or given, checked before anything is loaded, and closed together.

import { UsageError } from '../core/errors.js';
import type { Runtime } from '../runtime/index.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import type { Verifier } from '../verifiers/contract.js';
import type { Ensemble, EnsembleOptions } from '../verifiers/ensemble.js';
import { combineScores, ensemble, ENSEMBLE_RULES } from '../verifiers/ensemble.js';
import { builtInCatalogs, type Catalogs } from './engine.js';
import { given } from './given.js';
import { DEFAULTS } from './options.js';

/** Names from `varsearch verifiers` (a text may hold several, parted by commas) or loaded verifiers. */
export type VerifierChoice = string | Verifier | readonly (string | Verifier)[];

/** Which verifiers score, and how their scores become one. */
export interface JuryOptions {
  /** One verifier or several. Loaded ones stay the caller's. @default 'clip-score' */
  readonly verifier?: VerifierChoice | undefined;
  /** How several verifiers' scores become the one that ranks. @default by mean rank, all weights alike */
  readonly ensemble?: EnsembleOptions | undefined;
  /** Threads of the engine. @default as many as the machine has cores */
  readonly threads?: number | undefined;
}

/** Verifiers that have been found but not loaded. */
export interface Jury {
  readonly names: readonly string[];
  /** The entries of those that were named. */
  readonly entries: readonly VerifierEntry[];
  /** How scores are joined; null for a single verifier, whose scores count as they are. */
  readonly joined: (Required<Pick<EnsembleOptions, 'by'>> & EnsembleOptions) | null;
  /** Loads what was named; the caller closes it. */
  readonly open: () => Promise<OpenJury>;
}

/** Verifiers that are loaded. */
export interface OpenJury {
  readonly members: Ensemble;
  /** Frees what was loaded by name. */
  readonly close: () => Promise<void>;
}

const OPTIONS = {
  verifier: true,
  ensemble: true,
  threads: true,
} satisfies Record<keyof JuryOptions, true>;

/** Throws a UsageError for an option that is neither a jury's nor among `others`. */
export function refuseUnknown(options: object, others: readonly string[]): void {
  const known = [...others, ...Object.keys(OPTIONS)];
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`unknown option '${unknown}': known are ${known.join(', ')}`);
  }
}

/** Throws a UsageError for options of a jury that cannot be meant, whatever the names stand for. */
export function checkJuryOptions({ verifier, ensemble: rule, threads }: JuryOptions): void {
  const count = choiceOf(verifier).length;
  if (count === 0) throw new UsageError('there is no verifier: name at least one');
  const by = rule?.by;
  if (by !== undefined && !ENSEMBLE_RULES.includes(by)) {
    throw new UsageError(`unknown rule '${by}' of an ensemble: choose one of ${ENSEMBLE_RULES.join(', ')}`);
  }
  if (count === 1 && rule !== undefined) {
    throw new UsageError(
      'a single verifier has nothing to be joined with: name several, or leave rule and weights away',
    );
  }
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new UsageError(`option 'threads' must be a whole number of at least 1, got ${threads}`);
  }
  // Weights are checked where they are used; no scores are needed for that.
  if (count > 1) {
    combineScores(
      Array.from({ length: count }, () => []),
      rule,
    );
  }
}

function choiceOf(choice: VerifierChoice = DEFAULTS.verifier): readonly (string | Verifier)[] {
  if (typeof choice === 'string') return choice.split(',').map((name) => name.trim());
  return Array.isArray(choice) ? (choice as readonly (string | Verifier)[]) : [choice as Verifier];
}

/** Looks names up and sees that their files are there. Throws UsageError or VarsearchError when they cannot be used. */
export async function chooseJury(options: JuryOptions, catalogs?: Catalogs): Promise<Jury> {
  checkJuryOptions(options);
  const choice = choiceOf(options.verifier);
  const known = catalogs ?? (await builtInCatalogs());
  const wanted = choice.map((each) => (typeof each === 'string' ? known.findVerifier(each) : each));
  const names = wanted.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`the verifier '${twice}' is there twice: name each once`);
  const entries = wanted.filter((each): each is VerifierEntry => 'load' in each);
  const { requireInstalled } = await import('../verifiers/open-verifiers.js');
  requireInstalled(entries);
  const { ensemble: rule, threads } = options;
  if (threads !== undefined && entries.length === 0) {
    throw new UsageError("option 'threads' is for verifiers loaded by name; loaded ones have their own");
  }
  const joined = names.length === 1 ? null : { by: 'rank' as const, ...rule };
  return { names, entries, joined, open: () => openJury(wanted, { catalogs: known, threads, joined }) };
}

async function openJury(
  wanted: readonly (VerifierEntry | Verifier)[],
  options: {
    readonly catalogs: Catalogs;
    readonly threads: number | undefined;
    readonly joined: Jury['joined'];
  },
): Promise<OpenJury> {
  const entries = wanted.filter((each): each is VerifierEntry => 'load' in each);
  const threads = given({ threads: options.threads });
  const runtime = entries.length === 0 ? undefined : await options.catalogs.createRuntime?.(threads);
  let loaded: Verifier[] = [];
  const close = async (): Promise<void> => {
    for (const verifier of loaded) await verifier.close();
    await runtime?.close();
  };
  try {
    loaded = await loadAll(entries, threads, runtime);
    const byEntry = new Map<VerifierEntry | Verifier, Verifier>(
      entries.map((entry, i) => [entry, loaded[i]!]),
    );
    const members = ensemble(
      wanted.map((each) => byEntry.get(each) ?? (each as Verifier)),
      options.joined ?? {},
    );
    return { members, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function loadAll(
  entries: readonly VerifierEntry[],
  threads: { readonly threads?: number },
  runtime: Runtime | undefined,
): Promise<Verifier[]> {
  if (runtime) {
    const { openVerifiers } = await import('../verifiers/open-verifiers.js');
    return openVerifiers(entries, runtime);
  }
  const loaded: Verifier[] = [];
  try {
    for (const entry of entries) loaded.push(await entry.load(threads));
    return loaded;
  } catch (error) {
    for (const verifier of loaded) await verifier.close();
    throw error;
  }
}
