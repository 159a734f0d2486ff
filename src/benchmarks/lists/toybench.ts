// The benchmarks of the embedded world: held-out prompts, none of which occurs in training, judged by its detector.

import { benchmarkPrompts } from '../../toybox/world/benchmark-prompts.js';
import { type Benchmark, hashPrompts, numbered, type PromptList } from './benchmark.js';

function listOf(prompts: ReturnType<typeof benchmarkPrompts>): Promise<PromptList> {
  const all = numbered(prompts.map(({ prompt, kind }) => ({ text: prompt, kind })));
  return Promise.resolve({
    prompts: all,
    source: 'the embedded world, drawn by seed',
    licence: 'Apache-2.0',
    sha256: hashPrompts(all),
  });
}

/** Every kind in equal shares. */
export const TOYBENCH: Benchmark = {
  name: 'toybench',
  description:
    '200 held-out prompts of the embedded world: 25 of each of GenEval\u2019s kinds, of textures and of complex ones',
  load: () => listOf(benchmarkPrompts(25)),
};

/** All held-out counts and relations that there are, and complex prompts, of counts and relations too, up to 200 in all. */
const HARD = { counting: 6, position: 36, complex: 158 } as const;

/** What a single picture seldom gets right. */
export const TOYBENCH_HARD: Benchmark = {
  name: 'toybench-hard',
  description: `200 held-out prompts of counts (${HARD.counting}), relations (${HARD.position}) and both (${HARD.complex}), drawn without guidance at temperature 1.3`,
  modelOptions: { cfg: 1, temperature: 1.3 },
  load: () => {
    const all = benchmarkPrompts(Math.max(...Object.values(HARD)));
    const kinds = Object.entries(HARD);
    return listOf(kinds.flatMap(([name, count]) => all.filter(({ kind }) => kind === name).slice(0, count)));
  },
};
