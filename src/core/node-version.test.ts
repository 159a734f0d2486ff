import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { packageRoot } from './assets.js';
import { NEEDED_NODE, nodeFault } from './node-version.js';

describe('the version of Node.js', () => {
  it('is the one of package.json', () => {
    const { engines } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
      readonly engines: { readonly node: string };
    };
    expect(engines.node).toBe(`>=${NEEDED_NODE}`);
  });

  it.each(['20.10.0', '20.19.1', '22.0.0', '26.9.0', '100.1.0', process.versions.node])(
    'can be %s',
    (version) => {
      expect(nodeFault(version)).toBeUndefined();
    },
  );

  it.each(['18.20.4', '20.9.1', '16.0.0'])('cannot be %s, in one line', (version) => {
    expect(nodeFault(version)).toBe(
      `varsearch needs Node.js 20.10 or newer, and this is ${version}: install a newer one (nodejs.org)`,
    );
  });
});
