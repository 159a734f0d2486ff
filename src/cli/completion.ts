// Completion for shells: the commands and flags of the program as data, and a script for each shell made of it.

import type { Command, Option as Flag } from 'commander';

/** What may stand after a flag, or as an argument. */
type Value =
  /** Words; `list` where several may stand there, parted by commas. */
  | { readonly kind: 'words'; readonly words: readonly string[]; readonly list?: true }
  | { readonly kind: 'folder' | 'file' | 'any' };

interface CompletedFlag {
  /** With their dashes. */
  readonly names: readonly string[];
  readonly words: string;
  /** null for switches. */
  readonly value: Value | null;
}

interface CompletedCommand {
  readonly name: string;
  readonly words: string;
  readonly flags: readonly CompletedFlag[];
  /** Of its arguments; null where it has none. */
  readonly value: Value | null;
}

/** Values that are known from elsewhere, by the names of options, and of arguments as 'command argument'. */
export type KnownValues = Readonly<Record<string, readonly string[]>>;

const BY_PLACEHOLDER: Readonly<Record<string, 'folder' | 'file'>> = {
  dir: 'folder',
  dirs: 'folder',
  file: 'file',
  image: 'file',
};

/** What stands for a list with commas in help. */
const NAMES = 'names';

function valueOf(placeholder: string, words: readonly string[] | undefined): Value {
  if (words) return { kind: 'words', words, ...(placeholder === NAMES ? { list: true } : {}) };
  return { kind: BY_PLACEHOLDER[placeholder] ?? 'any' };
}

function flagOf(flag: Flag, known: KnownValues): CompletedFlag {
  const names = [flag.short, flag.long].filter((name) => name !== undefined);
  const placeholder = /[<[]([^>\].]+)/.exec(flag.flags)?.[1] ?? '';
  const takes = flag.required || flag.optional;
  const words = flag.argChoices ?? known[flag.attributeName()];
  return { names, words: flag.description, value: takes ? valueOf(placeholder, words) : null };
}

/** The commands of a program with what may follow each. */
export function completionOf(program: Command, known: KnownValues): readonly CompletedCommand[] {
  const help = program.createHelp();
  return help.visibleCommands(program).map((command) => {
    const name = command.name();
    const [argument] = command.registeredArguments;
    return {
      name,
      words: command.description(),
      flags: help.visibleOptions(command).map((flag) => flagOf(flag, known)),
      value: argument
        ? valueOf(argument.name(), argument.argChoices ?? known[`${name} ${argument.name()}`])
        : null,
    };
  });
}

/** A text within single quotes of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const bashReply = (value: Value): string => {
  switch (value.kind) {
    case 'words': {
      const words = `-W ${quoted(value.words.join(' '))}`;
      return value.list ? `_varsearch_list ${words}` : `COMPREPLY=($(compgen ${words} -- "$cur"))`;
    }
    case 'folder':
      return 'COMPREPLY=($(compgen -d -- "$cur"))';
    case 'file':
    case 'any':
      return 'COMPREPLY=($(compgen -f -- "$cur"))';
  }
};

function bash(commands: readonly CompletedCommand[]): string {
  const after = commands.flatMap(({ name, flags }) =>
    flags.flatMap(({ names, value }) =>
      value
        ? [`    ${names.map((each) => quoted(`${name} ${each}`)).join('|')}) ${bashReply(value)} ;;`]
        : [],
    ),
  );
  const of = commands.map(({ name, flags, value }) => {
    const names = flags.flatMap((flag) => flag.names);
    const rest = value ? `; else ${bashReply(value)}` : '';
    const offered = bashReply({ kind: 'words', words: names });
    return `    ${name}) if [[ $cur == -* ]]; then ${offered}${rest}; fi ;;`;
  });
  const names = bashReply({ kind: 'words', words: commands.map(({ name }) => name) });
  return `# bash completion of varsearch: put  eval "$(varsearch completion bash)"  into ~/.bashrc
# The last of names with commas; no space follows it, since another comma may.
_varsearch_list() {
  local last="\${cur##*,}"
  COMPREPLY=($(compgen -P "\${cur%"$last"}" "$@" -- "$last"))
  compopt -o nospace 2>/dev/null
}
_varsearch() {
  local cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then ${names}; return; fi
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD - 1]}" in
${after.join('\n')}
    *) case "\${COMP_WORDS[1]}" in
${of.join('\n')}
    esac ;;
  esac
}
complete -o filenames -F _varsearch varsearch
`;
}

const zshText = (text: string): string => text.replace(/[[\]:\\]/g, (mark) => `\\${mark}`);

function zshAction(value: Value): string {
  switch (value.kind) {
    case 'words':
      return value.list ? `_values -s , name ${value.words.join(' ')}` : `(${value.words.join(' ')})`;
    case 'folder':
      return '_files -/';
    case 'file':
      return '_files';
    case 'any':
      return ' ';
  }
}

function zsh(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, flags, value }) => {
    const lines = flags.flatMap(({ names, words, value: own }) =>
      names.map((flag) => quoted(`*${flag}[${zshText(words)}]${own ? `:value:${zshAction(own)}` : ''}`)),
    );
    const rest = value ? [quoted(`*:argument:${zshAction(value)}`)] : [];
    return `    ${name}) _arguments ${[...lines, ...rest].join(' \\\n      ')} ;;`;
  });
  const names = commands.map(({ name, words }) => quoted(`${name}:${zshText(words)}`));
  return `#compdef varsearch
# zsh completion of varsearch: put  eval "$(varsearch completion zsh)"  into ~/.zshrc, after compinit
_varsearch() {
  if ((CURRENT == 2)); then
    local -a commands=(
      ${names.join('\n      ')}
    )
    _describe command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join('\n')}
  esac
}
compdef _varsearch varsearch
`;
}

function fishValue(value: Value | null): string {
  if (!value) return '-f';
  switch (value.kind) {
    case 'words': {
      const list = `(__fish_complete_list , "string split , ${value.words.join(',')}")`;
      return `-x -a ${quoted(value.list ? list : value.words.join(' '))}`;
    }
    case 'folder':
      return `-x -a ${quoted('(__fish_complete_directories)')}`;
    case 'file':
      return '-r -F';
    case 'any':
      return '-x';
  }
}

function fish(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, words, flags, value }) => {
    const within = `complete -c varsearch -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      `complete -c varsearch -n __fish_use_subcommand -f -a ${name} -d ${quoted(words)}`,
      `${within} ${value?.kind === 'file' ? '-F' : '-f'}${value?.kind === 'words' ? ` -a ${quoted(value.words.join(' '))}` : ''}`,
      ...flags.map(({ names, words: text, value: own }) => {
        const called = names.map((each) =>
          each.startsWith('--') ? `-l ${each.slice(2)}` : `-s ${each.slice(1)}`,
        );
        return `${within} ${called.join(' ')} ${fishValue(own)} -d ${quoted(text)}`;
      }),
    ];
  });
  return `# fish completion of varsearch: varsearch completion fish > ~/.config/fish/completions/varsearch.fish
${lines.join('\n')}
`;
}

/** The scripts by shell. */
export const SHELLS: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash,
  zsh,
  fish,
};
