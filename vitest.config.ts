import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests of what a process holds as a whole (listeners, libraries, memory, open files), which no other test may have been in before. */
const ALONE = [
  'src/models/tokenizer/hostile.test.ts',
  'src/runtime/rpc/exit-gate.test.ts',
  'src/runtime/rpc/other-engine.test.ts',
  'src/runtime/waiting.test.ts',
  'src/runtime/weights/open-weights.test.ts',
  'src/verifiers/llava/endpoint-mutants.test.ts',
  'test/engine-process.test.ts',
];

export default defineConfig({
  test: {
    // To start a process and to import the sources for each of 200 files is a fifth of the time: they share two processes.
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['{src,conformance,training,test,scripts}/**/*.test.{ts,tsx}'],
          exclude: ALONE,
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
    // Programs that tests run in other folders compile the sources as they are compiled here: TSX for Preact.
    env: { TSX_TSCONFIG_PATH: fileURLToPath(new URL('tsconfig.json', import.meta.url)) },
    // Processes, since sessions of ONNX Runtime live in worker threads of their own; two, for machines of two cores.
    pool: 'forks',
    maxWorkers: 2,
    // A busy two-core machine that also trains a model is several times slower than a quiet one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
