import { describe, expect, it } from 'vitest';

import { UsageError } from '../core/errors.js';
import { Ledger } from '../core/ledger.js';
import { renderScene } from '../toybox/world/renderer.js';
import type { Scene, SceneObject } from '../toybox/world/scene.js';
import { oracle } from './oracle.js';
import { describeVerifier } from './verifier.suite.js';

const at = (look: Pick<SceneObject, 'shape' | 'colour'>, x: number, y: number): SceneObject => ({
  ...look,
  texture: 'plain',
  radius: 10,
  x,
  y,
});
const scene = (...objects: SceneObject[]): Scene => ({ background: 'white', objects });
const redStar = { shape: 'star', colour: 'red' } as const;
const blueRing = { shape: 'ring', colour: 'blue' } as const;

const pictures = [
  renderScene(scene(at(redStar, 16, 32), at(blueRing, 48, 32))),
  renderScene(scene(at(blueRing, 48, 32))),
  renderScene(scene(at(blueRing, 16, 32), at(redStar, 48, 32))),
];

describeVerifier('oracle', {
  open: () => Promise.resolve(oracle()),
  prompts: ['a red star left of a blue ring', 'a blue ring'],
  pictures,
  faults: [],
});

describe('the oracle', () => {
  it('gives the share of the demands that hold', async () => {
    const judge = await oracle().prepare('a red star left of a blue ring', new Ledger());
    const [right = 0, half = 0, swapped = 0] = await judge.score(pictures);
    expect(right).toBe(1);
    expect(half).toBeLessThan(swapped);
    expect(swapped).toBeLessThan(1);
  });

  it('refuses prompts of another world', async () => {
    await expect(oracle().prepare('a cat on a mat', new Ledger())).rejects.toThrow(UsageError);
  });
});
