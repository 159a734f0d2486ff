import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{src,conformance,training,test,scripts}/**/*.test.{ts,tsx}'],
    // Processes, since sessions of ONNX Runtime live in worker threads of their own; two, for machines of two cores.
    pool: 'forks',
    maxWorkers: 2,
    // A busy two-core machine that also trains a model is several times slower than a quiet one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
