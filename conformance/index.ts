// Runs a folder of the layout of a conformance fixture (config.json, weights, reference.safetensors) through our
// implementation, whatever its kind, and compares every output. The kinds are one table.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { CheckpointError } from '../src/core/errors.js';
import { type JsonObject, readJsonFile } from '../src/core/json-file.js';
import { createRuntime, type Runtime, type RuntimeOptions } from '../src/runtime/index.js';
import { isAestheticFixture, runAestheticFixture } from './aesthetic.js';
import { describesClip, runClipConformance } from './clip.js';
import {
  compareOutputs,
  type Comparison,
  fluxTolerances,
  openReference,
  type Outputs,
  type Reference,
  type Tolerances,
  tolerancesOf,
} from './compare.js';
import { isFluxFixture, runFluxFixture } from './flux.js';
import { isImageRewardFixture, runImageRewardFixture } from './image-reward.js';
import { isInfinityFixture, runInfinityFixture } from './infinity.js';
import { isT5Fixture, runT5Fixture } from './t5.js';

export type { Comparison } from './compare.js';

/** Outputs by the weights file that they come from: a folder may hold the same model in several layouts. */
type Runs = ReadonlyMap<string, Outputs>;

/** A kind of fixture: how to recognise its config.json, and how to compute its outputs. */
interface Kind {
  readonly name: string;
  /** @default the usual ones */
  tolerances?(reference: Reference): Tolerances;
  matches(config: JsonObject): boolean;
  run(folder: string, config: JsonObject, reference: Reference, runtime: Runtime): Promise<Runs>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'infinity',
    tolerances: () => tolerancesOf('infinity'),
    matches: isInfinityFixture,
    run: async (folder, config, reference, runtime) =>
      new Map([['transformer.pth, vae.pth', await runInfinityFixture(folder, config, reference, runtime)]]),
  },
  {
    name: 't5-encoder',
    matches: isT5Fixture,
    run: async (folder, _, reference, runtime) =>
      new Map([['model.safetensors', await runT5Fixture(folder, reference, runtime)]]),
  },
  {
    name: 'clip',
    matches: describesClip,
    run: async (folder, _config, _reference, runtime) => {
      const results = await runClipConformance(runtime, folder);
      return new Map(results.map(({ weights, outputs }) => [weights, outputs]));
    },
  },
  {
    name: 'aesthetic',
    tolerances: () => tolerancesOf('aesthetic'),
    matches: isAestheticFixture,
    run: (folder, config, reference) =>
      Promise.resolve(new Map([['aesthetic.pth', runAestheticFixture(folder, config, reference)]])),
  },
  {
    name: 'image-reward',
    tolerances: () => tolerancesOf('imageReward'),
    matches: isImageRewardFixture,
    run: async (folder, _config, reference, runtime) =>
      new Map([['ImageReward.pt', await runImageRewardFixture(folder, reference, runtime)]]),
  },
  {
    name: 'flux',
    tolerances: (reference) => fluxTolerances(reference.has('guidance')),
    matches: isFluxFixture,
    run: async (folder, config, reference, runtime) =>
      new Map([['transformer, autoencoder', await runFluxFixture(folder, config, reference, runtime)]]),
  },
];

/** The result for one folder. */
export interface ConformanceReport {
  readonly kind: string;
  /** Comparisons by the weights file that the outputs come from. */
  readonly comparisons: ReadonlyMap<string, readonly Comparison[]>;
  /** Tensors of the reference that were not compared: inputs, and what no output of ours stands for. */
  readonly uncompared: readonly string[];
  readonly passes: boolean;
}

/** Checks one folder; throws a CheckpointError when it is none of the kinds or lacks a file. */
export async function checkConformance(
  folder: string,
  options: Pick<RuntimeOptions, 'device' | 'threads'> = {},
): Promise<ConformanceReport> {
  const configPath = join(folder, 'config.json');
  const referencePath = join(folder, 'reference.safetensors');
  for (const path of [configPath, referencePath]) {
    if (!existsSync(path)) {
      throw new CheckpointError(
        path,
        'is missing: a fixture has config.json, weights and reference.safetensors',
      );
    }
  }
  const config = readJsonFile(configPath);
  const reference = openReference(referencePath);
  const runtime = await createRuntime(options);
  try {
    const kind = KINDS.find((each) => each.matches(config));
    if (!kind) {
      throw new CheckpointError(
        configPath,
        `is of no kind that we know (${KINDS.map(({ name }) => name).join(', ')})`,
      );
    }
    const runs = await kind.run(folder, config, reference, runtime);
    const comparisons = new Map(
      [...runs].map(([file, outputs]) => [
        file,
        compareOutputs(outputs, reference, kind.tolerances?.(reference)),
      ]),
    );
    const all = [...comparisons.values()].flat();
    const compared = new Set(all.map(({ name }) => name));
    return {
      kind: kind.name,
      comparisons,
      uncompared: reference.source.names.filter((name) => !compared.has(name)),
      passes: all.length > 0 && all.every(({ passes }) => passes),
    };
  } finally {
    reference.source.close();
    await runtime.close();
  }
}
