import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { checkpointHashes, presentHashes } from './hash.js';

const folder = mkdtempSync(join(tmpdir(), 'varsearch-hash-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

it('hashes a checkpoint, an index with every shard that it names, and nothing else of the folder', async () => {
  mkdirSync(join(folder, '.cache', 'huggingface'), { recursive: true });
  const [one, two] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const text = JSON.stringify({ weight_map: { b: two, a: one, c: two } });
  const index = write('model.safetensors.index.json', text);
  write(one, 'first');
  write(two, 'second');
  write('stray.safetensors', 'stray');
  expect(await checkpointHashes('weights', index)).toEqual({
    weights: sha256(text),
    [`weights/${one}`]: sha256('first'),
    [`weights/${two}`]: sha256('second'),
  });
  expect(await checkpointHashes('weights', join(folder, one))).toEqual({ weights: sha256('first') });
});

it('hashes optional files where they are', async () => {
  const config = write('config.json', '{}');
  expect(await presentHashes({ config, tokenizer: join(folder, 'absent.json') })).toEqual({
    config: sha256('{}'),
  });
});
