// The command lines that make a result or a comparison again: every option written out, for a shell of any system where the prompt is plain.

import { flagOf, type OptionValues } from '../core/options.js';
import type { Catalogs } from '../engine/catalogs.js';
import { isStrategyName } from '../search/registry.js';
import { saidSizes } from '../search/sizes.js';
import type { Jury } from '../verifiers/jury.js';
import type { ComparedOptions, ResolvedOptions } from './options.js';

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

/** Who guides a search, and how; a jury that says no more has one judge, or what is usual. */
type Guide = Pick<Jury, 'judges'> & Partial<Jury>;

function flagsOfJury({ judges, observers = [], weights = [], rule = 'score' }: Guide): OptionValues {
  return {
    ...(judges.length > 0 ? { verifier: judges.join(',') } : {}),
    ...(rule === 'score' ? {} : { ensemble: rule, weights: weights.join(',') }),
    ...(observers.length > 0 ? { holdOut: observers.join(',') } : {}),
  };
}

type Known = Pick<Catalogs, 'models' | 'verifiers'>;

/** Whether a command line can name and type all of it. */
function canBeTyped(
  {
    prompt,
    models,
    jury: { judges, observers = [] },
  }: { prompt: string; models: readonly string[]; jury: Guide },
  known: Known,
): boolean {
  return (
    models.every((name) => isKnown(known.models, name)) &&
    [...judges, ...observers].every((name) => isKnown(known.verifiers, name)) &&
    // Control characters and line breaks cannot be typed.
    !/\p{Cc}/u.test(prompt)
  );
}

/** The command that generates what these options say; null where model, verifier or strategy are the caller's own. */
export function commandOf(
  options: Omit<ResolvedOptions, 'jury'> & { readonly jury: Guide },
  known: Known,
): string | null {
  const { prompt, model, modelOptions, jury, seed, search } = options;
  const { strategy, ...sizes } = search;
  if (!isStrategyName(strategy) || !canBeTyped({ prompt, models: [model], jury }, known)) return null;
  const values = { model, ...flagsOfJury(jury), strategy, ...saidSizes(sizes), ...modelOptions, seed };
  return ['varsearch generate', quote(prompt), ...flagsOf(values)].join(' ');
}

const BUDGETS = { NFE: 'budget', FLOPs: 'budgetFlops', seconds: 'budgetSeconds' } as const;

/** The command that compares what these options say; null where a model or a verifier is the caller's own. */
export function compareCommandOf(options: ComparedOptions, known: Known): string | null {
  const { prompt, models, several, jury, strategies, sizes, modelOptions, seed } = options;
  const { unit, most } = options.budget;
  if (!canBeTyped({ prompt, models, jury }, known)) return null;
  const values = {
    [several ? 'models' : 'model']: models.join(','),
    ...flagsOfJury(jury),
    [BUDGETS[unit]]: most,
    strategies: strategies.join(','),
    ...saidSizes(sizes),
    ...modelOptions,
    seed,
  };
  return ['varsearch compare', quote(prompt), ...flagsOf(values)].join(' ');
}
