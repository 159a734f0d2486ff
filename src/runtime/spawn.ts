// Starts the worker thread, from compiled JavaScript or (in development and tests) from the TypeScript sources by tsx.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

import type { ExitGate } from './exit-gate.js';

/** A new worker that runs worker.ts beside this file; the gate becomes its worker data. */
export function spawnWorker(gate: ExitGate): Worker {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) {
    return new Worker(new URL('./worker.js', here), { execArgv: [], workerData: gate });
  }
  // `--import tsx` does nothing in a worker of Node 20: register the loader inside, then import the entry.
  // (Its CommonJS build, which `resolve` finds, registers a wrong path: take the ESM one beside it.)
  const tsx = pathToFileURL(
    createRequire(here)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  const entry = new URL('./worker.ts', here).href;
  const code = `import('${tsx}').then((tsx) => { tsx.register(); return import('${entry}'); });`;
  return new Worker(code, { eval: true, execArgv: [], workerData: gate });
}
