// T2I-CompBench++ (Huang et al. 2025, Karine-Huang/T2I-CompBench): eight categories of 300 prompts, a file each with a prompt a line.
// Some lists end their lines with CR LF, and most have no newline at their end.

import { VarsearchError } from '../../core/errors.js';
import { decodeText } from '../../core/text-file.js';
import { type Benchmark, numbered } from './benchmark.js';
import { fetchFile, type ListFile, onGitHub, sha256Of } from './fetched.js';

const COMMIT = '1b7094991a57f3c22abdd4f6e8ba6c1a15517073';

/** The hashes of the files, by category, in the order of the paper's tables. */
const CATEGORIES = {
  color: '1634259756dbc77d13093d907d414480080ec9790a8c97ad09efaea7b2534f2d',
  shape: '37e1a276906c7ea9516cbd7ac8501be896006c0c17ca7344f260562834455bae',
  texture: 'fbb5363515b4a28009e360afaaaf389d2dd2289e50dbb0c6ef4ea0c7fe4f3d4f',
  spatial: '8707a1d7e42ce3002d95363cf55f74bd043c843ae27108f5125aaaa7840ca988',
  '3d_spatial': 'c9953597315f36a5fcb41291bb19bdc6ab5f64a0fa760d691b4854a73f5d1fe9',
  numeracy: 'dad8df141604b70ba7554bec724e3db0a80023680769b5c514854ea2d2527bbe',
  non_spatial: '04c56cc9ac441dc9ea6c5157652058bd1635b5308526dd31bb29a1caab9a758d',
  complex: '1b808018b8d9916db3d47d5aa2ef18377a3549a56901a474156f799824cdf3b4',
} as const;

const PER_CATEGORY = 300;

/** The files of prompts, with their categories. */
export const COMPBENCH_FILES: readonly (ListFile & { readonly kind: string })[] = Object.entries(
  CATEGORIES,
).map(([kind, sha256]) => ({
  kind,
  name: `t2i-compbench-${kind}_val.txt`,
  url: onGitHub('Karine-Huang/T2I-CompBench', COMMIT, `examples/dataset/${kind}_val.txt`),
  licence: 'MIT',
  sha256,
}));

/** T2I-CompBench++. */
export const COMPBENCH: Benchmark = {
  name: 't2i-compbench',
  description: `T2I-CompBench++: 8 x ${PER_CATEGORY} prompts of attributes, relations, counts and scenes (fetched; MIT)`,
  evaluator: { layout: 't2i-compbench', images: 10 },
  load: async (context) => {
    const lists = [];
    for (const file of COMPBENCH_FILES) {
      const bytes = await fetchFile(file, context);
      const texts = decodeText(bytes, file.name)
        .split(/\r?\n/)
        .map((text) => text.trim())
        .filter((text) => text !== '');
      if (texts.length !== PER_CATEGORY) {
        throw new VarsearchError(`${file.url} has ${texts.length} prompts in place of ${PER_CATEGORY}`);
      }
      lists.push({ sha256: sha256Of(bytes), prompts: texts.map((text) => ({ text, kind: file.kind })) });
    }
    return {
      prompts: numbered(lists.flatMap(({ prompts }) => prompts)),
      source: `https://github.com/Karine-Huang/T2I-CompBench/tree/${COMMIT}/examples/dataset`,
      licence: 'MIT',
      sha256: sha256Of(lists.map(({ sha256 }) => sha256).join('\n')),
    };
  },
};
