// Where files lie: those that ship with the package, found from this module, so that it works from src and from dist; and
// those of models that the user has fetched.

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { VarsearchError } from './errors.js';

const PACKAGE_NAME = 'varsearch';
let root: string | undefined;

/** The folder of the installed package: the nearest one upwards with varsearch's own package.json. */
export function packageRoot(): string {
  root ??= findRoot(dirname(fileURLToPath(import.meta.url)));
  return root;
}

/** The path of a file or folder under assets/; it need not exist. */
export function assetPath(...parts: string[]): string {
  return join(packageRoot(), 'assets', ...parts);
}

/** The folder of models that are not embedded: VARSEARCH_MODELS, or .cache/varsearch/models in the user's home. */
export function modelsFolder(): string {
  return process.env['VARSEARCH_MODELS'] ?? join(homedir(), '.cache', 'varsearch', 'models');
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const found = JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: unknown };
      if (found.name === PACKAGE_NAME) return folder;
    }
    if (folder === dirname(folder)) {
      throw new VarsearchError(
        `no package.json of ${PACKAGE_NAME} above ${start}: the package is not installed whole (a bundler has to leave it out, as external)`,
      );
    }
  }
}
