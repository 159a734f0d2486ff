import { describe, expect, it } from 'vitest';

import { degradePicture, validateJudge } from '../../../training/scenes/validate.js';
import { createImage, type Image } from '../../core/image.js';
import { RandomKey } from '../../core/random.js';
import { renderScene } from '../world/renderer.js';
import { COLOURS, type SceneObject, SHAPES, TEXTURES } from '../world/scene.js';
import { detectObjects } from './detector.js';

const base: SceneObject = { shape: 'circle', colour: 'red', texture: 'plain', radius: 9.5, x: 30, y: 34 };

const found = (...objects: SceneObject[]): ReturnType<typeof detectObjects>['objects'] =>
  detectObjects(renderScene({ background: 'grey', objects })).objects;

/** A picture of a red region on white, given by a signed distance in pixels from the picture's middle. */
function pictureOf(distance: (x: number, y: number) => number): Image {
  const data = new Uint8Array(64 * 64 * 3);
  for (let i = 0; i < 64 * 64; i++) {
    const coverage = Math.min(1, Math.max(0, 0.5 - distance((i % 64) - 31.5, Math.floor(i / 64) - 31.5)));
    data.set(
      [214, 39, 40].map((value) => 248 + coverage * (value - 248)),
      i * 3,
    );
  }
  return createImage(64, 64, data);
}

const shapesIn = (image: Image): string[] => detectObjects(image).objects.map(({ shape }) => shape);

describe('detectObjects', () => {
  it('finds every shape in every texture with its colour, place and size', () => {
    for (const shape of SHAPES) {
      for (const texture of TEXTURES) {
        const colour = COLOURS[SHAPES.indexOf(shape)] ?? 'red';
        const [object, ...others] = found({ ...base, shape, colour, texture });
        expect(others).toEqual([]);
        expect(object).toMatchObject({ shape, colour, texture, size: 'medium' });
        expect(Math.hypot((object?.x ?? 0) - 30, (object?.y ?? 0) - 34)).toBeLessThan(0.6);
        expect(object?.radius).toBeCloseTo(9.5, 0);
      }
    }
  });

  it('tells sizes apart', () => {
    for (const [radius, size] of [
      [6.5, 'small'],
      [7.5, 'small'],
      [9, 'medium'],
      [10, 'medium'],
      [13.25, 'large'],
    ] as const) {
      for (const shape of SHAPES) expect(found({ ...base, shape, radius })).toMatchObject([{ shape, size }]);
    }
  });

  it('parts objects that touch', () => {
    const touching = found(
      { ...base, shape: 'square', x: 22 },
      { ...base, shape: 'square', colour: 'blue', x: 37 },
    );
    expect(touching).toMatchObject([
      { shape: 'square', colour: 'red' },
      { shape: 'square', colour: 'blue' },
    ]);
    const bridge = pictureOf((x, y) =>
      Math.min(
        Math.hypot(x + 11, y) - 9,
        Math.hypot(x - 11, y) - 9,
        Math.max(Math.abs(x) - 8, Math.abs(y) - 0.2),
      ),
    );
    expect(shapesIn(bridge)).toEqual(['circle', 'circle']);
  });

  it.each<[string, (x: number, y: number) => number]>([
    ['an ellipse of 3 : 2', (x, y) => Math.hypot(x, y * 1.5) - 10],
    ['a rectangle of 3 : 2', (x, y) => Math.max(Math.abs(x) - 10, Math.abs(y) - 6.7)],
    ['a half disc', (x, y) => Math.max(Math.hypot(x, y) - 10, y)],
    ['two discs grown together', (x, y) => Math.min(Math.hypot(x + 7, y) - 8, Math.hypot(x - 7, y) - 8)],
    ['a disc with a small hole', (x, y) => Math.abs(Math.hypot(x, y) - 5.5) - 3.5],
    [
      'a broken ring',
      (x, y) => Math.max(Math.abs(Math.hypot(x, y) - 6.5) - 2.3, x > 0 ? 2.5 - Math.abs(y) : -1),
    ],
    ['a blob with four bulges', (x, y) => Math.hypot(x, y) - 9 * (1 + 0.2 * Math.sin(4 * Math.atan2(y, x)))],
    [
      'a cross on its side',
      (x, y) =>
        Math.min(
          Math.max(Math.abs(x + y) - 13, Math.abs(x - y) - 4.6),
          Math.max(Math.abs(x - y) - 13, Math.abs(x + y) - 4.6),
        ),
    ],
  ])('does not take %s for one of the shapes', (_, distance) => {
    expect(shapesIn(pictureOf(distance))).toEqual(['unknown']);
  });

  it('sees a ghost as an object of no shape', () => {
    const ghost = (strength: number, radius: number): Image => {
      const solid = pictureOf((x, y) => Math.hypot(x, y) - radius);
      return createImage(
        64,
        64,
        solid.data.map((value) => 248 + strength * (value - 248)),
      );
    };
    expect(detectObjects(ghost(0.35, 8)).objects).toMatchObject([{ shape: 'unknown', colour: 'red' }]);
    expect(shapesIn(ghost(0.35, 2.5))).toEqual([]);
    expect(shapesIn(ghost(0.1, 8))).toEqual([]);
  });

  it('sees nothing in an empty picture, in noise and in specks', () => {
    const empty = renderScene({ background: 'mist', objects: [] });
    expect(detectObjects(empty)).toEqual({ background: [214, 228, 242], objects: [] });
    expect(shapesIn(degradePicture(empty, 0.7, 6, RandomKey.fromSeed(1)))).toEqual([]);
    expect(shapesIn(pictureOf((x, y) => Math.hypot(x, y) - 2.5))).toEqual([]);
  });

  it('names no colour for one that is not in the palette', () => {
    const image = pictureOf((x, y) => Math.hypot(x, y) - 9);
    const black = createImage(
      64,
      64,
      image.data.map((value) => (value === 214 || value < 60 ? 25 : value)),
    );
    expect(detectObjects(black).objects).toMatchObject([{ colour: 'unknown' }]);
  });

  it('refuses other picture sizes', () => {
    expect(() => detectObjects(createImage(1, 1, new Uint8Array(3)))).toThrow(/64 x 64 pixels, got 1 x 1/);
  });
});

describe('validateJudge', () => {
  it('judges at least 99.5% of drawn pictures right, for right and for wrong prompts', async () => {
    const { accepted, refused, misjudged } = await validateJudge({ count: 120, seed: 1 });
    expect(misjudged.slice(0, 5)).toEqual([]);
    expect(accepted).toMatchObject({ right: 120, all: 120 });
    expect(refused.all).toBeGreaterThan(240);
  });

  it('judges at least 97% of blurred and noisy pictures right', async () => {
    const root = RandomKey.fromSeed(2);
    const { accepted, refused } = await validateJudge({
      count: 64,
      seed: 3,
      roundTrip: (image, scene) => degradePicture(image, 0.7, 6, root.fold(scene)),
    });
    expect(accepted.right / accepted.all).toBeGreaterThanOrEqual(0.97);
    expect(refused.right / refused.all).toBeGreaterThanOrEqual(0.99);
  });

  it('counts what a round trip destroys', async () => {
    const blank = renderScene({ background: 'white', objects: [] });
    const { accepted, refused } = await validateJudge({ count: 16, roundTrip: () => Promise.resolve(blank) });
    expect(accepted).toMatchObject({ right: 0, all: 16 });
    expect(refused.right).toBe(refused.all);
  });
});
