// The groups of options in help, as data: which option is shown where.

import type { Option, OptionTable } from '../core/options.js';

/** Titles of groups, in no order: a group comes where its first option does. */
export const GROUPS = {
  search: 'Search:',
  picture: 'Picture:',
  model: 'Model:',
  judges: 'Judges:',
  ends: 'Time and memory:',
  compared: 'What is compared:',
  costs: 'Costs:',
  output: 'Output:',
  others: 'Options:',
} as const;

const MEMBERS: Readonly<Partial<Record<keyof typeof GROUPS, readonly string[]>>> = {
  model: ['model', 'modelDir', 'precision'],
  picture: [
    'seed',
    'size',
    'aspectRatio',
    'cfg',
    'temperature',
    'topK',
    'topP',
    'steps',
    'guidance',
    'shift',
    'solver',
  ],
  judges: ['verifier', 'ensemble', 'weights', 'clipDir', 'holdOut'],
  ends: ['time', 'stopAt', 'memory', 'threads', 'device'],
  compared: ['models', 'modelDirs', 'strategies', 'budget', 'budgetFlops', 'budgetSeconds'],
};

/** The options of a table, group by group; those of none come last, all in the order in which they are known. */
export function inGroups(table: OptionTable): readonly (readonly [name: string, option: Option])[] {
  const order = Object.values(MEMBERS).flat();
  const placeOf = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return Object.entries(table).sort(([a], [b]) => placeOf(a) - placeOf(b));
}

/** The title of the group that an option is shown in. */
export function groupOf(name: string): string {
  const found = Object.entries(MEMBERS).find(([, names]) => names.includes(name));
  return GROUPS[(found?.[0] ?? 'others') as keyof typeof GROUPS];
}
