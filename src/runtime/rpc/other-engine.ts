// Another version of ONNX Runtime beside ours. The system's loader takes the first library of a name for everybody in a process:
// whoever loads a second version fails, be it us or the host's own code. A process of its own keeps the two apart.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

import { packageRoot } from '../../core/assets.js';
import { RuntimeError } from '../../core/errors.js';
import { isError } from '../../core/realm.js';

/** The package that brings the library. */
const ENGINE = 'onnxruntime-node';
/** A package that brings versions of its own. */
const USER = '@huggingface/transformers';

/** An installed version. */
export interface OtherEngine {
  readonly version: string;
  /** Where it was found, for people. */
  readonly place: string;
}

const require = createRequire(import.meta.url);

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Not there, or not for us to read: nothing is known of it.
  }
}

function versionIn(folder: string): string | undefined {
  return /"version":\s*"([^"]+)"/.exec(readText(join(folder, 'package.json')) ?? '')?.[1];
}

/** The folder of our own engine; undefined where it is not installed. */
function ownFolder(): string | undefined {
  try {
    return dirname(require.resolve(`${ENGINE}/package.json`));
  } catch {
    return undefined;
  }
}

/** The version of our own engine. */
function ownVersion(): string | undefined {
  const folder = ownFolder();
  return folder === undefined ? undefined : versionIn(folder);
}

/** A folder and all above it. */
function upwards(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upwards(above)];
}

/** The `node_modules` that the host's code looks into: from the program, the working folder, and from where we are installed. */
function moduleFolders(): string[] {
  const starts = [
    process.argv[1] === undefined ? [] : dirname(process.argv[1]),
    process.cwd(),
    packageRoot(),
  ].flat();
  const folders = starts.flatMap(upwards).filter((folder) => basename(folder) !== 'node_modules');
  return [...new Set(folders)]
    .map((folder) => join(folder, 'node_modules'))
    .filter((path) => existsSync(path));
}

/** The engines in a `node_modules`: npm and pnpm keep lists; elsewhere it is looked for where it would be. */
function enginesIn(modules: string): OtherEngine[] {
  const list = readText(join(modules, '.package-lock.json'));
  if (list !== undefined) {
    const entries = list.matchAll(
      /"node_modules\/((?:[^"]+\/)?onnxruntime-node)":\s*\{\s*"version":\s*"([^"]+)"/g,
    );
    return Array.from(entries, ([, path = '', version = '']) => ({ version, place: join(modules, path) }));
  }
  const store = join(modules, '.pnpm');
  const stored = existsSync(store) ? readdirSync(store).filter((name) => name.startsWith(`${ENGINE}@`)) : [];
  const folders = [
    ...stored.map((name) => join(store, name, 'node_modules', ENGINE)),
    join(modules, ENGINE),
    join(modules, USER, 'node_modules', ENGINE),
  ];
  return folders.flatMap((place) => {
    const version = versionIn(place);
    return version === undefined ? [] : [{ version, place }];
  });
}

/** The libraries that this process has loaded: Linux tells all of them, elsewhere those of this thread's modules are known. */
function loadedEngines(): OtherEngine[] {
  const maps = process.platform === 'linux' ? readText('/proc/self/maps') : undefined;
  const paths = maps?.match(/\/.*onnxruntime.*/g) ?? Object.keys(require.cache);
  const folders = paths.flatMap((path) => /^(.*[\\/]onnxruntime-node)[\\/]bin[\\/]/.exec(path)?.[1] ?? []);
  return [...new Set(folders)].map((place) => ({ place, version: versionIn(place) ?? 'of another version' }));
}

/** Another version of the engine that this process has loaded or can load. */
export function findOtherEngine(): OtherEngine | undefined {
  const version = ownVersion();
  if (version === undefined) return undefined;
  return [...loadedEngines(), ...moduleFolders().flatMap(enginesIn)].find((each) => each.version !== version);
}

/** What the system says when a library of another version is there already. */
const CLASH = /version [`'"]?VERS_[\d.]+['"]? not found|The requested API version \[\d+\] is not available/;

/** The error of a thread, when it is that two versions of the engine clash, in words that say what to do. */
export function clashOf(cause: unknown): RuntimeError | undefined {
  if (!isError(cause) || !CLASH.test(cause.message)) return undefined;
  const other = findOtherEngine();
  const found = other === undefined ? 'another version' : `version ${other.version} (${other.place})`;
  return new RuntimeError(
    `this process has loaded ${found} of ${ENGINE}, and varsearch needs ${ownVersion() ?? 'its own'}: ` +
      'VARSEARCH_ENGINE=process keeps the two apart, or install one version of it',
    { cause },
  );
}
