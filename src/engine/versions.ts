// Which program made a result: our version, Node.js, the engine's, and the machine's kind.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { arch, platform, versions as nodeVersions } from 'node:process';

import { packageRoot } from '../core/assets.js';
import type { Device } from '../runtime/index.js';

/** Versions of what takes part in a run, by name. */
export type Versions = Readonly<Record<string, string>>;

interface PackageFile {
  readonly name?: unknown;
  readonly version?: unknown;
}

/** The version in the nearest package.json of that name, from a folder upwards; 'unknown' without one. */
function packageVersion(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    try {
      const file = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageFile;
      if (file.name === name && typeof file.version === 'string') return file.version;
    } catch {
      // No readable package.json here: the folder above may have it.
    }
    if (folder === dirname(folder)) return 'unknown';
  }
}

function dependencyVersion(name: string): string {
  try {
    return packageVersion(name, dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return 'not installed';
  }
}

/** The version of this package. */
export const VERSION: string = packageVersion('varsearch', packageRoot());

/** The versions that a result records, and what computed it where that was not the CPU: sums come out otherwise there. */
export function readVersions(device: Device = 'cpu'): Versions {
  return {
    varsearch: VERSION,
    node: nodeVersions.node,
    'onnxruntime-node': dependencyVersion('onnxruntime-node'),
    platform: `${platform}-${arch}`,
    ...(device === 'cpu' ? {} : { device }),
  };
}
