// Loads several verifiers by name into one runtime: CLIPs are shared, so that a picture goes through an image tower once.

import { given } from '../core/given.js';
import { requireInstalled } from '../core/installed.js';
import { createClipPool } from '../models/clip/shared.js';
import type { VerifierEntry, VerifierLoadOptions } from './catalog.js';
import type { Verifier } from './contract.js';

/**
 * Loads verifiers into `runtime`, in the entries' order; the caller closes them. When one fails, the others are closed again.
 * Without a runtime each makes its own, with so many threads, and nothing is shared.
 */
export async function openVerifiers(
  entries: readonly VerifierEntry[],
  { runtime, threads, device, signal }: Omit<VerifierLoadOptions, 'clips'>,
): Promise<Verifier[]> {
  for (const entry of entries) requireInstalled('verifier', entry);
  const shared: VerifierLoadOptions = {
    ...(runtime ? { runtime, clips: createClipPool(runtime) } : given({ threads, device })),
    ...given({ signal }),
  };
  const loads = await Promise.allSettled(entries.map((entry) => entry.load(shared)));
  const opened = loads.flatMap((load) => (load.status === 'fulfilled' ? [load.value] : []));
  const failed = loads.find((load) => load.status === 'rejected');
  if (!failed) return opened;
  for (const verifier of opened) await verifier.close();
  throw failed.reason;
}
