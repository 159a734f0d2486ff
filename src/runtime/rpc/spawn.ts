// Starts worker threads and child processes, from compiled JavaScript or (in development and tests) from the TypeScript
// sources by tsx.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** A new worker that runs the module `name` (without its ending) beside the calling module, whose import.meta.url is `here`. */
export function spawnWorker(here: string, name: string, workerData: unknown): Worker {
  if (!here.endsWith('.ts')) {
    return new Worker(new URL(`./${name}.js`, here), { execArgv: [], workerData });
  }
  // `--import tsx` does nothing in a worker of Node 20: register the loader inside, then import the entry.
  // (Its CommonJS build, which `resolve` finds, registers a wrong path: take the ESM one beside it.)
  const tsx = pathToFileURL(
    createRequire(here)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  const entry = new URL(`./${name}.ts`, here).href;
  const code = `import('${tsx}').then((tsx) => { tsx.register(); return import('${entry}'); });`;
  return new Worker(code, { eval: true, execArgv: [], workerData });
}

/** How a child process runs the module `name` (without its ending) beside the calling module. */
export function programOf(
  here: string,
  name: string,
): { readonly path: string; readonly execArgv: string[]; readonly folder: string } {
  const source = here.endsWith('.ts');
  const path = fileURLToPath(new URL(`./${name}.${source ? 'ts' : 'js'}`, here));
  const execArgv = source ? ['--import', pathToFileURL(createRequire(here).resolve('tsx')).href] : [];
  // The folder that the host is in may be gone, or about to be.
  return { path, execArgv, folder: dirname(fileURLToPath(here)) };
}
