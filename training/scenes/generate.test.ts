import { describe, expect, it } from 'vitest';

import { RandomKey } from '../../src/core/random.js';
import { PROMPT_KINDS, promptKind, promptText } from '../../src/toybox/world/grammar.js';
import { isHeldOut } from '../../src/toybox/world/held-out.js';
import { type Box, holds } from '../../src/toybox/world/relation.js';
import { SIZE_RADII } from '../../src/toybox/world/scene.js';
import { generateSample, type Sample } from './generate.js';
import { pieceBox } from './layout.js';

const root = RandomKey.fromSeed(21);
const samples = (count: number): Sample[] =>
  Array.from({ length: count }, (_, i) => generateSample(root.fold(i)));
const ours = samples(500);
const boxes = ({ scene }: Sample): Box[] => scene.objects.map((object) => pieceBox(object, object));

describe('generateSample', () => {
  it('depends on its key only', () => {
    expect(generateSample(root.fold(7))).toEqual(ours[7]);
    expect(generateSample(root.fold(8))).not.toEqual(ours[7]);
  });

  it('shows exactly the objects that the prompt names', () => {
    for (const { kind, prompt, scene } of ours) {
      expect(promptKind(prompt)).toBe(kind);
      let at = 0;
      for (const group of prompt.groups) {
        const members = scene.objects.slice(at, (at += group.count));
        expect(members).toHaveLength(group.count);
        expect(new Set(members.map(({ colour }) => colour)).size).toBe(1);
        for (const object of members) {
          expect(object.shape).toBe(group.shape);
          expect(object.texture).toBe(group.texture ?? 'plain');
          if (group.colour !== null) expect(object.colour).toBe(group.colour);
          const { middle, spread } = SIZE_RADII[group.size ?? 'medium'];
          expect(Math.abs(object.radius - middle)).toBeLessThanOrEqual(spread + 0.125);
        }
      }
      expect(at).toBe(scene.objects.length);
    }
  });

  it('keeps objects apart, inside the picture and on quarter pixels', () => {
    for (const sample of ours) {
      const all = boxes(sample);
      all.forEach((a, i) => {
        expect(Math.min(a.left, a.top, 64 - a.right, 64 - a.bottom)).toBeGreaterThanOrEqual(0);
        for (const b of all.slice(0, i)) {
          const gaps = [a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom];
          expect(Math.max(...gaps)).toBeGreaterThanOrEqual(2);
        }
      });
      for (const { x, y, radius } of sample.scene.objects) {
        for (const value of [x, y, radius]) expect(value * 4).toBe(Math.round(value * 4));
      }
    }
  });

  it("places related groups so that GenEval's rule holds for every pair", () => {
    const related = ours.filter(({ prompt }) => prompt.relation !== null);
    expect(related.length).toBeGreaterThan(60);
    for (const sample of related) {
      const { relation, groups } = sample.prompt;
      const all = boxes(sample);
      const first = groups[0]?.count ?? 0;
      for (const a of all.slice(0, first)) {
        for (const b of all.slice(first)) expect(relation !== null && holds(relation, a, b)).toBe(true);
      }
    }
  });

  it('draws all kinds, and no prompt that is held out', () => {
    expect(new Set(ours.map(({ kind }) => kind))).toEqual(new Set(PROMPT_KINDS));
    for (const { prompt } of ours) {
      expect([promptText(prompt), isHeldOut(prompt)]).toEqual([promptText(prompt), false]);
    }
  });
});
