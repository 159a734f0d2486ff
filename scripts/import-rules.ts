// Which room may import which: the one direction of imports, as data. check-imports.ts holds the code to it.

/** Files under a path, and what they may import besides themselves. The first room that a file is in counts. */
export interface Room {
  /** A folder (ending in a slash) or the beginning of a file's path. */
  readonly path: string;
  /** Folders and beginnings of paths. */
  readonly may: readonly string[];
  /** Its files that other rooms may import. @default all */
  readonly doors?: readonly string[];
  /** It may pass by the doors of others, since it tests what is behind them. @default false */
  readonly testsInside?: boolean;
}

/** A package that few files may import. */
export interface Gate {
  readonly package: string;
  readonly only: readonly string[];
  readonly why: string;
}

/** All rules. */
export interface Rules {
  readonly rooms: readonly Room[];
  readonly gates: readonly Gate[];
}

/** What models and verifiers share: encoders, tokenizers, and how their files are read. */
const ENCODERS = [
  'src/models/clip/',
  'src/models/blip/',
  'src/models/linear-head.ts',
  'src/models/tokenizer.ts',
];
const BASE = ['src/core/', 'src/runtime/', 'src/hub/'];
const WORLD = 'src/toybox/world/';
const CONTRACTS = [
  'src/models/contract.ts',
  'src/models/held-bytes.ts',
  'src/verifiers/contract.ts',
  'src/verifiers/jury.ts',
];
const PARTS = [...BASE, 'src/models/', 'src/verifiers/', 'src/search/'];
const RUNS = [...PARTS, 'src/engine/', 'src/run/', 'src/score/'];
const EDGES = [...RUNS, 'src/benchmarks/', 'src/report/', 'src/doctor/', 'src/varsearch.ts', 'src/index.ts'];

/** The rules of this repository, in the order of the way from a prompt to a picture. */
export const RULES: Rules = {
  rooms: [
    { path: 'src/core/', may: [] },
    {
      path: 'src/runtime/',
      may: ['src/core/'],
      // Sessions and tensors; the graph builder; checkpoints; methods in a thread.
      doors: ['', 'graph/', 'weights/', 'rpc/'].map((folder) => `src/runtime/${folder}index.ts`),
    },
    { path: 'src/endpoint/', may: ['src/core/'] },
    // Catalogues hold its facts and ask where the shared cache has files; commands pull.
    { path: 'src/hub/', may: ['src/core/'], doors: ['src/hub/index.ts'] },
    // The embedded world: its judge looks at pictures without any model.
    { path: WORLD, may: ['src/core/'] },
    { path: 'src/toybox/judge/', may: ['src/core/', WORLD] },
    // The catalogue warns of prompts that the embedded model cannot draw.
    { path: 'src/models/catalog', may: [...BASE, 'src/models/', `${WORLD}prompt-check.ts`] },
    { path: 'src/models/', may: BASE },
    // The oracle is the one verifier that knows the embedded world.
    { path: 'src/verifiers/oracle', may: [...BASE, ...ENCODERS, 'src/verifiers/', 'src/toybox/'] },
    // Verifiers know of models what they share with them, nothing else.
    { path: 'src/verifiers/', may: [...BASE, ...ENCODERS, 'src/endpoint/'] },
    // Search knows contracts, never an implementation.
    { path: 'src/search/', may: ['src/core/', ...CONTRACTS] },
    { path: 'src/engine/', may: PARTS },
    { path: 'src/run/', may: [...PARTS, 'src/engine/'] },
    // Existing pictures carry recipes, which may say what they show; the embedded verifiers warn of others' pictures.
    { path: 'src/score/', may: [...RUNS, WORLD] },
    // It shows models pictures whose words are known: those of the embedded world.
    { path: 'src/doctor/', may: [...PARTS, 'src/engine/', WORLD] },
    // The embedded benchmarks are prompts of the embedded world, and its detector says which pictures are right.
    { path: 'src/benchmarks/', may: [...RUNS, 'src/varsearch.ts', 'src/toybox/'] },
    { path: 'src/report/', may: [...RUNS, 'src/benchmarks/'] },
    { path: 'src/varsearch.ts', may: RUNS },
    { path: 'src/index.ts', may: EDGES },
    { path: 'src/cli/', may: EDGES },
    { path: 'conformance/', may: [...BASE, 'src/models/', 'src/verifiers/'] },
    { path: 'test/', may: ['src/', 'conformance/', 'training/'], testsInside: true },
    { path: 'bench/', may: ['src/', 'training/'] },
    { path: 'training/', may: ['src/'] },
    { path: 'scripts/', may: ['src/'] },
  ],
  gates: [
    {
      package: 'sharp',
      only: ['src/core/image-library.ts', 'src/core/image-decoder.ts', 'test/fixtures/picture-files.ts'],
      why: 'one module alone loads the library of pictures',
    },
    {
      package: 'fast-png',
      only: ['test/fixtures/read-png.ts', 'test/fixtures/write-png.ts'],
      why: 'tests read and write PNG files by another library than ours',
    },
    {
      package: 'glob',
      only: ['src/score/glob.ts'],
      why: 'one module alone says what a pattern is',
    },
    { package: 'csv-parse', only: ['src/core/csv.ts'], why: 'one module alone reads CSV' },
    { package: 'csv-stringify', only: ['src/core/csv.ts'], why: 'one module alone writes CSV' },
    {
      package: '@huggingface/tokenizers',
      only: ['src/models/tokenizer/normalizers.ts', 'src/models/tokenizer/stages.ts'],
      why: 'what it does otherwise than the official programs is put right there',
    },
    {
      package: 'unicode-segmenter',
      only: ['src/models/tokenizer/charsmap.ts'],
      why: 'one module alone cuts text into graphemes',
    },
    {
      package: 'onnxruntime-node',
      only: ['src/runtime/engine.ts'],
      why: 'one module alone talks to the engine',
    },
    {
      package: '@huggingface/hub',
      only: ['src/hub/client.ts'],
      why: 'one module alone talks to the Hub',
    },
    {
      package: '@huggingface/transformers',
      only: ['src/verifiers/llava/in-process-library.ts'],
      why: 'it is optional, and loaded when a LLaVA is opened',
    },
  ],
};
