import { describe, expect, it } from 'vitest';

import { checkImports } from './check-imports.js';
import { RULES, type Rules } from './import-rules.js';

function check(files: Record<string, string>, rules: Rules = RULES): string[] {
  return checkImports(new Map(Object.entries(files)), rules).map(
    ({ file, line, specifier, message }) => `${file}:${line} ${specifier} ${message}`,
  );
}

const NEIGHBOURS = {
  'src/core/a.ts': '',
  'src/runtime/engine.ts': '',
  'src/runtime/index.ts': '',
  'src/runtime/graph/index.ts': '',
  'src/runtime/graph/builder.ts': '',
  'src/models/contract.ts': '',
  'src/models/clip/clip.ts': '',
  'src/models/infinity/model.ts': '',
  'src/verifiers/contract.ts': '',
  'src/verifiers/oracle.ts': '',
  'src/search/beam.ts': '',
  'src/toybox/judge/judge.ts': '',
  'src/run/run.ts': '',
};

/** The folder of a file, which is its room here. */
const roomOf = (file: string): string => file.slice(0, file.lastIndexOf('/') + 1);

/** What the checker says of one line in a file among the neighbours. */
const say = (file: string, line: string): string[] => check({ ...NEIGHBOURS, [file]: line });

describe('the direction of imports', () => {
  it.each([
    ['src/runtime/new.ts', '../core/a.js'],
    ['src/models/infinity/new.ts', '../clip/clip.js'],
    ['src/verifiers/new.ts', '../models/clip/clip.js'],
    ['src/verifiers/oracle.ts', '../toybox/judge/judge.js'],
    ['src/search/new.ts', '../models/contract.js'],
    ['src/search/new.ts', '../verifiers/contract.js'],
    ['src/run/new.ts', '../search/beam.js'],
    ['src/cli/new.ts', '../run/run.js'],
    ['test/new.ts', '../src/run/run.js'],
    ['src/core/new.ts', 'node:fs'],
    ['src/search/new.test.ts', '../models/infinity/model.js'],
  ])('%s may import %s', (file, specifier) => {
    expect(say(file, `import { x } from '${specifier}';`)).toEqual([]);
  });

  it.each([
    ['src/core/new.ts', '../runtime/engine.js'],
    ['src/runtime/new.ts', '../models/contract.js'],
    ['src/models/new.ts', '../verifiers/contract.js'],
    ['src/models/new.ts', '../toybox/judge/judge.js'],
    ['src/verifiers/new.ts', '../models/infinity/model.js'],
    ['src/verifiers/new.ts', '../toybox/judge/judge.js'],
    ['src/search/new.ts', '../models/infinity/model.js'],
    ['src/search/new.ts', '../verifiers/oracle.js'],
    ['src/search/new.ts', '../runtime/engine.js'],
    ['src/toybox/world/new.ts', '../judge/judge.js'],
    ['src/toybox/judge/new.ts', '../../models/contract.js'],
    ['src/engine/new.ts', '../run/run.js'],
    ['src/run/new.ts', '../cli/main.js'],
  ])('%s may not import %s', (file, specifier) => {
    const faults = check({
      ...NEIGHBOURS,
      'src/cli/main.ts': '',
      [file]: `// a comment\nimport { x } from '${specifier}';`,
    });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(`${file}:2 ${specifier} ${roomOf(file)} may import`);
  });

  it.each([
    "import type { X } from '../cli/main.js';",
    "import '../cli/main.js';",
    "export { x } from '../cli/main.js';",
    "export type { X } from '../cli/main.js';",
    "const x = await import('../cli/main.js');",
    "let x: import('../cli/main.js').X;",
    "import {\n  x,\n} from '../cli/main.js';",
  ])('sees %s', (line) => {
    expect(check({ 'src/core/a.ts': line, 'src/cli/main.ts': '' })).toHaveLength(1);
  });

  it.each(["// import { x } from '../cli/main.js';", 'const text = "import x from \'../cli/main.js\'";'])(
    'does not take %s for an import',
    (line) => {
      expect(check({ 'src/core/a.ts': line, 'src/cli/main.ts': '' })).toEqual([]);
    },
  );
});

