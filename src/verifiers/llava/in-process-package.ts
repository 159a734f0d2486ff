// Whether the package that runs LLaVA is installed, and in a version whose interface is the one that we use. It is no peer with a
// range of versions in package.json: npm would then install neither beside a project's own older Transformers.js.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The package; its version 4.3.1 brings the same engine as varsearch. */
const LLAVA_PACKAGE = '@huggingface/transformers';
/** What mends a fault. */
export const INSTALL_LLAVA = `run 'npm install ${LLAVA_PACKAGE}@4.3.1'`;

/** The package as a module finds it, and what is wrong with it, or undefined where nothing is. */
export function packageFault(from: string): string | undefined {
  let entry: string;
  try {
    entry = createRequire(from).resolve(LLAVA_PACKAGE);
  } catch {
    return `${LLAVA_PACKAGE}, which is not installed`;
  }
  const version = versionAbove(entry);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 4 && minor >= 3
    ? undefined
    : `${LLAVA_PACKAGE} in version 4.3 or a newer 4, and ${version} is installed`;
}

/** The version of the package that a file belongs to. */
function versionAbove(path: string): string {
  const folder = dirname(path);
  if (folder === path) return 'unknown';
  try {
    const file = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
    if (file['name'] === LLAVA_PACKAGE) return String(file['version']);
  } catch {
    // No readable package.json here: the folder above may have it.
  }
  return versionAbove(folder);
}
