// The catalogues of this package and the runtime, with all that they bring: loaded when a name has to be looked up.

import { findModel, modelIn, MODELS } from '../models/catalog.js';
import { createRuntime } from '../runtime/index.js';
import { clipIn, findVerifier, VERIFIERS } from '../verifiers/catalog.js';
import type { Catalogs } from './catalogs.js';

/** The built-in catalogues. */
export const BUILT_IN: Catalogs = {
  models: MODELS,
  verifiers: VERIFIERS,
  findModel,
  findVerifier,
  modelIn,
  clipIn,
  createRuntime,
};
