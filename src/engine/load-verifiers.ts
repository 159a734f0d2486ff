// Verifiers by name or handed in, loaded for whoever uses them: the engine of a search, or the jury of `score`.

import { given } from '../core/given.js';
import type { Runtime } from '../runtime/index.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import type { Verifier } from '../verifiers/contract.js';
import { ensemble, type EnsembleOptions } from '../verifiers/ensemble.js';
import { isEntry, type WantedVerifier } from './verifier-options.js';

/** Where verifiers are loaded into. */
export interface LoadContext {
  /** What they share; stays the caller's. */
  readonly runtime: Runtime | undefined;
  /** Threads of their own runtimes, where they share none. */
  readonly threads: number | undefined;
  /** Cancels the loading of those that may take long. */
  readonly signal: AbortSignal | undefined;
}

/** Verifiers that are there. */
export interface LoadedVerifiers {
  /** The loaded one of those that were asked for. */
  readonly verifierOf: (wanted: WantedVerifier) => Verifier;
  /** Closes what was loaded here; what was handed in stays open. */
  readonly close: () => Promise<void>;
}

/** The entries that have to be loaded, each once. */
export function entriesOf(wanted: readonly WantedVerifier[]): VerifierEntry[] {
  return [...new Map(wanted.filter(isEntry).map((entry) => [entry.name, entry])).values()];
}

/** Loads what is not loaded yet; when one fails, the others are closed again. */
export async function loadVerifiers(
  wanted: readonly WantedVerifier[],
  context: LoadContext,
): Promise<LoadedVerifiers> {
  const entries = entriesOf(wanted);
  const opened = entries.length === 0 ? [] : await open(entries, context);
  const byName = new Map(entries.map(({ name }, i) => [name, opened[i]]));
  return {
    verifierOf: (each) => {
      const found = isEntry(each) ? byName.get(each.name) : each;
      if (!found) throw new RangeError(`verifier '${each.name}' was not loaded`);
      return found;
    },
    close: async () => {
      for (const verifier of opened) await verifier.close();
    },
  };
}

async function open(entries: readonly VerifierEntry[], context: LoadContext): Promise<Verifier[]> {
  const { openVerifiers } = await import('../verifiers/open-verifiers.js');
  return openVerifiers(entries, given(context));
}

/** Those who judge together as one verifier: several as their ensemble. */
export function joinVerifiers(verifiers: readonly Verifier[], rule: EnsembleOptions | undefined): Verifier {
  const [first, ...others] = verifiers;
  if (!first) throw new RangeError('there is no verifier');
  return others.length === 0 ? first : ensemble(verifiers, rule);
}
