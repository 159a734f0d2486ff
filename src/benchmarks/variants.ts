// Strategies as a study names them: each by its name, and variants with options of their own after colons:
//   single,random,beam:width=2:paper,beam:candidates=9,7,5,4,3,2,random:rollout=preview:5
// A part that begins with a digit belongs to the one before it. The name of a variant is what was written.

import { UsageError } from '../core/errors.js';
import { checkOptions, type Option, type OptionValues } from '../core/options.js';
import { findStrategy, isStrategyName, STRATEGIES, type StrategyName } from '../search/registry.js';
import { listOf } from './options.js';

/** A strategy with options of its own. */
export interface Variant {
  readonly label: string;
  readonly strategy: StrategyName;
  readonly sizes: OptionValues;
  /** Whether its sizes are given, so that no budget decides about them. */
  readonly fixed: boolean;
}

/** What one gets without a search. */
export const SINGLE = 'single';

/** Options that say how large a search is. */
const BY_BUDGET: readonly string[] = ['images', 'candidates', 'rounds', 'particles', 'budget'];

/** The variants of a list; a UsageError that says what of it cannot be. */
export function parseVariants(text: string): readonly Variant[] {
  // A list of numbers has commas too.
  return listOf(text, 'strategies', /,(?!\s*\d)/).map(parseVariant);
}

function parseVariant(label: string): Variant {
  const [name = '', ...parts] = label.split(':').map((part) => part.trim());
  if (name === SINGLE && parts.length === 0) {
    return { label, strategy: 'random', sizes: { images: 1 }, fixed: true };
  }
  if (!isStrategyName(name)) {
    const known = [SINGLE, ...STRATEGIES.map((each) => each.name)].join(', ');
    throw new UsageError(`there is no strategy '${name}': there are ${known}`);
  }
  const strategy = findStrategy(name);
  const given: [string, string][] = [];
  for (const part of parts) {
    const [, option = '', value] = /^([A-Za-z]+)(?:=(.*))?$/s.exec(part) ?? [];
    const before = given.at(-1);
    if (option !== '' && (value !== undefined || Object.hasOwn(strategy.options, option))) {
      given.push([option, value ?? 'true']);
    } else if (before) {
      before[1] = `${before[1]}:${part}`;
    } else {
      throw new UsageError(`the strategy '${label}' has an option '${part}': write it as name=value`);
    }
  }
  const sizes = Object.fromEntries(
    given.map(([option, value]) => [option, read(value, strategy.options[option])]),
  );
  checkOptions(sizes, strategy.options, { whose: `the strategy '${name}'` });
  const fixed = Object.keys(sizes).some((option) => BY_BUDGET.includes(option));
  return { label, strategy: name, sizes, fixed };
}

/** A value as it is written on a command line; what it may be is the table's to say. */
function read(text: string, option: Option | undefined): unknown {
  const numberOf = (part: string): unknown => (part.trim() === '' ? part : Number(part));
  switch (option?.kind) {
    case 'number':
    case 'whole':
      return numberOf(text);
    case 'numbers':
    case 'wholes':
    case 'list':
      return text.includes(',') ? text.split(',').map(numberOf) : numberOf(text);
    case 'switch':
      return text === 'true' ? true : text === 'false' ? false : text;
    default:
      return text;
  }
}
