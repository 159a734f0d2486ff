// The varsearch command with fakes for models, as a program of its own: for tests with real signals and exit codes.
// FAKE_DELAY is the milliseconds that a forward pass takes; passes of more than a minute tell stderr that they begin.

import { processIo } from '../../src/cli/process-io.js';
import { runCli } from '../../src/cli/program.js';
import { fakeCatalogs } from './catalogs.js';

const delay = Number(process.env['FAKE_DELAY'] ?? 0);
const catalogs = fakeCatalogs({
  delay,
  onExtend: (step) => {
    if (delay > 60_000) process.stderr.write(`a long forward pass after ${step} steps\n`);
  },
});
process.exitCode = await runCli(process.argv.slice(2), {
  ...processIo(),
  catalogs: () => Promise.resolve(catalogs),
});
