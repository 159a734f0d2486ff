// Whether models can be compared with each other: looked up by name, nothing is loaded.

import { UsageError } from '../core/errors.js';
import type { OptionValues } from '../core/options.js';
import { firstRepeated } from '../core/repeated.js';
import { type Catalogs, findWanted, type Wanted } from '../engine/catalogs.js';
import type { OpenOptions } from '../engine/options.js';

/**
 * What the models of a comparison and their judges are. Throws a UsageError where models are named twice, take none of the options,
 * or would be judged by different verifiers.
 */
export function findTogether(
  models: readonly OpenOptions[],
  modelOptions: OptionValues,
  catalogs: Catalogs,
): readonly Wanted[] {
  const wanted = models.map((each) => findWanted(each, catalogs));
  const twice = firstRepeated(wanted.map(({ model }) => model.name));
  if (twice !== undefined) {
    throw new UsageError(`two of the models are called '${twice}': compare models of different names`);
  }
  const idle = Object.keys(modelOptions).find((name) =>
    wanted.every(({ model }) => !Object.hasOwn(model.options, name)),
  );
  if (idle !== undefined) throw new UsageError(`none of the models takes the option '${idle}'`);
  const [first, ...others] = wanted.map(({ model, judges }) => {
    return { model: model.name, judges: judges.map(({ name }) => name).join(', ') };
  });
  const other = others.find(({ judges }) => judges !== first?.judges);
  if (!first || !other) return wanted;
  throw new UsageError(
    `where no verifier is named, ${first.model} is judged by ${first.judges} and ${other.model} by ${other.judges}, whose scores do not compare: ` +
      "name one for both by option 'verifier'",
  );
}
