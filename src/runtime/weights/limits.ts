// What a checkpoint may hold before it is refused: each bound far above any honest file of the models that we read, and
// low enough that a hostile one costs seconds and a few hundred megabytes at most.

import type { JsonLimits } from '../../core/json-text.js';

/** The bounds of all readers. */
export const LIMITS = {
  /** Tensors of one checkpoint. Infinity-8B has 1,100, FLUX 780 (in Diffusers' layout 1,500); with optimizer three times that. */
  tensors: 65_536,
  /** Characters of one name. The longest that we know have 120. */
  nameLength: 512,
  /** Characters of all names. FLUX's have 50,000. */
  nameCharacters: 2 ** 23,
  /** Dimensions of a tensor. */
  dimensions: 32,

  /** Entries of a zip archive: one a storage, and a handful. */
  zipEntries: 66_000,
  /** Bytes of its directory, about 100 an entry. */
  zipDirectory: 2 ** 24,
  /**
   * What compressed entries may unpack to together, as a multiple of the file, and in any case. Weights shrink by a tenth;
   * files of zeros are for tests, and small.
   */
  unpackedTimes: 8,
  unpackedBytes: 2 ** 28,

  /** Bytes of a pickle: 400 a tensor. */
  pickleBytes: 2 ** 24,
  /** Values that it pushes: 25 a tensor. */
  pickleValues: 3_000_000,
  /** Values on its stack at once: pickle writes entries by the thousand. */
  pickleStack: 500_000,
  /** Values that it remembers: 10 a tensor. */
  pickleMemo: 1_000_000,
  /** Lists, tuples and dictionaries: 6 a tensor. */
  pickleContainers: 500_000,
  /** Bytes of an integer. Python's random seeds are the largest that are seen. */
  integerBytes: 64,
  /** Containers within each other. Training state has 6 levels. */
  treeDepth: 64,
  /** Values on the way through all of it; what is shared counts each time. */
  treeVisits: 3_000_000,
  /** What views of storages may amount to together, as a multiple of the storages, and in any case. Tied weights are twice theirs. */
  viewTimes: 4,
  viewBytes: 2 ** 26,

  /** Bytes of a safetensors header: 100 a tensor, and metadata, which hold a whole workflow at most. */
  headerBytes: 2 ** 24,
  /** Bytes of an index of shards: 100 a tensor. */
  indexBytes: 2 ** 24,
  /** Files of a split checkpoint. DeepSeek-V3 has 163. */
  shards: 1024,
} as const;

/** JSON of headers and indexes: 12 values a tensor. */
export const HEADER_JSON: JsonLimits = { bytes: LIMITS.headerBytes, depth: 32, values: 1_000_000 };
