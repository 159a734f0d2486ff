// Which room may import which: the one direction of imports, as data. check-imports.ts holds the code to it.

/** Files under a path, and what they may import besides themselves. The first room that a file is in counts. */
export interface Room {
  /** A folder (ending in a slash) or the beginning of a file's path. */
  readonly path: string;
  /** Folders and beginnings of paths. */
  readonly may: readonly string[];
}

/** A package that few files may import. */
export interface Door {
  readonly package: string;
  readonly only: readonly string[];
  readonly why: string;
}

/** All rules. */
export interface Rules {
  readonly rooms: readonly Room[];
  readonly doors: readonly Door[];
}

/** What models and verifiers share: encoders, tokenizers, and how their files are read. */
const ENCODERS = [
  'src/models/clip/',
  'src/models/blip/',
  'src/models/linear-head.ts',
  'src/models/tokenizer.ts',
  'src/models/json-file.ts',
];
const BASE = ['src/core/', 'src/runtime/'];
const PARTS = [...BASE, 'src/models/', 'src/verifiers/', 'src/toybox/', 'src/search/'];

/** The rules of this repository. */
export const RULES: Rules = {
  rooms: [
    { path: 'src/core/', may: [] },
    { path: 'src/runtime/', may: ['src/core/'] },
    // The embedded world judges pictures without any model.
    { path: 'src/toybox/', may: ['src/core/'] },
    // The catalogue warns of prompts that the embedded model cannot draw.
    { path: 'src/models/catalog', may: [...BASE, 'src/models/', 'src/toybox/prompt-check.ts'] },
    { path: 'src/models/', may: BASE },
    // The oracle is the one verifier that knows the embedded world.
    { path: 'src/verifiers/oracle', may: [...BASE, ...ENCODERS, 'src/verifiers/', 'src/toybox/'] },
    // Verifiers know of models what they share with them, nothing else.
    { path: 'src/verifiers/', may: [...BASE, ...ENCODERS] },
    // Search knows contracts, never an implementation.
    { path: 'src/search/', may: ['src/core/', 'src/models/contract.ts', 'src/verifiers/contract.ts'] },
    { path: 'src/conformance/', may: [...BASE, 'src/models/', 'src/verifiers/'] },
    { path: 'src/run/', may: PARTS },
    { path: 'src/benchmarks/', may: [...PARTS, 'src/run/'] },
    { path: 'src/index.ts', may: [...PARTS, 'src/run/', 'src/benchmarks/'] },
    { path: 'src/cli/', may: [...PARTS, 'src/conformance/', 'src/run/', 'src/benchmarks/', 'src/index.ts'] },
    { path: 'src/server/', may: [...PARTS, 'src/run/', 'src/benchmarks/', 'src/index.ts'] },
    { path: 'test/', may: ['src/'] },
    { path: 'bench/', may: ['src/'] },
    { path: 'training/', may: ['src/'] },
    { path: 'scripts/', may: ['src/'] },
  ],
  doors: [
    {
      package: 'onnxruntime-node',
      only: ['src/runtime/engine.ts'],
      why: 'one module alone talks to the engine',
    },
    {
      package: '@huggingface/transformers',
      only: ['src/verifiers/llava/in-process-library.ts'],
      why: 'it is optional, and loaded when a LLaVA is opened',
    },
  ],
};
