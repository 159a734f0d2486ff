// The verifiers that score pictures: looked up and seen to be there before anything is loaded, and closed together.

import { given } from '../core/given.js';
import { requireInstalled } from '../core/installed.js';
import type { Catalogs } from '../engine/engine.js';
import { entriesOf, joinVerifiers, loadVerifiers } from '../engine/load-verifiers.js';
import type { JudgeOptions } from '../engine/options.js';
import { DEFAULTS } from '../engine/options.js';
import { findVerifiers } from '../engine/verifier-options.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import type { Verifier } from '../verifiers/contract.js';

/** Verifiers that have been found but not loaded. */
export interface Jury {
  /** The entries of those that were named. */
  readonly entries: readonly VerifierEntry[];
  /** Loads what was named; the caller closes it. */
  readonly open: (signal?: AbortSignal) => Promise<OpenJury>;
}

/** Verifiers that are loaded. */
export interface OpenJury {
  /** Who scores; of several verifiers their ensemble. */
  readonly verifier: Verifier;
  /** Frees what was loaded by name. */
  readonly close: () => Promise<void>;
}

/** Looks names up and sees that their files are there. Throws UsageError or VarsearchError when they cannot be used. */
export function chooseJury({ verifier, ensemble, threads }: JudgeOptions, catalogs: Catalogs): Jury {
  const context = { model: null, usual: DEFAULTS.verifier, catalogs };
  const { guides } = findVerifiers({ verifier, ensemble }, context);
  const entries = entriesOf(guides);
  for (const entry of entries) requireInstalled('verifier', entry);
  const open = async (signal?: AbortSignal): Promise<OpenJury> => {
    const runtime = entries.length === 0 ? undefined : await catalogs.createRuntime?.(given({ threads }));
    try {
      const loaded = await loadVerifiers(guides, { runtime, threads, signal });
      return {
        verifier: joinVerifiers(guides.map(loaded.verifierOf), ensemble),
        close: async () => {
          await loaded.close();
          await runtime?.close();
        },
      };
    } catch (error) {
      await runtime?.close();
      throw error;
    }
  };
  return { entries, open };
}
