// Flags from tables of options, and the library's options from flags: a new option is a line of a table, and nothing here.

import type { Command } from 'commander';
import { Option as Flag } from 'commander';

import {
  flagOf,
  type Option,
  type OptionKind,
  type OptionsOf,
  type OptionTable,
  type OptionValues,
  pick,
} from '../core/options.js';
import { STRATEGIES } from '../search/registry.js';
import { parseList, parseNumber, parseNumbers, parseWhole, parseWholes } from './values.js';

/** What commander gives: values by the names of options. */
export type Flags = OptionValues;

/** How the values of a kind of options are written. */
interface Writing {
  readonly placeholder: string;
  readonly parse?: (text: string, before: unknown) => unknown;
}

/** Names after a flag: a,b,c, and the flag again. */
const collectNames = (text: string, before: unknown): string =>
  typeof before === 'string' ? `${before},${text}` : text;

const WRITINGS: Readonly<Record<Exclude<OptionKind, 'value'>, Writing | null>> = {
  number: { placeholder: 'x', parse: parseNumber },
  numbers: { placeholder: 'x', parse: parseNumbers },
  list: { placeholder: 'x', parse: parseList },
  whole: { placeholder: 'n', parse: parseWhole },
  wholes: { placeholder: 'n', parse: parseWholes },
  text: { placeholder: 'text' },
  names: { placeholder: 'names', parse: collectNames },
  choice: { placeholder: 'which' },
  switch: null,
};

/** What a command says otherwise than the table. */
export interface FlagWords {
  /** What is assumed where a flag is not given, by the names of options. */
  readonly usual?: Readonly<Record<string, string>>;
  /** Who takes an option, where not everybody does. */
  readonly takers?: (name: string) => readonly string[];
}

/** Adds a flag for every option of a table; those whose values only programs have get none. */
export function addFlags(command: Command, table: OptionTable, words: FlagWords = {}): Command {
  for (const [name, option] of Object.entries(table)) {
    if (option.kind !== 'value') command.addOption(flagFor(name, option, WRITINGS[option.kind], words));
  }
  return command;
}

function flagFor(name: string, option: Option, writing: Writing | null, words: FlagWords): Flag {
  const usual = words.usual?.[name] ?? option.usual;
  const notes = [
    words.takers?.(name).join(', ') ?? '',
    usual === undefined ? '' : `default: ${usual}`,
  ].filter((note) => note !== '');
  const text = notes.length === 0 ? option.words : `${option.words} (${notes.join('; ')})`;
  if (!writing) return new Flag(flagOf(name), text);
  const flag = new Flag(`${flagOf(name)} <${option.placeholder ?? writing.placeholder}>`, text);
  if (writing.parse) flag.argParser(writing.parse);
  return option.choices ? flag.choices([...option.choices]) : flag;
}

/** The strategies that take an option of a search, where not all of them do. */
export function takersOf(name: string): readonly string[] {
  const takers = STRATEGIES.filter(({ options }) => Object.hasOwn(options, name));
  return takers.length === STRATEGIES.length ? [] : takers.map((each) => each.name);
}

/** The options of a table that were given as flags. */
export function given<Table extends OptionTable>(flags: Flags, table: Table): OptionsOf<Table> {
  return pick(flags, table);
}

/** Where results go and how much is said about it. */
export interface OutputFlags {
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
  /** False with --no-metadata. */
  readonly metadata: boolean;
}

/** Adds --out, --no-metadata, --json and --quiet. */
export function addOutputFlags(
  command: Command,
  out = 'folder of the results (default: a new one below ./out)',
): Command {
  return command
    .option('--out <dir>', out)
    .option('--no-metadata', 'write no recipe and no other text into pictures: they cannot be replayed')
    .option('--json', 'print the result as JSON on stdout, and nothing else there')
    .option('--quiet', 'print nothing but warnings and errors');
}
