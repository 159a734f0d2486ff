// Runs a folder of the layout of a conformance fixture (config.json, weights, reference.safetensors) through our
// implementation, whatever its kind, and compares every output. The kinds are one table.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CheckpointError } from '../core/errors.js';
import { createRuntime, type Runtime } from '../runtime/index.js';
import { type Comparison, compareOutputs, openReference, type Outputs, type Reference } from './compare.js';
import { isInfinityFixture, runInfinityFixture } from './infinity.js';
import { isT5Fixture, runT5Fixture } from './t5.js';

export type { Comparison } from './compare.js';

/** A kind of fixture: how to recognise its config.json, and how to compute its outputs. */
interface Kind {
  readonly name: string;
  run(folder: string, config: object, reference: Reference, runtime: Runtime): Promise<Outputs> | null;
}

function kind<Config extends object>(
  name: string,
  matches: (config: object) => config is Config,
  run: (folder: string, config: Config, reference: Reference, runtime: Runtime) => Promise<Outputs>,
): Kind {
  return { name, run: (folder, config, ...rest) => (matches(config) ? run(folder, config, ...rest) : null) };
}

const KINDS: readonly Kind[] = [
  kind('infinity', isInfinityFixture, runInfinityFixture),
  kind('t5-encoder', isT5Fixture, runT5Fixture),
];

/** The result for one folder. */
export interface ConformanceReport {
  readonly kind: string;
  readonly comparisons: readonly Comparison[];
  /** Tensors of the reference that are neither compared nor inputs we know: nothing may be left out silently. */
  readonly uncompared: readonly string[];
  readonly passes: boolean;
}

/** Checks one folder; throws a CheckpointError when it is none of the kinds or lacks a file. */
export async function checkConformance(folder: string, threads?: number): Promise<ConformanceReport> {
  const configPath = join(folder, 'config.json');
  const referencePath = join(folder, 'reference.safetensors');
  for (const path of [configPath, referencePath]) {
    if (!existsSync(path)) throw new CheckpointError(path, 'is missing: a fixture has config.json, weights and reference.safetensors');
  }
  const config = readConfig(configPath);
  const reference = openReference(referencePath);
  const runtime = await createRuntime(threads === undefined ? {} : { threads });
  try {
    for (const { name, run } of KINDS) {
      const running = run(folder, config, reference, runtime);
      if (!running) continue;
      const outputs = await running;
      const comparisons = compareOutputs(outputs, reference);
      const uncompared = reference.source.names.filter((tensor) => !outputs.has(tensor));
      return {
        kind: name,
        comparisons,
        uncompared,
        passes: comparisons.length > 0 && comparisons.every(({ passes }) => passes),
      };
    }
    throw new CheckpointError(configPath, `is of no kind that we know (${KINDS.map(({ name }) => name).join(', ')})`);
  } finally {
    reference.source.close();
    await runtime.close();
  }
}

function readConfig(path: string): object {
  try {
    const config: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof config === 'object' && config !== null) return config;
  } catch (cause) {
    throw new CheckpointError(path, 'is not JSON', { cause });
  }
  throw new CheckpointError(path, 'holds no object');
}
