#!/usr/bin/env node
// The varsearch command. An old Node.js is told before anything is loaded that it cannot read.

import { nodeFault } from '../core/node-version.js';

const fault = nodeFault();
if (fault === undefined) {
  const { processIo } = await import('./process-io.js');
  const { runCli } = await import('./program.js');
  process.exitCode = await runCli(process.argv.slice(2), processIo());
} else {
  process.stderr.write(`${fault}\n`);
  process.exitCode = 1;
}
