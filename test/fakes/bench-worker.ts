// A worker of a benchmark with fake models. While the folder VARSEARCH_TEST_DEATHS has a file, an extension takes one away and kills
// the process, as the system does when memory runs out.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { serveHand } from '../../src/benchmarks/serve.js';
import { fakeCatalogs } from './catalogs.js';

const deaths = process.env['VARSEARCH_TEST_DEATHS'];

function onExtend(): void {
  const [file] = deaths === undefined ? [] : readdirSync(deaths);
  if (deaths === undefined || file === undefined) return;
  rmSync(join(deaths, file));
  process.kill(process.pid, 'SIGKILL');
}

serveHand(() => Promise.resolve(fakeCatalogs({ onExtend })));
