// GenEval (Ghosh et al. 2023, djghosh13/geneval): 553 prompts of objects, counts, colours and places. A line of its file is JSON with
// the prompt, its tag and what its evaluator looks for.

import { VarsearchError } from '../../core/errors.js';
import { decodeText } from '../../core/text-file.js';
import { type Benchmark, numbered } from './benchmark.js';
import { fetchFile, type ListFile, onGitHub, sha256Of } from './fetched.js';

const COMMIT = 'af4902f24d3ca90ebbb446dd9891a59e0f82725f';

/** The file of prompts. */
export const GENEVAL_FILE: ListFile = {
  name: 'geneval-evaluation_metadata.jsonl',
  url: onGitHub('djghosh13/geneval', COMMIT, 'prompts/evaluation_metadata.jsonl'),
  licence: 'MIT',
  sha256: '5c48e0813e812e3c373fa5c8ed07a8f0a483be30272b4427b0559c8048e67c13',
};

/** GenEval. */
export const GENEVAL: Benchmark = {
  name: 'geneval',
  description: 'GenEval: 553 prompts of objects, counts, colours and places (fetched; MIT)',
  evaluator: { layout: 'geneval', images: 4 },
  load: async (context) => {
    const bytes = await fetchFile(GENEVAL_FILE, context);
    const metadata = decodeText(bytes, GENEVAL_FILE.name)
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '');
    const prompts = metadata.map((line, i) => {
      const value: unknown = JSON.parse(line);
      const { prompt, tag } = value as { readonly prompt?: unknown; readonly tag?: unknown };
      if (typeof prompt === 'string' && typeof tag === 'string') return { text: prompt, kind: tag };
      throw new VarsearchError(`line ${i + 1} of ${GENEVAL_FILE.url} has no prompt or no tag`);
    });
    const { url: source, licence } = GENEVAL_FILE;
    return { prompts: numbered(prompts), source, licence, sha256: sha256Of(bytes), metadata };
  },
};
