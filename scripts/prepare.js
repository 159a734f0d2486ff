// What npm runs after `npm ci` in a clone, and before it packs: compiles the sources, and makes the engine's package fit to be
// bundled. In plain JavaScript, since it has to run where the developers' tools were left out (`npm ci --omit=dev`).

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENGINE = join(root, 'node_modules', 'onnxruntime-node', 'package.json');

/**
 * Takes its install script out of the engine's package, and the packages that this script alone needs: it fetches libraries
 * for CUDA, which we never load, from a host that many machines cannot reach, and npm then fails as a whole.
 */
function quietEngine() {
  if (!existsSync(ENGINE)) return;
  const { scripts, devDependencies: _, ...engine } = JSON.parse(readFileSync(ENGINE, 'utf8'));
  if (scripts === undefined) return;
  const common = engine.dependencies['onnxruntime-common'];
  const quiet = { ...engine, dependencies: { 'onnxruntime-common': common } };
  // Under a new name first: the file may be shared with other folders, and npm sees by the folder's date that it is new.
  writeFileSync(`${ENGINE}.new`, `${JSON.stringify(quiet, null, 2)}\n`);
  renameSync(`${ENGINE}.new`, ENGINE);
}

/** The compiler, where it is installed. */
function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}

function build() {
  const compiler = findCompiler();
  if (compiler === undefined) {
    const state = existsSync(join(root, 'dist', 'src', 'index.js'))
      ? 'dist/ stays as it is'
      : "there is no dist/ to run: 'npm ci' with the developers' tools makes it";
    console.error(
      `varsearch: TypeScript is not installed (as with --omit=dev), so nothing is compiled; ${state}`,
    );
    return;
  }
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
}

quietEngine();
build();
