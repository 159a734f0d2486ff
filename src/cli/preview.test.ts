import { describe, expect, it } from 'vitest';

import { createImage } from '../core/image.js';
import { hasTrueColour, previewLines } from './preview.js';

const image = (width: number, height: number) =>
  createImage(width, height, new Uint8Array(width * height * 3).fill(9));

describe('previewLines', () => {
  it('puts two pixels into a character, the upper one in front', async () => {
    const two = createImage(1, 2, Uint8Array.of(1, 2, 3, 4, 5, 6));
    expect(await previewLines(two, 80, 24)).toEqual(['\u001b[38;2;1;2;3;48;2;4;5;6m\u2580\u001b[0m']);
  });

  it.each([
    [64, 64, 80, 40, 64, 32],
    [64, 64, 80, 20, 40, 20],
    [64, 64, 30, 40, 30, 15],
    [1024, 512, 64, 40, 64, 16],
    [3, 3, 80, 24, 3, 1],
    [1, 1, 80, 24, 1, 1],
  ])(
    'fits %d x %d pixels into %d columns and %d rows',
    async (width, height, columns, rows, cells, lines) => {
      const text = await previewLines(image(width, height), columns, rows);
      expect(text).toHaveLength(lines);
      expect(text[0]?.match(/\u2580/g)).toHaveLength(cells);
    },
  );
});

describe('hasTrueColour', () => {
  const terminal = { write: () => true, isTTY: true };

  it.each([
    [{ COLORTERM: 'truecolor' }, true],
    [{ COLORTERM: '24bit' }, true],
    [{ TERM: 'xterm-kitty' }, true],
    [{ TERM: 'xterm-256color' }, false],
    [{ TERM: 'dumb', COLORTERM: 'truecolor' }, false],
    [{ COLORTERM: 'truecolor', NO_COLOR: '1' }, false],
    [{ COLORTERM: 'truecolor', NO_COLOR: '' }, true],
    [{}, false],
  ])('%j: %j', (env, expected) => {
    expect(hasTrueColour(terminal, env)).toBe(expected);
    expect(hasTrueColour({ ...terminal, isTTY: false }, env)).toBe(false);
  });
});
