// Checkpoints of training scripts have a model's tensors below others: under `module.` (DataParallel), `state_dict.`,
// `trainer.gpt_fsdp.` and the like. They are read where it is plain what is meant.

import { CheckpointError } from '../../core/errors.js';
import { quoteName, type TensorSource, withPrefix } from './tensor-source.js';

/** What wrappers of a whole model and training scripts call it, one within the other. */
const PLAIN =
  /^(?:(?:module|_orig_mod|_fsdp_wrapped_module|state_dict|model_state_dict|model|net|network|params|weights|ema|model_ema|ema_model|params_ema)\.)+$/;

/** Whose tensors are looked for. */
export interface Wanted {
  /** Tensors of which the model has one at least. */
  readonly marks: readonly string[];
  /** Prefixes that the model's official code takes out, whatever else is there. */
  readonly official?: readonly string[];
}

/**
 * The tensors of a model under its own names, wherever in the file they are; the source itself where it has none of the marks.
 * Closing it closes the source. Throws a CheckpointError that names the prefixes where it is not plain which is meant.
 */
export function unwrapped(source: TensorSource, { marks, official = [] }: Wanted): TensorSource {
  if (marks.some((mark) => source.has(mark))) return source;
  const prefixes = new Set<string>();
  for (const name of source.names) {
    const mark = marks.find((each) => name.endsWith(`.${each}`));
    if (mark !== undefined) prefixes.add(name.slice(0, -mark.length));
  }
  const [first, ...others] = prefixes;
  if (first === undefined) return source;
  const told = official.find((prefix) => prefixes.has(prefix));
  if (told !== undefined) return withPrefix(source, told);
  if (others.length === 0 && PLAIN.test(first)) return withPrefix(source, first);
  throw new CheckpointError(
    source.label,
    others.length === 0
      ? `has the tensors of this model under '${quoteName(first)}', among others: save them alone, without that prefix`
      : `has the tensors of this model ${prefixes.size} times, under ${listed([first, ...others])}: save those that are ` +
          'meant alone, without the prefix',
  );
}

function listed(prefixes: readonly string[]): string {
  const shown = prefixes.slice(0, 4).map((prefix) => `'${quoteName(prefix)}'`);
  return shown.join(' and ') + (prefixes.length > shown.length ? ' and more' : '');
}
