// The JSON Schemas of what varsearch writes: they are those of today's types, and what runs write keeps to them.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { describe, expect, it } from 'vitest';

import { makeSchemas, type SchemaName, schemaPath, SCHEMAS } from '../scripts/schemas.js';
import { decodeWithRecipe, runBenchmark } from '../src/index.js';
import { fakeCatalogs } from './fakes/catalogs.js';
import { cliBench, temporaryFolder } from './fakes/cli.js';

const names = Object.keys(SCHEMAS) as SchemaName[];
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
for (const name of names) ajv.addSchema(readJson(schemaPath(name)) as object, name);

/** What a schema finds wrong with a value. */
function faults(schema: string, value: unknown): readonly ErrorObject[] {
  ajv.validate(schema, value);
  return ajv.errors ?? [];
}

/** A value of JSON with one of its members changed. */
const changed = (value: unknown, members: object): unknown => ({ ...(value as object), ...members });

describe('the schemas', () => {
  it('are those of the types: `npm run schemas` makes them anew', { timeout: 180_000 }, () => {
    const made = makeSchemas();
    expect([...made.keys()]).toEqual(names);
    for (const [name, text] of made) {
      expect([name, readFileSync(schemaPath(name), 'utf8')]).toEqual([name, text]);
    }
  });

  it.each([
    ['random', ['--strategy', 'random', '--images', '3', '--report', 'aesthetic']],
    ['gto', ['--strategy', 'gto', '--candidates', '2', '--rollout', 'preview:2']],
    ['beam', ['--width', '2', '--candidates', '2', '--verifier', 'clip-score,aesthetic', '--keep-elected']],
    ['zero-order', ['--strategy', 'zero-order', '--rounds', '2']],
    ['particles', ['--strategy', 'particles', '--particles', '4', '--stop-at', '-9']],
  ])('hold for result.json and the recipe of %s', async (strategy, words) => {
    const { run, folder } = cliBench();
    expect(await run('generate', 'red', '--out', 'a', '--quiet', ...words)).toMatchObject({ code: 0 });
    const result = readJson(join(folder, 'a', 'result.json')) as {
      readonly options: { readonly search: { readonly strategy: string } };
    };
    expect(faults('result', result)).toEqual([]);
    const { recipe } = await decodeWithRecipe(readFileSync(join(folder, 'a', 'picture.png')));
    expect(faults('recipe', recipe)).toEqual([]);
    // A strategy of one's own may have any sizes; one of these has its own and no others.
    const known = 'result#/definitions/ResolvedSearch';
    const { search } = result.options;
    expect([search.strategy, faults(known, search)]).toEqual([strategy, []]);
    expect(faults(known, changed(search, { size: 1 }))).not.toEqual([]);
  });

  it('hold for what an interrupted search leaves', async () => {
    const { run, folder } = cliBench({ interruptAt: 9 });
    expect(await run('generate', 'red', '--out', 'a', '--quiet')).toMatchObject({ code: 130 });
    const result = readJson(join(folder, 'a', 'result.json'));
    expect(result).toMatchObject({ incomplete: true });
    expect(faults('result', result)).toEqual([]);
  });

  it('hold for comparisons and scores, and refuse what is missing, unknown or of another kind', async () => {
    const { run, folder } = cliBench();
    const options = ['--budget', '60', '--quiet', '--json'];
    const printed = JSON.parse((await run('compare', 'red', ...options, '--out', 'a')).stdout) as object;
    const compared = readJson(join(folder, 'a', 'result.json'));
    // What is printed says besides where the files are.
    expect(printed).toEqual({ folder: join(folder, 'a'), ...(compared as object) });
    expect(faults('compare', compared)).toEqual([]);
    const sizes = ['--budget-flops', '2e9', '--strategies', 'random', 'beam'];
    await run('compare', 'red', '--models', 'toybox,flow', ...sizes, '--quiet', '--out', 'b');
    const models = readJson(join(folder, 'b', 'result.json'));
    expect(models).toMatchObject({ unit: 'FLOPs', skipped: [{ strategy: 'beam' }] });
    expect(faults('compare', models)).toEqual([]);
    const judges = ['--verifier', 'clip-score,aesthetic'];
    const scored = JSON.parse((await run('score', 'a/*/picture.png', ...judges, '--json')).stdout) as unknown;
    expect(scored).toMatchObject({ pictures: { length: 3 } });
    expect(faults('score', scored)).toEqual([]);

    for (const [schema, value] of [
      ['compare', compared],
      ['score', scored],
    ] as const) {
      expect(faults(schema, changed(value, { format: 3 }))).toMatchObject([{ keyword: 'const' }]);
      expect(faults(schema, changed(value, { format: undefined }))).toMatchObject([{ keyword: 'required' }]);
      expect(faults(schema, changed(value, { more: 1 }))).toMatchObject([
        { keyword: 'additionalProperties' },
      ]);
    }
    const { results } = compared as { readonly results: readonly unknown[] };
    expect(faults('result', results[0])).toEqual([]);
    const wrong = changed(results[0], { winner: '1' });
    expect(faults('result', wrong)).toMatchObject([{ instancePath: '/winner', keyword: 'type' }]);
  });

  it('hold for the manifest and the lines of benchmark runs', async () => {
    const out = temporaryFolder();
    const list = join(out, 'prompts.txt');
    writeFileSync(list, 'a cat\n');
    const lines = async (name: string, measure: 'quality' | 'speed'): Promise<readonly unknown[]> => {
      const strategies = 'single,random,beam';
      const options = { benchmark: list, out: join(out, measure), strategies, budgets: [40], measure };
      await runBenchmark({ ...options, verifiers: 'clip-score,coin' }, { catalogs: fakeCatalogs() }).result;
      expect(faults('benchmark-manifest', readJson(join(out, measure, 'manifest.json')))).toEqual([]);
      const text = readFileSync(join(out, measure, name), 'utf8').trim();
      return text.split('\n').map((line) => JSON.parse(line) as unknown);
    };
    const pictures = await lines('pictures.jsonl', 'quality');
    expect(pictures).toHaveLength(5);
    for (const line of pictures) expect(faults('benchmark-picture', line)).toEqual([]);
    const speed = await lines('speed.jsonl', 'speed');
    for (const line of speed) expect(faults('benchmark-speed', line)).toEqual([]);
    expect(faults('benchmark-speed', changed(speed[0], { id: 1 }))).toMatchObject([{ keyword: 'type' }]);
  });
});
