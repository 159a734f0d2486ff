// The options of all models of this package in one table, for flags, types and words: which of them a model takes, and what
// their values may be, is the model's own table's to say.

import { numbers, text } from '../core/options.js';
import { FLUX_OPTIONS } from './flux/options.js';
import { INFINITY_OPTIONS } from './infinity/options.js';

/** Every option that some model takes; what several take is worded for all of them. */
export const MODEL_OPTIONS = {
  ...INFINITY_OPTIONS,
  ...FLUX_OPTIONS,
  cfg: numbers(
    'guidance against the empty prompt, one number, or of an Infinity one per scale: 4 or 4,3,3; 1 is off',
    () => true,
    'a number',
    { usual: "the model's", aliases: [{ name: 'true-cfg-scale' }, { name: 'cfg-scale' }] },
  ),
  size: text(
    'picture size: width x height in pixels such as 1024x768, or of an Infinity 0.06M, 0.25M, 0.60M or 1M',
    'the name of a size, or a width and a height such as 1024x768',
    { usual: "the model's", placeholder: 'size', aliases: [{ name: 'pn' }] },
  ),
};
