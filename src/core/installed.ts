// Models and verifiers by name may lack their files: that is said before anything is loaded.

import { NotInstalledError } from './errors.js';

/** Something that can be asked for by name. */
interface Installable {
  readonly name: string;
  /** True, or what is missing and where it comes from, in one line. */
  installed(): true | string;
}

/** Throws a NotInstalledError that says what is missing when the files of a model or verifier are not there. */
export function requireInstalled(kind: 'model' | 'verifier', entry: Installable): void {
  const installed = entry.installed();
  if (installed !== true) {
    throw new NotInstalledError(`${kind} '${entry.name}' is not installed: ${installed}`);
  }
}
