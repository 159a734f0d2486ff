// Flags from tables of options, and the library's options from flags: a new option is a line of a table, and nothing here.

import type { Command } from 'commander';
import { InvalidArgumentError, Option as Flag } from 'commander';

import { didYouMean } from '../core/nearest.js';
import {
  type Alias,
  flagOf,
  type Option,
  type OptionKind,
  type OptionsOf,
  type OptionTable,
  type OptionValues,
  pick,
} from '../core/options.js';
import { STRATEGIES } from '../search/registry.js';
import { groupOf, GROUPS, inGroups } from './groups.js';
import {
  parseList,
  parseNumber,
  parseNumbers,
  parseRatio,
  parseSeed,
  parseWhole,
  parseWholes,
} from './values.js';

/** What commander gives: values by the names of options. */
export type Flags = OptionValues;

type Parse = (text: string, before: unknown) => unknown;

/** How the values of a kind of options are written. */
interface Writing {
  readonly placeholder: string;
  readonly parse?: Parse | ((option: Option) => Parse);
  /** Whether `parse` depends on the option. @default false */
  readonly byOption?: true;
  /** Whether several words may follow the flag. @default false */
  readonly several?: true;
}

/** Names after a flag: a,b,c, and the flag again. */
const collectNames = (text: string, before: unknown): string =>
  typeof before === 'string' ? `${before},${text}` : text;

/** One of the values of a choice, or what others call it. */
function choose({ choices = [], synonyms = {} }: Option, text: string): string {
  const value = Object.hasOwn(synonyms, text) ? synonyms[text] : text;
  if (value !== undefined && choices.includes(value)) return value;
  const meant = didYouMean(text, choices).replace(/^: d/, 'D');
  throw new InvalidArgumentError(`${meant} Allowed choices are ${choices.join(', ')}.`.trimStart());
}

const chooseOne =
  (option: Option): Parse =>
  (text) =>
    choose(option, text);

/** Choices after a flag: a,b,c, or one a word, and the flag again. */
const chooseSeveral =
  (option: Option): Parse =>
  (text, before) => [
    ...(Array.isArray(before) ? (before as readonly string[]) : []),
    ...text.split(',').map((each) => choose(option, each.trim())),
  ];

const WRITINGS: Readonly<Record<Exclude<OptionKind, 'value'>, Writing | null>> = {
  number: { placeholder: 'x', parse: parseNumber },
  numbers: { placeholder: 'x', parse: parseNumbers },
  list: { placeholder: 'x', parse: parseList },
  whole: { placeholder: 'n', parse: parseWhole },
  wholes: { placeholder: 'n', parse: parseWholes },
  seed: { placeholder: 'n', parse: parseSeed },
  text: { placeholder: 'text' },
  ratio: { placeholder: 'w:h', parse: parseRatio },
  names: { placeholder: 'names', parse: collectNames },
  choice: { placeholder: 'which', parse: chooseOne, byOption: true },
  choices: { placeholder: 'names', parse: chooseSeveral, byOption: true, several: true },
  switch: null,
};

function parserOf({ parse, byOption }: Writing, option: Option): Parse | undefined {
  return byOption
    ? (parse as ((option: Option) => Parse) | undefined)?.(option)
    : (parse as Parse | undefined);
}

/** What a command says otherwise than the table. */
export interface FlagWords {
  /** What is assumed where a flag is not given, by the names of options. */
  readonly usual?: Readonly<Record<string, string>>;
  /** Who takes an option, where not everybody does. */
  readonly takers?: (name: string) => readonly string[];
  /** The group in help. @default by the option */
  readonly group?: string;
}

/** Another name of a flag: no help shows it. */
class AliasFlag extends Flag {
  readonly #target: string;

  constructor(flags: string, target: string) {
    super(flags);
    this.#target = target;
    this.hideHelp();
  }

  override attributeName(): string {
    return this.#target;
  }
}

/** Adds a flag for every option of a table, and its other names; those whose values only programs have get none. */
export function addFlags(command: Command, table: OptionTable, words: FlagWords = {}): Command {
  for (const [name, option] of inGroups(table)) {
    if (option.kind === 'value') continue;
    const writing = WRITINGS[option.kind];
    command.addOption(flagFor(name, option, writing, words));
    for (const alias of option.aliases ?? []) {
      // In its group, hidden as it is: the groups of all options are in help, in the order of the options.
      const flag = aliasFlag(name, option, writing, alias);
      command.addOption(flag.helpGroup(words.group ?? groupOf(name)));
    }
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
  const group = words.group ?? groupOf(name);
  if (!writing) return new Flag(flagOf(name), text).helpGroup(group);
  const value = `${option.placeholder ?? writing.placeholder}${writing.several ? '...' : ''}`;
  const flag = new Flag(`${flagOf(name)} <${value}>`, text).helpGroup(group);
  // In this order: choices bring a parser of their own.
  if (option.choices) flag.choices([...option.choices]);
  const parse = parserOf(writing, option);
  return parse ? flag.argParser(parse) : flag;
}

function aliasFlag(name: string, option: Option, writing: Writing | null, alias: Alias): Flag {
  if (!writing) return new AliasFlag(`--${alias.name}`, name);
  const flag = new AliasFlag(`--${alias.name} <${option.placeholder ?? writing.placeholder}>`, name);
  const parse: Parse = parserOf(writing, option) ?? ((text) => text);
  const { rewrite = (text: string) => text } = alias;
  return flag.argParser((text: string, before) => parse(rewrite(text), before));
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
    .optionsGroup(GROUPS.output)
    .option('-o, --out <dir>', out)
    .addOption(new AliasFlag('--output-dir <dir>', 'out'))
    .addOption(new AliasFlag('--outdir <dir>', 'out'))
    .option('--no-metadata', 'write no recipe and no other text into pictures: they cannot be replayed')
    .option('--json', 'print the result as JSON on stdout, and nothing else there')
    .option('--quiet', 'print nothing but warnings and errors');
}

/** Adds --force. */
export function addForce(command: Command): Command {
  return command
    .optionsGroup(GROUPS.output)
    .option(
      '--force',
      'write into the folder of --out although something is in it: files of ours are replaced',
    );
}

/** Adds --preview and --no-preview. */
export function addPreview(command: Command, what = 'the picture'): Command {
  return command
    .optionsGroup(GROUPS.output)
    .option('--preview', `show ${what} in the terminal (default: where it has the colours)`)
    .option('--no-preview', `do not show ${what} in the terminal`);
}
