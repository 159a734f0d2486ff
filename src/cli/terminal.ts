// What a terminal can show, from what its surroundings say: letters beyond ASCII, a line that is redrawn, and how many colours.

import type { CliIo, Output } from './io.js';

type Environment = CliIo['env'];

/** Whether a locale shows more than ASCII: where none is named, nearly every terminal does; one that is named has to say so. */
export function isUnicode(env: Environment): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((each) => (each ?? '') !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

/** Whether a stream is a terminal that takes a line back. */
export function canRedraw(output: Output, env: Environment): boolean {
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

/** What stands for the letters of ours that are not ASCII. */
const ASCII: Readonly<Record<string, string>> = {
  '\u00d7': 'x',
  '\u2026': '...',
  '\u2588': '#',
  '\u2591': '.',
};

/** A stream for terminals that show ASCII alone; what others wrote, such as a prompt, stays as it is. */
export function asciiOutput(output: Output): Output {
  return {
    write: (text) => output.write(text.replace(/[\u00d7\u2026\u2588\u2591]/g, (mark) => ASCII[mark] ?? mark)),
    get isTTY() {
      return output.isTTY;
    },
    get columns() {
      return output.columns;
    },
    get rows() {
      return output.rows;
    },
  };
}

/** Colours of a terminal: 24 bits, the 256 of xterm, or none to speak of. */
export type Colours = 'true' | '256' | null;

/** Terminals by the name in TERM that are known to show 24-bit colour without saying so in COLORTERM. */
const TRUE_COLOUR_TERMS = /direct|truecolor|kitty|ghostty|alacritty|wezterm|foot|contour/;

/** The colours that a terminal says it has. */
function coloursSaid(env: Environment): Colours {
  const { TERM: term = '', COLORTERM: colour = '' } = env;
  if (/^(truecolor|24bit)$/i.test(colour) || TRUE_COLOUR_TERMS.test(term)) return 'true';
  // Windows Terminal names no TERM.
  if ((env['WT_SESSION'] ?? '') !== '') return 'true';
  return term.includes('256') ? '256' : null;
}

/**
 * The colours to show a picture in; null for none. Where nobody says whether to (`wanted`), a terminal with the colours gets it, unless
 * NO_COLOR asks for none or its locale lacks the letters. Who asks for it gets it anyhow, in 256 colours where nothing is said.
 */
export function coloursOf(output: Output, env: Environment, wanted?: boolean): Colours {
  if (wanted !== undefined) return wanted ? (coloursSaid(env) ?? '256') : null;
  const plain = !canRedraw(output, env) || (env['NO_COLOR'] ?? '') !== '' || !isUnicode(env);
  return plain ? null : coloursSaid(env);
}
