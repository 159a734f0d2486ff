// Loads several verifiers by name into one runtime: CLIPs are shared, so that a picture goes through an image tower once.

import { VarsearchError } from '../core/errors.js';
import { createClipPool } from '../models/clip/shared.js';
import type { Runtime } from '../runtime/index.js';
import type { VerifierEntry } from './catalog.js';
import type { Verifier } from './contract.js';

/** Throws a VarsearchError that says what is missing when an entry's files are not there. */
export function requireInstalled(entries: readonly VerifierEntry[]): void {
  for (const entry of entries) {
    const installed = entry.installed();
    if (installed !== true) {
      throw new VarsearchError(`verifier '${entry.name}' is not installed: ${installed}`);
    }
  }
}

/** Loads verifiers into `runtime`, in the entries' order; the caller closes them. When one fails, the others are closed again. */
export async function openVerifiers(
  entries: readonly VerifierEntry[],
  runtime: Runtime,
): Promise<Verifier[]> {
  requireInstalled(entries);
  const clips = createClipPool(runtime);
  const loads = await Promise.allSettled(entries.map((entry) => entry.load({ runtime, clips })));
  const opened = loads.flatMap((load) => (load.status === 'fulfilled' ? [load.value] : []));
  const failed = loads.find((load) => load.status === 'rejected');
  if (!failed) return opened;
  for (const verifier of opened) await verifier.close();
  throw failed.reason;
}
