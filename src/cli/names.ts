// Names that people bring along from other programs, and the names of options as they were typed.

import { BENCH_ONLY } from '../benchmarks/options.js';
import type { OptionTable } from '../core/options.js';
import { flagOf } from '../core/options.js';
import { OPEN_OPTIONS } from '../engine/options.js';
import { MODEL_OPTIONS } from '../models/options.js';
import {
  COMPARE_MODELS,
  COMPARE_ONLY,
  OPTION_NAMES,
  PICTURE_OPTIONS,
  STRATEGY_OPTION,
} from '../run/options.js';
import { REPLAY_OPTION_NAMES } from '../run/replay.js';
import { SCORE_OPTIONS } from '../score/options.js';
import { SEARCH_OPTIONS } from '../search/registry.js';

/**
 * Flags of other programs that mean nearly what one of ours does: who types them is told which. What means the same is an alias in
 * the option's own table, and is understood.
 */
const NEAR: Readonly<Record<string, string>> = {
  '--guidance-scale': '--cfg (guidance of an Infinity), or --guidance (what was distilled into a FLUX)',
  '--num-images': '--images, the pictures that random search draws and chooses from',
  '--num-images-per-prompt': '--images, the pictures that random search draws and chooses from',
  '--n-samples': '--images, the pictures that random search draws and chooses from',
  '-n': '--images, the pictures that random search draws and chooses from',
  '--batch-size':
    '--images, the pictures that random search draws and chooses from; batches follow from --memory',
  '--height': '--size, such as 1024x768 (width x height)',
  '--resolution': '--size, such as 1024x1024',
  '--save-file': '--out, a folder',
  '--output': '--out, a folder',
  '--prompt': 'the prompt itself, in quotes and without a flag',
  '--report': '--hold-out, which it is called now',
  '--reward': '--verifier',
  '--beam-width': '--width, the beams that are kept',
  '--num-beams': '--width, the beams that are kept',
  '--device': "nothing here: the engine's threads are --threads",
};

/** The flag of ours that is near one of another program; null where there is none. */
export function nearFlag(typed: string): string | null {
  const name = typed.replace(/=.*$/s, '').replaceAll('_', '-');
  return Object.hasOwn(NEAR, name) ? (NEAR[name] ?? null) : null;
}

const TABLES: OptionTable = {
  ...OPEN_OPTIONS,
  ...PICTURE_OPTIONS,
  ...STRATEGY_OPTION,
  ...SEARCH_OPTIONS,
  ...COMPARE_ONLY,
  ...COMPARE_MODELS,
  ...SCORE_OPTIONS,
  ...MODEL_OPTIONS,
};

const KNOWN: readonly string[] = [
  ...OPTION_NAMES,
  ...Object.keys(BENCH_ONLY),
  ...Object.keys(TABLES),
  ...REPLAY_OPTION_NAMES,
];

/** What somebody has typed: the words of a command line, and which arguments its command has that are no flags. */
export interface Typed {
  readonly words: readonly string[];
  readonly positional: readonly string[];
}

/** An option under the name by which it was typed; null for what is no option. */
function nameOf(option: string, { words, positional }: Typed): string | null {
  if (!KNOWN.includes(option)) return null;
  if (positional.includes(option)) return `the ${option}`;
  const typed = new Set(words.map((word) => word.replace(/=.*$/s, '')));
  const alias = TABLES[option]?.aliases?.find(({ name }) => typed.has(`--${name}`));
  return alias ? `--${alias.name}` : flagOf(option);
}

/** Messages of the library name its options; who types commands knows them as flags. */
export function withFlags(message: string, typed: Typed): string {
  return message.replace(
    /(?:(?:the )?options? )?'([A-Za-z]+)'/g,
    (quoted, name: string) => nameOf(name, typed) ?? quoted,
  );
}
