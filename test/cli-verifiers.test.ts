// varsearch verifiers: what there is, what it is good at, and what is missing.

import { describe, expect, it } from 'vitest';

import { builtInCatalogs } from '../src/engine/catalogs.js';
import { scoreBench } from './fakes/score-bench.js';

describe('varsearch verifiers', () => {
  it('prints a table, and what is missing of what is not installed', async () => {
    const { code, stdout, stderr } = await scoreBench().run('verifiers');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').slice(0, 5)).toEqual([
      '  name              state          size  licence     good at',
      '* clip-score        installed      none  Apache-2.0  colour',
      '  greenness         installed      none  Apache-2.0  colour',
      '  clip-score-large  installed      none  Apache-2.0  colour',
      '  absent            not installed  1 GB  Apache-2.0  colour',
    ]);
    expect(stdout).toContain('\nabsent: weights.pth is missing: put it there\n');
    expect(stdout).toContain('--verifier clip-dir --clip-dir FOLDER');
  });

  it('prints JSON', async () => {
    const { stdout } = await scoreBench().run('verifiers', '--json');
    const { format, verifiers } = JSON.parse(stdout) as { format: number; verifiers: { name: string }[] };
    expect([format, verifiers.length]).toEqual([1, 4]);
    expect(verifiers[0]).toEqual({
      name: 'clip-score',
      description: 'likes channel 0',
      goodAt: 'colour',
      licence: 'Apache-2.0',
      size: 'none',
      world: 'toybox',
      detectorLabels: false,
      installed: true,
      missing: null,
    });
    expect(verifiers[3]).toMatchObject({ installed: false, missing: 'weights.pth is missing: put it there' });
  });

  it('lists the built-in ones, the embedded CLIP ready for use', async () => {
    const catalogs = await builtInCatalogs();
    const { stdout } = await scoreBench({ catalogs }).run('verifiers');
    for (const { name, licence } of catalogs.verifiers) {
      expect(stdout).toMatch(new RegExp(`^[* ] ${name} .*${licence.replace(/[()]/g, '\\$&')}`, 'm'));
    }
    expect(stdout).toMatch(/^\* clip-score +installed +embedded/m);
  });
});
