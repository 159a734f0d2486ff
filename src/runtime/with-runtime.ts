// What is loaded by name runs in the caller's runtime, or in one of its own that goes with it.

import { given } from '../core/given.js';
import type { DeviceChoice } from './devices.js';
import { createRuntime, type Runtime } from './runtime.js';

/** Where something is loaded into. */
export interface RuntimeChoice {
  /** The runtime to load into, which stays the caller's. @default one of its own, closed with what is loaded */
  readonly runtime?: Runtime;
  /** Threads of its own runtime. @default the number of cores */
  readonly threads?: number;
  /** What its own runtime computes on. @default cpu */
  readonly device?: DeviceChoice;
}

/** Opens something in the caller's runtime, or in one of its own, which its `close` then closes as well. */
export async function withRuntime<Opened extends { close(): Promise<void> }>(
  { runtime, threads, device }: RuntimeChoice,
  open: (runtime: Runtime) => Promise<Opened>,
): Promise<Opened> {
  if (runtime) return open(runtime);
  const own = await createRuntime(given({ threads, device }));
  try {
    const opened = await open(own);
    const close = opened.close.bind(opened);
    opened.close = async () => {
      await close();
      await own.close();
    };
    return opened;
  } catch (error) {
    await own.close();
    throw error;
  }
}
