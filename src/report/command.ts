// The command line that makes a result again: every option written out, for a shell of any system where the prompt is plain.

import { flagOf, type OptionValues } from '../core/options.js';
import type { Catalogs } from '../engine/catalogs.js';
import type { ResolvedOptions } from '../run/options.js';
import { isStrategyName } from '../search/registry.js';
import { saidSizes } from '../search/sizes.js';

/** Quotes that cmd.exe, PowerShell and POSIX shells read alike where nothing in the text is special to one; else POSIX ones. */
function quote(text: string): string {
  if (/^[\w.,:/@%+=-]+$/.test(text)) return text;
  return /^[\p{L}\p{N} .,;:()?/@+=_-]*$/u.test(text)
    ? `"${text}"`
    : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A value as its flag takes it; null where there is nothing to say. */
function valueOf(value: unknown): string | null {
  if (Array.isArray(value)) {
    const same = value.length > 0 && value.every((each) => each === value[0]);
    return same ? String(value[0]) : value.join(',');
  }
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  // What else an option may be is for programs.
  return null;
}

function flagsOf(values: OptionValues): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [flagOf(name)] : [];
    // A ratio that is a number is height over width; flags have width to height.
    const text = valueOf(name === 'aspectRatio' && typeof value === 'number' ? `1:${value}` : value);
    return text === null ? [] : [flagOf(name), quote(text)];
  });
}

const isKnown = (entries: readonly { readonly name: string }[], name: string): boolean =>
  entries.some((entry) => entry.name === name);

/** The command that generates what these options say; null where model, verifier or strategy are the caller's own. */
export function commandOf(
  { prompt, model, modelOptions, jury, seed, search }: ResolvedOptions,
  { models, verifiers }: Pick<Catalogs, 'models' | 'verifiers'>,
): string | null {
  const { judges, observers, weights, rule } = jury;
  const { strategy, ...sizes } = search;
  const ours =
    isStrategyName(strategy) &&
    isKnown(models, model) &&
    [...judges, ...observers].every((name) => isKnown(verifiers, name));
  // Control characters and line breaks cannot be typed.
  if (!ours || /\p{Cc}/u.test(prompt)) return null;
  const words = [
    'varsearch generate',
    quote(prompt),
    ...flagsOf({
      model,
      verifier: judges.join(','),
      ...(rule === 'score' ? {} : { ensemble: rule, weights: weights.join(',') }),
      ...(observers.length > 0 ? { holdOut: observers.join(',') } : {}),
      strategy,
      ...saidSizes(sizes),
      ...modelOptions,
      seed,
    }),
  ];
  return words.join(' ');
}
