// A pull as a process of its own, for tests of several at once: its set and environment come as JSON.

import { type HubSet, pull } from '../../src/hub/index.js';

interface Given {
  readonly set: HubSet;
  readonly env: Record<string, string>;
  /** Milliseconds. */
  readonly stall?: number;
}

const { set, env, stall = 2000 } = JSON.parse(process.argv[2] ?? '') as Given;
try {
  const { fetched } = await pull(set, {
    env,
    accept: () => Promise.resolve(false),
    timing: { stall, backoff: 10, tries: 4, lock: { poll: 20, stale: 60_000 } },
  });
  process.stdout.write(`fetched ${fetched}\n`);
} catch (error) {
  process.stdout.write(`failed: ${(error as Error).message}\n`);
}
