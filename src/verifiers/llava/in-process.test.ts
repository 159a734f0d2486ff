// The verifier as a whole: in its worker, with the tiny model. What the model computes is tested in in-process-model.test.ts.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createTinyLlavas, llavaConfig, rewrite } from '../../../test/fakes/tiny-llava.js';
import { greyPicture, patternPicture } from '../../../test/fixtures/pictures.js';
import { UsageError } from '../../core/errors.js';
import { Ledger } from '../../core/ledger.js';
import { describeVerifier, type VerifierCase } from '../verifier.suite.js';
import {
  checkPackage,
  isLlavaInstalled,
  type LlavaOptions,
  type LlavaVerifier,
  openLlava,
} from './in-process.js';

const { folder, changed, remove } = createTinyLlavas();
afterAll(remove);

const open = (options: Partial<LlavaOptions> = {}): Promise<LlavaVerifier> =>
  openLlava({ folder, threads: 1, ...options });

function fault(what: string, says: RegExp, change: (at: string) => void): VerifierCase['faults'][number] {
  return { what, says, open: () => open({ folder: changed(change) }) };
}

const missing = (file: string, says: RegExp): VerifierCase['faults'][number] =>
  fault(`no ${file}`, says, (at) => {
    rmSync(join(at, file));
  });

describeVerifier('llava in process', {
  open: () => open(),
  prompts: ['a red star', 'a blue cat, left of the ring'],
  pictures: [
    patternPicture(56, 56),
    patternPicture(48, 32, 3),
    greyPicture(32, 32, 200),
    patternPicture(64, 64, 5),
  ],
  faults: [
    {
      what: 'no folder',
      open: () => open({ folder: join(folder, 'nowhere') }),
      says: /nowhere: there is no such folder: .*hf download llava-hf/,
    },
    missing(
      'config.json',
      /config\.json: does not exist: it comes from llava-hf\/llava-onevision-qwen2-0\.5b/,
    ),
    missing('onnx/vision_encoder.onnx', /vision_encoder\.onnx: does not exist: .*hf download/),
    fault('the configuration of another model', /config\.json: is of a model of the type "clip"/, (at) => {
      rewrite(at, 'config.json', { ...llavaConfig(), model_type: 'clip' });
    }),
    fault('a truncated model', /decoder_model_merged\.onnx: cannot be loaded, fetch it again/, (at) => {
      truncateSync(join(at, 'onnx', 'decoder_model_merged.onnx'), 5000);
    }),
    fault('a web page', /vision_encoder\.onnx: cannot be loaded/, (at) => {
      rewrite(at, 'onnx/vision_encoder.onnx', '<html><body>not found</body></html>');
    }),
  ],
});

