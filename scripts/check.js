// The checks that need no test run, side by side: format, lint, types, the direction of imports. Prints what each says when it is
// through, and exits 1 where one fails. In plain JavaScript, since it has nothing to gain from being compiled first.

import { spawn } from 'node:child_process';

const CHECKS = [
  'eslint . --max-warnings 0',
  'tsc',
  'prettier --check . --log-level warn',
  'tsx scripts/check-imports.ts',
];

/** Runs a command of node_modules/.bin, and gives whether it went well. */
function run(command) {
  const started = performance.now();
  const child = spawn(`npm exec -- ${command}`, { shell: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      console.log(`${code === 0 ? 'ok' : 'failed'}: ${command} (${seconds} s)`);
      if (output.trim() !== '') console.log(output.trimEnd());
      resolve(code === 0);
    });
  });
}

const passed = await Promise.all(CHECKS.map(run));
process.exitCode = passed.every(Boolean) ? 0 : 1;
