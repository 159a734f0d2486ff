// `npm run conformance -- [--device cpu|webgpu|cuda|auto] FOLDER...`: prints the error of every output of a fixture; exits 1 when one is beyond tolerance.

import { parseArgs } from 'node:util';

import { UsageError, VarsearchError } from '../src/core/errors.js';
import { DEVICE_CHOICES, type DeviceChoice } from '../src/runtime/index.js';
import { checkConformance } from './index.js';

async function check(folder: string, device: DeviceChoice): Promise<boolean> {
  const { kind, comparisons, uncompared, passes } = await checkConformance(folder, { device });
  for (const [file, outputs] of comparisons) {
    console.log(`${folder} (${kind}, ${file})`);
    for (const { name, shape, absolute, relative, rootMeanSquare, passes: good } of outputs) {
      const size = `[${shape.join(', ')}]`;
      const errors = [absolute, relative, rootMeanSquare].map((error) => error.toExponential(2).padStart(8));
      console.log(`  ${good ? 'ok  ' : 'FAIL'} ${[name.padEnd(30), size.padEnd(22), ...errors].join('  ')}`);
    }
  }
  if (uncompared.length > 0) console.log(`  inputs, not compared: ${uncompared.join(', ')}`);
  console.log(passes ? '  passes' : '  does not pass');
  return passes;
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals: folders } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { device: { type: 'string', default: 'cpu' } },
  });
  const device = DEVICE_CHOICES.find((each) => each === values.device);
  if (device === undefined) throw new UsageError(`--device has to be one of ${DEVICE_CHOICES.join(', ')}`);
  if (folders.length === 0) {
    console.error('usage: npm run conformance -- FOLDER...   (config.json, weights, reference.safetensors)');
    return 2;
  }
  console.log(
    'columns: output, shape, largest absolute error; that error, and the root mean square error, over the deviation',
  );
  let passed = true;
  for (const folder of folders) {
    try {
      passed = (await check(folder, device)) && passed;
    } catch (error) {
      if (!(error instanceof VarsearchError)) throw error;
      console.error(error.message);
      passed = false;
    }
  }
  return passed ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
