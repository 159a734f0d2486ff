import { expect, it } from 'vitest';

import { builtInCatalogs } from '../engine/catalogs.js';
import type { OpenOptions } from '../engine/options.js';
import { checkPlans } from './plan.js';

it('of a model that is not loaded counts keys and values in the precision that is asked for', async () => {
  const catalogs = await builtInCatalogs();
  const searches = [{ strategy: 'random', images: 1 }] as const;
  const check = (open: OpenOptions, modelOptions = {}): void => {
    checkPlans(
      { model: 'infinity-2b', verifier: 'clip-score-l14', memory: '4GB', ...open },
      { modelOptions, searches },
      catalogs,
    );
  };
  expect(() => check({})).toThrow(/holds 10\.4GB at once at least/);
  expect(() => check({ precision: 'int8' })).not.toThrow();
  expect(() => check({ precision: 'int8', memory: '3GB' })).toThrow(/holds 3\.9GB at once at least/);
  // As a recipe has it.
  expect(() => check({}, { precision: 'int8' })).not.toThrow();
});