describe('the doors of a room', () => {
  it.each([
    ['src/models/new.ts', '../runtime/index.js'],
    ['src/models/clip/new.ts', '../../runtime/graph/index.js'],
    ['conformance/new.ts', '../src/runtime/index.js'],
    // From inside, and for tests.
    ['src/runtime/new.ts', './graph/builder.js'],
    ['src/models/new.test.ts', '../runtime/graph/builder.js'],
    ['test/fakes/new.ts', '../../src/runtime/graph/builder.js'],
    // A room without doors is open.
    ['src/verifiers/new.ts', '../models/clip/clip.js'],
  ])('let %s in at %s', (file, specifier) => {
    expect(say(file, `import { x } from '${specifier}';`)).toEqual([]);
  });

  it.each([
    ['src/models/clip/new.ts', '../../runtime/graph/builder.js'],
    ['src/models/new.ts', '../runtime/engine.js'],
    ['src/cli/new.ts', '../runtime/engine.js'],
    ['conformance/new.ts', '../src/runtime/engine.js'],
    ['bench/new.ts', '../src/runtime/engine.js'],
    ['training/new.ts', '../src/runtime/engine.js'],
  ])('do not let %s in at %s', (file, specifier) => {
    const faults = say(file, `import type { x } from '${specifier}';`);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(`${specifier} is no door of src/runtime/: src/runtime/index.ts, `);
  });
});

describe('other faults', () => {
  it('a package behind a gate, also one of its files', () => {
    const line = "import { Tensor } from 'onnxruntime-node';";
    expect(say('src/runtime/engine.ts', line)).toEqual([]);
    expect(say('src/runtime/new.ts', line)[0]).toMatch(
      'only src/runtime/engine.ts may import onnxruntime-node',
    );
    expect(say('src/runtime/new.ts', "import 'onnxruntime-node/dist/a.js';")).toHaveLength(1);
    expect(say('src/runtime/new.ts', "import 'onnxruntime-node-extras';")).toEqual([]);
  });

  it('a file that does not exist', () => {
    expect(say('src/core/b.ts', "import './c.js';")).toEqual(['src/core/b.ts:1 ./c.js does not exist']);
  });

  it('a source that imports a test', () => {
    const files = { 'src/core/a.ts': "import './b.test.js';", 'src/core/b.test.ts': '' };
    expect(check(files)).toEqual(['src/core/a.ts:1 ./b.test.js is a test: only tests may import it']);
  });

  it('a file in no room', () => {
    expect(check({ 'src/attic/a.ts': '' })).toEqual([
      'src/attic/a.ts:1 src/attic/a.ts is in no room of import-rules.ts',
    ]);
  });
});

describe('cycles', () => {
  it('names the way round, once', () => {
    const files = {
      'src/core/a.ts': "import './b.js';",
      'src/core/b.ts': "\nimport type { C } from './c.js';",
      'src/core/c.ts': "\n\nimport './a.js';\nimport './d.js';",
      'src/core/d.ts': '',
    };
    expect(check(files)).toEqual([
      'src/core/c.ts:3 ./a.js closes a cycle: src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts',
    ]);
  });

  it('sees a file that imports itself', () => {
    expect(check({ 'src/core/a.ts': "import './a.js';" })).toHaveLength(1);
  });

  it('does not take two ways to one file for a cycle', () => {
    const files = {
      'src/core/a.ts': "import './b.js';\nimport './c.js';",
      'src/core/b.ts': "import './d.js';",
      'src/core/c.ts': "import './d.js';",
      'src/core/d.ts': '',
    };
    expect(check(files)).toEqual([]);
  });
});
