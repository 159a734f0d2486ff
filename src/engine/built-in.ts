// The catalogues of this package and the runtime, with all that they bring: loaded together when a name has to be looked up.

export { findModel, modelIn, MODELS } from '../models/catalog.js';
export { createRuntime } from '../runtime/index.js';
export { clipIn, findVerifier, VERIFIERS } from '../verifiers/catalog.js';
