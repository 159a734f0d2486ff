import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { CheckpointError } from '../src/core/errors.js';
import { fileHash } from '../src/core/hash.js';
import { CONFIG_LIMITS, readJsonFile } from '../src/core/json-file.js';
import { openRegularFile } from '../src/core/regular-file.js';
import { loadTokenizer } from '../src/models/tokenizer.js';
import { openWeights, writeSafetensors } from '../src/runtime/weights/index.js';

const folder = mkdtempSync(join(tmpdir(), 'varsearch-regular-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function pipe(name: string): string {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  return path;
}

describe.skipIf(process.platform === 'win32')('a named pipe', () => {
  it('is no checkpoint, alone or as a shard', () => {
    const path = pipe('transformer.pth');
    expect(() => openWeights(path)).toThrow(CheckpointError);
    expect(() => openWeights(path)).toThrow(`${path}: is a named pipe, not a regular file`);
    const link = join(folder, 'vae.pth');
    symlinkSync(path, link);
    expect(() => openWeights(link)).toThrow('is a named pipe');

    const index = join(folder, 'model.safetensors.index.json');
    writeSafetensors(join(folder, 'one.safetensors'), {
      a: { dtype: 'F32', shape: [1], data: new Float32Array(1) },
    });
    writeFileSync(index, JSON.stringify({ weight_map: { a: 'one.safetensors', b: 'two.safetensors' } }));
    pipe('two.safetensors');
    expect(() => openWeights(index)).toThrow('two.safetensors: is a named pipe');
    rmSync(index);
    pipe('model.safetensors.index.json');
    expect(() => openWeights(index)).toThrow('index.json: is a named pipe');
  });

  it('is no configuration and no tokenizer, and has no hash', async () => {
    const path = pipe('config.json');
    expect(() => readJsonFile(path)).toThrow('config.json: is a named pipe');
    const tokenizer = pipe('tokenizer.json');
    expect(() => loadTokenizer(folder)).toThrow('tokenizer.json: is a named pipe');
    await expect(fileHash(tokenizer)).rejects.toThrow('is a named pipe');
  });

  it.skipIf(!existsSync('/dev/zero'))('nor is a device or a folder', () => {
    expect(() => openWeights('/dev/zero')).toThrow('/dev/zero: is a device, not a regular file');
    expect(() => readJsonFile('/dev/zero')).toThrow('is a device');
    expect(() => readJsonFile(folder)).toThrow('is a folder');
    expect(() => openRegularFile(folder)).toThrow(CheckpointError);
  });
});

describe('a JSON file', () => {
  const path = join(folder, 'large.json');

  it('of absurd size is not read', () => {
    writeFileSync(path, '{}');
    truncateSync(path, 2 ** 40);
    expect(() => readJsonFile(path)).toThrow(
      `has ${2 ** 40} bytes: such a file has at most ${CONFIG_LIMITS.bytes}`,
    );
  });

  it('of absurd depth or many values is not parsed', () => {
    const limits = { bytes: 1000, depth: 3, values: 10 };
    const read = (text: string) => () => {
      writeFileSync(path, text);
      return readJsonFile(path, '', limits);
    };
    expect(read('{"a":{"b":[1]}}')()).toEqual({ a: { b: [1] } });
    expect(read('{"a":{"b":[[]]}}')).toThrow('large.json: is nested deeper than 3 levels');
    expect(read(`{"a":[${'1,'.repeat(9)}1]}`)).toThrow('holds more than 10 values');
    // What stands in strings does not count, whatever quotes and backslashes are there.
    expect(read(`{"a":"${'[,{'.repeat(20)}\\"[,[,[,[,\\\\"}`)()).toEqual({
      a: '[,{'.repeat(20) + '"[,[,[,[,\\',
    });
    expect(read('{"a":"')).toThrow('is not valid JSON');
  });
});
