import { describe, expect, it } from 'vitest';

import { benchmarkPrompts } from './benchmark-prompts.js';
import { PROMPT_KINDS } from './grammar.js';
import { isHeldOut } from './held-out.js';
import { parsePrompt } from './parser.js';

const prompts = benchmarkPrompts();

describe('benchmarkPrompts', () => {
  it('gives 25 prompts of each kind, the same every time', () => {
    expect(prompts).toHaveLength(200);
    for (const kind of PROMPT_KINDS) expect(prompts.filter((entry) => entry.kind === kind)).toHaveLength(25);
    expect(benchmarkPrompts()).toEqual(prompts);
    expect(prompts.every(({ prompt, kind }) => parsePrompt(prompt).kind === kind)).toBe(true);
  });

  it('gives held-out prompts only, single objects excepted', () => {
    for (const { prompt, kind } of prompts) {
      expect(isHeldOut(parsePrompt(prompt))).toBe(kind !== 'single_object');
    }
  });

  it('does not favour single words among the held-out prompts', () => {
    const shapes = benchmarkPrompts(100).flatMap(({ prompt }) =>
      parsePrompt(prompt).groups.map(({ shape }) => shape),
    );
    const counts = new Map<string, number>();
    for (const shape of shapes) counts.set(shape, (counts.get(shape) ?? 0) + 1);
    for (const count of counts.values()) expect(count / shapes.length).toBeGreaterThan(0.06);
    expect(counts.size).toBe(8);
  });
});
