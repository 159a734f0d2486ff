// The varsearch command with fakes for models, as a program of its own: for tests with real signals and exit codes.
// FAKE_DELAY is the milliseconds that a forward pass takes, FAKE_SIDE the side of pictures, which are noise then; passes of more than a minute tell stderr that they begin.

import { randomFillSync } from 'node:crypto';

import { processIo } from '../../src/cli/process-io.js';
import { runCli } from '../../src/cli/program.js';
import { createImage } from '../../src/core/image.js';
import { fakeCatalogs } from './catalogs.js';

const delay = Number(process.env['FAKE_DELAY'] ?? 0);
const side = Number(process.env['FAKE_SIDE'] ?? 0);
// Noise does not pack, which takes longest.
const paint = () => createImage(side, side, randomFillSync(new Uint8Array(side * side * 3)));
const catalogs = fakeCatalogs({
  delay,
  ...(side > 0 ? { side, paint } : {}),
  onExtend: (step) => {
    if (delay > 60_000) process.stderr.write(`a long forward pass after ${step} steps\n`);
  },
});
process.exitCode = await runCli(process.argv.slice(2), {
  ...processIo(),
  catalogs: () => Promise.resolve(catalogs),
});
