// The two settings in which searches are measured: as the embedded model is recommended, and one in which it seldom succeeds.

import { UsageError } from '../src/index.js';
import { benchmarkPrompts } from '../src/toybox/world/benchmark-prompts.js';

/** A held-out prompt and its kind. */
export type BenchmarkPrompt = ReturnType<typeof benchmarkPrompts>[number];

/** The embedded verifiers; of those the benches take what is installed. */
export const EMBEDDED = ['clip-score', 'image-reward', 'toybox-llava', 'aesthetic'] as const;

/** A setting: guidance and temperature, and the prompts. */
export interface Setting {
  readonly cfg: number;
  readonly temperature: number;
  /** `count` held-out prompts. */
  prompts(count: number): readonly BenchmarkPrompt[];
}

const SETTINGS: Readonly<Record<string, Setting>> = {
  default: {
    cfg: 3,
    temperature: 1,
    prompts: (count) => benchmarkPrompts(Math.ceil(count / 8)).slice(0, count),
  },
  hard: {
    cfg: 1,
    temperature: 1.3,
    prompts: (count) => benchmarkPrompts(count).filter(({ kind }) => kind === 'complex'),
  },
};

/** The setting of a name. */
export function findSetting(name: string): Setting {
  const found = SETTINGS[name];
  if (found) return found;
  throw new UsageError(`there is no setting '${name}': choose one of ${Object.keys(SETTINGS).join(', ')}`);
}