describe('llava in process', () => {
  let verifier: LlavaVerifier;
  beforeAll(async () => {
    verifier = await open();
  });
  afterAll(() => verifier.close());

  const scoreOf = async (from: LlavaVerifier, prompt = 'a red star'): Promise<number[]> => {
    const judge = await from.prepare(prompt, new Ledger());
    const scores = await judge.score([patternPicture(56, 56)]);
    judge.close();
    return scores;
  };

  it('leaves the event loop free while it runs', async () => {
    const judge = await verifier.prepare('a red star', new Ledger());
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await judge.score(Array.from({ length: 20 }, (_, n) => patternPicture(64, 64, n)));
    clearInterval(timer);
    judge.close();
    expect(ticks).toBeGreaterThan(5);
  });

  it('runs the image tower once for each picture, and forgets a prompt that is closed', async () => {
    const before = await verifier.stats();
    const judges = await Promise.all(['a', 'b'].map((prompt) => verifier.prepare(prompt, new Ledger())));
    expect((await verifier.stats()).prompts).toBe(before.prompts + 2);
    await judges[0]?.score([patternPicture(56, 56), greyPicture(20, 30)]);
    for (const judge of judges) judge.close();
    const { prompts, sessions, towerRuns } = await verifier.stats();
    expect(prompts).toBe(before.prompts);
    expect(sessions).toBe(3);
    expect(towerRuns).toBe(before.towerRuns + 2);
    await expect(judges[0]?.score([greyPicture(8, 8)])).rejects.toThrow(/prompt .* closed/);
  });

  it('stops at once when it is cancelled, with the pictures so far in the ledger', async () => {
    const ledger = new Ledger();
    const judge = await verifier.prepare('a red star', ledger);
    const controller = new AbortController();
    const pictures = Array.from({ length: 500 }, (_, n) => patternPicture(64, 64, n));
    const scoring = judge.score(pictures, { signal: controller.signal });
    await expect.poll(() => ledger.record().imagesVerified).toBeGreaterThan(0);
    controller.abort();
    const { imagesVerified } = ledger.record();
    await expect(scoring).rejects.toThrow(/aborted/);
    expect(ledger.record().imagesVerified).toBe(imagesVerified);
    expect(imagesVerified).toBeLessThan(500);
    judge.close();
  });

  it('asks the question that it is given', async () => {
    const other = await open({ question: 'Is {prompt} in here?' });
    const [usual, asked] = await Promise.all([verifier, other].map((each) => scoreOf(each)));
    await other.close();
    expect(asked).not.toEqual(usual);
    await expect(open({ question: 'Is it good?' })).rejects.toThrow(UsageError);
  });

  it('hands on the errors of the worker with their class', async () => {
    await expect(scoreOf(verifier, 'a star <|im_end|>')).rejects.toThrow(UsageError);
  });

  it('fails clearly after it has been closed, and may be closed twice', async () => {
    const other = await open();
    const judge = await other.prepare('a red star', new Ledger());
    await Promise.all([other.close(), other.close()]);
    judge.close();
    await expect(judge.score([greyPicture(8, 8)])).rejects.toThrow(/has been closed/);
  });

  it('refuses threads that cannot be', async () => {
    await expect(open({ threads: 0 })).rejects.toThrow(RangeError);
  });

  it('tells whether it is installed', () => {
    expect(isLlavaInstalled(folder)).toBe(true);
    const quantised = changed((at) => {
      renameSync(join(at, 'onnx', 'embed_tokens.onnx'), join(at, 'onnx', 'embed_tokens_quantized.onnx'));
    });
    expect(isLlavaInstalled(quantised)).toBe(true);
    const lacking = changed((at) => {
      rmSync(join(at, 'tokenizer.json'));
      rmSync(join(at, 'onnx', 'vision_encoder.onnx'));
    });
    expect(isLlavaInstalled(lacking)).toBe(
      `files are missing: ${lacking} lacks tokenizer.json, onnx/vision_encoder.onnx of ` +
        "llava-hf/llava-onevision-qwen2-0.5b-ov-hf (Hugging Face); 'varsearch pull llava' fetches them",
    );
  });

  it('names the package and the command when the package is not installed, or in a version of another interface', () => {
    expect(() => {
      checkPackage(pathToFileURL(join(tmpdir(), 'somewhere.js')).href);
    }).toThrow(/needs the package @huggingface\/transformers, .*'npm install @huggingface\/transformers@4/);
    const project = mkdtempSync(join(tmpdir(), 'varsearch-llava-'));
    const folder = join(project, 'node_modules', '@huggingface', 'transformers');
    mkdirSync(join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'dist', 'node.cjs'), '');
    const check = (version: string): void => {
      const file = { name: '@huggingface/transformers', version, main: 'dist/node.cjs' };
      writeFileSync(join(folder, 'package.json'), JSON.stringify(file));
      checkPackage(pathToFileURL(join(project, 'program.js')).href);
    };
    try {
      for (const version of ['3.8.1', '4.2.0', '5.0.0']) {
        expect(() => check(version)).toThrow(
          `in version 4.3 or a newer 4, and ${version} is installed: run 'npm`,
        );
      }
      for (const version of ['4.3.0', '4.10.2']) expect(() => check(version)).not.toThrow();
    } finally {
      rmSync(project, { recursive: true });
    }
  });
});

describe('a process with LLaVA in it', () => {
  /** Its exit code, and whether native code was torn down while it ran. */
  const program = (end: string): { status: number | null; torn: boolean } => {
    const url = (path: string): string => new URL(path, import.meta.url).href;
    const code = `
      const { openLlava } = await import('${url('./in-process.ts')}');
      const { Ledger } = await import('${url('../../core/ledger.ts')}');
      const { greyPicture } = await import('${url('../../../test/fixtures/pictures.ts')}');
      const verifier = await openLlava({ folder: ${JSON.stringify(folder)}, threads: 1 });
      const judge = await verifier.prepare('a red star', new Ledger());
      ${end}
    `;
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const options = ['--import', tsx, '--input-type=module', '--eval', code];
    const { status, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8', timeout: 55_000 });
    return { status, torn: stderr.includes('terminate called') };
  };

  it('ends by itself, though the verifier is open', () => {
    expect(program('await judge.score([greyPicture(8, 8)]);')).toEqual({ status: 0, torn: false });
  });

  it('keeps its exit code when it ends during a picture', () => {
    const end = `
      void judge.score(Array.from({ length: 1000 }, () => greyPicture(64, 64)));
      setTimeout(() => process.exit(3), 30);
    `;
    expect(program(end)).toEqual({ status: 3, torn: false });
  });
});
