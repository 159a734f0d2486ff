import { describe, expect, it } from 'vitest';

import { parsePrompt } from '../world/parser.js';
import { renderScene } from '../world/renderer.js';
import type { DetectedObject } from './detector.js';
import { judge, judgePicture, oracleScore } from './judge.js';

function object(words: string, x: number, y: number): DetectedObject {
  const parsed = words.split(' ');
  const [size, texture, colour, shape] = parsed as [
    DetectedObject['size'],
    DetectedObject['texture'],
    DetectedObject['colour'],
    DetectedObject['shape'],
  ];
  const box = { left: x - 9, right: x + 9, top: y - 9, bottom: y + 9 };
  const confidence = { shape: 0.95, colour: 1, texture: 1 };
  return { shape, colour, texture, size, x, y, radius: 9, box, confidence };
}

const verdict = (prompt: string, ...objects: DetectedObject[]): ReturnType<typeof judge> =>
  judge(parsePrompt(prompt), { background: [248, 248, 248], objects });

const redStar = object('medium plain red star', 12, 32);
const blueStar = object('medium plain blue star', 32, 32);
const blueCircle = object('medium plain blue circle', 53, 32);
const unknown = object('medium plain red unknown', 32, 53);

describe('judge', () => {
  it('asks for at least one of what has an article, and for exact numbers otherwise', () => {
    expect(verdict('a star', redStar, blueStar).correct).toBe(true);
    expect(verdict('two stars', redStar, blueStar).correct).toBe(true);
    expect(verdict('three stars', redStar, blueStar).reasons).toContain('expected three stars, found 2');
    const third = object('medium plain pink star', 12, 53);
    expect(verdict('two stars', redStar, blueStar, third).reasons).toEqual(['expected two stars, found 3']);
    expect(verdict('two blue stars', redStar, blueStar).correct).toBe(false);
  });

  it('takes "one" for exactly one, and nothing else beside what a prompt counts or a complex prompt names', () => {
    expect(verdict('one star', redStar).correct).toBe(true);
    expect(verdict('one star', redStar, blueStar).faults).toEqual(['count']);
    expect(verdict('one red star', redStar, blueStar).faults).toEqual(['extra']);
    expect(verdict('a red star', redStar, blueStar).correct).toBe(true);
    expect(verdict('a star and a circle', redStar, blueStar, blueCircle).correct).toBe(true);
    expect(verdict('a star and one circle', redStar, blueStar, blueCircle).faults).toEqual(['extra']);
    expect(verdict('two stars', redStar, blueStar, blueCircle)).toMatchObject({
      faults: ['extra'],
      reasons: ['did not expect a medium plain blue circle'],
    });
    expect(verdict('two stars and a circle', redStar, blueStar, blueCircle).correct).toBe(true);
    expect(verdict('two stars and a circle', redStar, blueStar, blueCircle, unknown).faults).toEqual([
      'extra',
    ]);
  });

  it('asks for a plain object beside one whose texture is named', () => {
    const striped = object('medium striped blue circle', 53, 32);
    expect(verdict('a star and a circle', redStar, striped).correct).toBe(true);
    expect(verdict('a red star and a striped circle', redStar, striped).correct).toBe(true);
    const dotted = object('medium dotted red star', 12, 32);
    expect(verdict('a red star and a striped circle', dotted, striped).faults).toEqual(['texture']);
  });

  it('names what is wrong', () => {
    expect(verdict('a red circle', blueCircle).faults).toEqual(['colour']);
    expect(verdict('a blue star', blueCircle).faults).toEqual(['shape']);
    expect(verdict('a star', blueCircle).faults).toEqual(['count']);
    expect(verdict('three stars', redStar, blueStar).faults).toEqual(['count']);
    expect(verdict('a star right of a circle', redStar, blueCircle).faults).toEqual(['relation']);
    expect(verdict('a small red star', redStar).faults).toEqual(['size']);
  });

  it('gives every object to one group only', () => {
    expect(verdict('a star and a red star', redStar).correct).toBe(false);
    expect(verdict('a star and a red star', redStar, blueStar).correct).toBe(true);
    const third = object('medium plain pink star', 12, 53);
    expect(verdict('two stars and a red star', redStar, blueStar, third).correct).toBe(true);
  });

  it('binds colours, textures and sizes to their objects', () => {
    expect(verdict('a red star and a blue circle', redStar, blueCircle).correct).toBe(true);
    const { correct, reasons } = verdict('a blue star and a red circle', redStar, blueCircle);
    expect(correct).toBe(false);
    expect(reasons[0]).toBe('expected a blue star: nearest is a medium plain red star');
    const large = object('large striped green heart', 32, 32);
    expect(verdict('a large striped green heart', large).correct).toBe(true);
    expect(verdict('a small striped green heart', large).correct).toBe(false);
    expect(verdict('a dotted green heart', large).correct).toBe(false);
    expect(verdict('a heart', large).correct).toBe(true);
  });

  it("holds relations by GenEval's rule for every pair", () => {
    expect(verdict('a red star left of a circle', redStar, blueCircle).correct).toBe(true);
    expect(verdict('a red star right of a circle', redStar, blueCircle).reasons).toEqual([
      'expected a red star right of a circle',
    ]);
    const below = object('medium plain red star', 46, 56);
    expect(verdict('a star above a circle', blueStar, below, blueCircle).correct).toBe(false);
    expect(verdict('two stars left of a circle', redStar, blueStar, blueCircle).correct).toBe(true);
    expect(verdict('two stars left of a circle', redStar, below, blueCircle).correct).toBe(false);
  });

  it('chooses among more objects than asked for the ones that satisfy the relation', () => {
    expect(verdict('a star right of a circle', redStar, blueCircle).correct).toBe(false);
    const right = object('medium plain red star', 53, 56);
    expect(verdict('a star below a circle', redStar, right, blueCircle).correct).toBe(true);
    const far = object('medium plain red circle', 12, 12);
    expect(verdict('a star right of a circle', far, blueStar, blueCircle).correct).toBe(true);
  });

  it('scores the share of demands that hold', () => {
    expect(verdict('a red star', redStar).score).toBe(1);
    expect(verdict('a red star', blueStar).score).toBe(0.5);
    expect(verdict('a red star').score).toBe(0);
    expect(verdict('a star', unknown).score).toBe(0);
    const three = verdict('three red stars', redStar, object('medium plain red star', 32, 12)).score;
    expect(three).toBeCloseTo((2 + 2 + 2 / 3) / 7, 10);
  });

  it('looks at eight objects, the clearest ones', () => {
    const row = (count: number, clear: number): DetectedObject[] =>
      Array.from({ length: count }, (_, i) => ({
        ...object('small plain red star', 6 + 7 * i, 12),
        confidence: { shape: clear, colour: 1, texture: 1 },
      }));
    const ring = object('small plain blue ring', 32, 53);
    // The ring is the least clear of eight: it is still seen, and so are all of five stars and three circles.
    expect(verdict('a blue ring', ...row(7, 0.99), ring).correct).toBe(true);
    const circles = [12, 32, 53].map((x) => object('small plain blue circle', x, 40));
    expect(verdict('five red stars and three blue circles', ...row(5, 0.9), ...circles).correct).toBe(true);
    expect(verdict('five red stars', ...row(6, 0.9)).reasons).toEqual(['expected five red stars, found 6']);
    // A ninth is not.
    expect(verdict('a blue ring', ...row(8, 0.99), ring).correct).toBe(false);
  });

  it('copes with a picture full of objects', () => {
    const many = Array.from({ length: 30 }, (_, i) =>
      object('small plain red star', 6 * (i % 10), 20 * (i % 3)),
    );
    expect(verdict('two blue stars left of three red circles', ...many).correct).toBe(false);
  });
});

describe('judgePicture and oracleScore', () => {
  it('read a picture', () => {
    const at = { radius: 9.5, y: 32, texture: 'plain' } as const;
    const image = renderScene({
      background: 'cream',
      objects: [
        { ...at, shape: 'star', colour: 'red', x: 15 },
        { ...at, shape: 'ring', colour: 'blue', x: 48 },
      ],
    });
    const prompt = parsePrompt('a red star left of a blue ring');
    expect(judgePicture(prompt, image)).toEqual({ correct: true, reasons: [], faults: [], score: 1 });
    expect(oracleScore(parsePrompt('a red star right of a blue ring'), image)).toBeCloseTo(4 / 5, 10);
  });
});
