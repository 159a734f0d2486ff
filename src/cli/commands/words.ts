// varsearch words: what the embedded models can be asked for.

import type { Command } from 'commander';

import { COUNT_WORDS, plural, PROMPT_EXAMPLES, RELATIONS } from '../../toybox/world/grammar.js';
import { COLOURS, MAX_OBJECTS, SHAPES, SIZES, TEXTURES } from '../../toybox/world/scene.js';
import type { CliIo } from '../io.js';
import { line } from '../io.js';
import { printTable, printText } from '../table.js';

/** The words by what they say; sizes and textures that are said by nothing are left out. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  shapes: SHAPES,
  'several of them': SHAPES.map(plural),
  colours: COLOURS,
  textures: TEXTURES.filter((texture) => texture !== 'plain'),
  sizes: SIZES.filter((size) => size !== 'medium'),
  counts: ['a', 'an', ...COUNT_WORDS.slice(1)],
  places: RELATIONS,
  joining: ['and', ','],
};

const FORM = `A prompt names one to three groups: a count, then a size, a texture and a colour where you like, then the shape. Groups are joined by "and" and commas; the second may be put left of, right of, above or below the first in their place. Up to ${MAX_OBJECTS} objects in all.`;

function print(io: CliIo): void {
  const rows = Object.entries(WORDS).map(([kind, words]) => [
    kind,
    words.map((word) => (word === ',' ? '","' : word)).join(', '),
  ]);
  printText(io.stdout, 'The embedded models, toybox and toybox-flow, draw scenes of these words:');
  printTable(io.stdout, [['what', 'words'], ...rows], [0, 1]);
  line(io.stdout);
  printText(io.stdout, FORM);
  line(io.stdout);
  line(io.stdout, 'Examples:');
  for (const example of PROMPT_EXAMPLES) line(io.stdout, `  varsearch generate "${example}"`);
}

/** Adds the command to the program. */
export function addWords(program: Command, io: CliIo): void {
  program
    .command('words')
    .description('list the words that the embedded models can draw')
    .option('--json', 'as JSON')
    .action((flags: { readonly json?: true }) => {
      if (flags.json === true) {
        line(
          io.stdout,
          JSON.stringify(
            { format: 1, words: WORDS, objects: MAX_OBJECTS, examples: PROMPT_EXAMPLES },
            null,
            2,
          ),
        );
      } else print(io);
    });
}
