import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CheckpointError } from '../../core/errors.js';
import { describeSource, expectedTensors, fixturePath } from './fixtures/fixtures.js';
import { openWeights } from './open-weights.js';
import { writeSafetensors } from './safetensors-writer.js';
import { withPrefix } from './tensor-source.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'varsearch-weights-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A fresh folder with the given files. */
function makeFolder(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}

const one = (value: number) =>
  ({ a: { dtype: 'F32', shape: [1], data: new Float32Array([value]) } }) as const;

describe('openWeights', () => {
  it('recognises files by their content, whatever their name', () => {
    const path = makeFolder('names', {});
    cpSync(fixturePath('dtypes.pth'), join(path, 'x.weights'));
    cpSync(fixturePath('dtypes.safetensors'), join(path, 'y.weights'));
    for (const file of ['x.weights', 'y.weights']) {
      const source = openWeights(join(path, file));
      expect(source.read('BF16')[1]).toBe(-2.5);
      source.close();
    }
  });

  it('joins the shards of a folder', () => {
    const source = openWeights(fixturePath('sharded'));
    expect(describeSource(source)).toEqual(expectedTensors('sharded'));
    source.close();
    expect(() => source.read('F32')).toThrow(CheckpointError);
  });

  it('prefers the well-known name, then takes the only checkpoint', () => {
    const path = makeFolder('choice', {});
    cpSync(fixturePath('lone.pt'), join(path, 'best.pth'));
    expect(openWeights(path).names).toEqual(['tensor']);
    writeSafetensors(join(path, 'model.safetensors'), one(1));
    expect(openWeights(path).names).toEqual(['a']);
  });

  it('shows a part of a checkpoint under shorter names', () => {
    const whole = openWeights(fixturePath('nested.pth'));
    const vae = withPrefix(whole, 'vae.');
    expect(vae.names).toContain('0.weight');
    expect(vae.has('list.0')).toBe(false);
    expect(vae.read('0.weight')).toEqual(whole.read('vae.0.weight'));
    vae.close();
    expect(() => whole.read('vae.0.weight')).toThrow('closed');
  });

  it.each([
    ['', 'is empty'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00\n', 'git lfs pull'],
    ['<!DOCTYPE html><html></html>', 'web page'],
    ['{"error": "not found"}', '.index.json'],
    ['GGUF\x03', 'GGUF'],
    ['hello world', 'neither safetensors nor a PyTorch checkpoint'],
  ])('says what a file is that is no checkpoint: %j', (content, fault) => {
    const path = join(folder, 'model.pth');
    writeFileSync(path, content);
    expect(() => openWeights(path)).toThrow(CheckpointError);
    expect(() => openWeights(path)).toThrow(fault);
    expect(() => openWeights(path)).toThrow(path);
  });

  it('names the remedy for files of the old PyTorch format', () => {
    expect(() => openWeights(fixturePath('legacy.pth'))).toThrow('torch.save(torch.load(');
  });

  it('says what is missing or ambiguous', () => {
    expect(() => openWeights(join(folder, 'absent.pth'))).toThrow('absent.pth: does not exist');
    expect(() => openWeights(makeFolder('nothing', { 'readme.md': '' }))).toThrow('holds no checkpoint');
    const two = makeFolder('two', { 'transformer.pth': '', 'vae.pth': '' });
    expect(() => openWeights(two)).toThrow('several checkpoints (transformer.pth, vae.pth): name one');
  });

  const index = (map: unknown): string => JSON.stringify({ weight_map: map });
  it.each([
    ['no map', '{}', 'no weight_map'],
    ['a path upwards', index({ a: '../one.safetensors' }), "no proper file for 'a'"],
    ['another index', index({ a: 'model.safetensors.index.json' }), "no proper file for 'a'"],
    ['a missing shard', index({ a: 'absent.safetensors' }), 'absent.safetensors: does not exist'],
    [
      'a tensor that the shard lacks',
      index({ a: 'one.safetensors', b: 'one.safetensors' }),
      "'b' is in one.safetensors",
    ],
    ['a tensor in two shards', index({ a: 'one.safetensors', b: 'two.safetensors' }), 'two.safetensors'],
    ['a name twice', '{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}', "'a' twice"],
  ])('refuses an index with %s', (name, text, fault) => {
    const path = makeFolder(name, { 'model.safetensors.index.json': text });
    writeSafetensors(join(path, 'one.safetensors'), one(1));
    writeSafetensors(join(path, 'two.safetensors'), { ...one(2), b: one(3).a });
    expect(() => openWeights(path)).toThrow(CheckpointError);
    expect(() => openWeights(path)).toThrow(fault);
  });

  it.skipIf(!existsSync('/proc/self/fd'))(
    'leaves no file open, neither after an error nor after closing',
    () => {
      const openFiles = (): number => readdirSync('/proc/self/fd').length;
      const before = openFiles();
      for (let i = 0; i < 20; i++) {
        openWeights(fixturePath('sharded')).close();
        openWeights(fixturePath('views.pth')).close();
        for (const bad of ['malicious.pth', 'legacy.pth', 'torchscript.pt']) {
          expect(() => openWeights(fixturePath(bad))).toThrow(CheckpointError);
        }
        expect(() => openWeights(folder)).toThrow(CheckpointError);
      }
      expect(openFiles()).toBeLessThan(before + 10);
    },
  );
});
