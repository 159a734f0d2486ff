import { describe, expect, it } from 'vitest';

import { createImage } from '../core/image.js';
import { previewLines, xtermColour } from './preview.js';
import { asciiOutput, coloursOf, isUnicode } from './terminal.js';

const image = (width: number, height: number) =>
  createImage(width, height, new Uint8Array(width * height * 3).fill(9));

describe('previewLines', () => {
  it('puts two pixels into a character, the upper one in front', async () => {
    const two = createImage(1, 2, Uint8Array.of(1, 2, 3, 4, 5, 6));
    const within = { columns: 80, rows: 24 };
    expect(await previewLines(two, { ...within, colours: 'true' })).toEqual([
      '\u001b[38;2;1;2;3;48;2;4;5;6m\u2580\u001b[0m',
    ]);
    expect(await previewLines(two, { ...within, colours: '256' })).toEqual([
      '\u001b[38;5;16;48;5;232m\u2580\u001b[0m',
    ]);
  });

  it.each([
    [[0, 0, 0], 16],
    [[255, 255, 255], 231],
    [[255, 0, 0], 196],
    [[0, 0, 255], 21],
    [[95, 135, 175], 67],
    // Greys have finer steps than the cube.
    [[8, 8, 8], 232],
    [[118, 118, 118], 243],
    [[238, 238, 238], 255],
  ] as const)('takes of 256 colours for %j number %d', (rgb, number) => {
    expect(xtermColour(rgb)).toBe(number);
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
      const text = await previewLines(image(width, height), { columns, rows, colours: 'true' });
      expect(text).toHaveLength(lines);
      expect(text[0]?.match(/\u2580/g)).toHaveLength(cells);
    },
  );
});

describe('coloursOf', () => {
  const terminal = { write: () => true, isTTY: true };

  it.each([
    [{ COLORTERM: 'truecolor' }, 'true'],
    [{ COLORTERM: '24bit' }, 'true'],
    [{ TERM: 'xterm-kitty' }, 'true'],
    [{ WT_SESSION: 'c0ffee' }, 'true'],
    [{ TERM: 'xterm-256color' }, '256'],
    [{ TERM: 'xterm-256color', LANG: 'C' }, null],
    [{ TERM: 'xterm' }, null],
    [{ TERM: 'dumb', COLORTERM: 'truecolor' }, null],
    [{ COLORTERM: 'truecolor', NO_COLOR: '1' }, null],
    [{ COLORTERM: 'truecolor', NO_COLOR: '' }, 'true'],
    [{}, null],
  ])('%j: %j', (env, expected) => {
    expect(coloursOf(terminal, env)).toBe(expected);
    expect(coloursOf({ ...terminal, isTTY: false }, env)).toBeNull();
    // Who says what they want gets it.
    expect(coloursOf(terminal, env, false)).toBeNull();
    expect(coloursOf({ ...terminal, isTTY: false }, { ...env, NO_COLOR: '1' }, true)).toMatch(/^(true|256)$/);
  });
});

describe('isUnicode', () => {
  it.each([
    [{}, true],
    [{ LANG: 'de_DE.UTF-8' }, true],
    [{ LANG: 'C.utf8' }, true],
    [{ LANG: 'C' }, false],
    [{ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, false],
    [{ LC_ALL: '', LC_CTYPE: 'en_US.UTF-8', LANG: 'C' }, true],
    [{ LANG: 'de_DE.ISO-8859-1' }, false],
  ])('%j: %j', (env, expected) => {
    expect(isUnicode(env)).toBe(expected);
  });

  it('has letters for its own marks, and leaves what others wrote', () => {
    let written = '';
    asciiOutput({ write: (text) => (written += text) }).write('é 8 \u00d7 8 \u2588\u2591\u2026');
    expect(written).toBe('é 8 x 8 #....');
  });
});
