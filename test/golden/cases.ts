// The searches of the golden table: every strategy, jury and option that changes pictures, kept small.

import type { ComparePictureOptions, OpenOptions, PictureOptions } from '../../src/index.js';

/** One search, or one comparison of strategies. */
export type Case = {
  readonly name: string;
  readonly open: OpenOptions;
  /** Bytes that the model parts its batches by, however much the engine may hold: what a search costs in calls follows from them. */
  readonly batches?: number;
} & (
  | { readonly generate: PictureOptions; readonly compare?: undefined }
  | { readonly compare: ComparePictureOptions; readonly generate?: undefined }
);

const STAR = 'three red stars left of a blue circle';
const HEART = 'a striped green heart and a pink ring';
const CROSS = 'a purple cross left of a yellow diamond';

const CLIP: OpenOptions = { verifier: 'clip-score' };
const REWARD: OpenOptions = { verifier: 'image-reward' };
const ORACLE: OpenOptions = { verifier: 'oracle' };
const RANK: OpenOptions = { verifier: 'image-reward,clip-score,aesthetic' };
const RANK_WEIGHTED: OpenOptions = {
  verifier: 'clip-score,image-reward',
  ensemble: 'rank',
  weights: [2, 1],
};
const Z_SCORE: OpenOptions = { verifier: 'clip-score,image-reward', ensemble: 'z-score' };
const SUM: OpenOptions = {
  verifier: 'clip-score,image-reward,aesthetic',
  ensemble: 'weighted-sum',
  weights: [1, 0.5, 0.25],
};

/** As the paper has it; most cases, since they are cheap. */
const BEAM = { strategy: 'beam', width: 2, candidates: 2, paper: true } as const;
const KEPT = { strategy: 'beam', width: 2, candidates: 2 } as const;

/** All cases, in the order of the table; those of the same `open` share what they load. */
export const CASES: readonly Case[] = [
  { name: 'random', open: CLIP, generate: { prompt: STAR, seed: 1, strategy: 'random', images: 8 } },
  { name: 'beam', open: CLIP, generate: { prompt: CROSS, seed: 7, ...BEAM } },
  {
    name: 'beam, elected kept',
    open: CLIP,
    generate: { prompt: CROSS, seed: 7, ...KEPT },
  },
  {
    name: 'beam, candidates per scale',
    open: CLIP,
    generate: {
      prompt: STAR,
      seed: 4,
      strategy: 'beam',
      width: 2,
      candidates: [4, 3, 2, 1, 1, 1],
      paper: true,
    },
  },
  {
    name: 'gto, elected kept, last round',
    open: CLIP,
    generate: {
      prompt: HEART,
      seed: 6,
      strategy: 'gto',
      candidates: 3,
      keepElected: true,
      result: 'last-round',
    },
  },
  {
    name: 'beam, guidance and temperature per scale',
    open: CLIP,
    generate: {
      prompt: HEART,
      seed: 8,
      ...BEAM,
      cfg: [1, 2, 3, 4, 5, 6],
      temperature: [2, 1.5, 1, 0.8, 0.6, 0.5],
    },
  },
  {
    name: 'random, without guidance',
    open: CLIP,
    generate: { prompt: STAR, seed: 9, strategy: 'random', images: 6, cfg: 1, temperature: 0.7 },
  },
  {
    name: 'gto, greedy bits',
    open: CLIP,
    generate: { prompt: STAR, seed: 10, strategy: 'gto', candidates: 2, topK: 1 },
  },
  {
    name: 'random, nucleus',
    open: CLIP,
    generate: { prompt: HEART, seed: 11, strategy: 'random', images: 6, topP: 0.8 },
  },
  { name: 'compare', open: CLIP, compare: { prompt: STAR, seed: 25, budget: 42, width: 2, paper: true } },
  { name: 'image-reward, beam', open: REWARD, generate: { prompt: STAR, seed: 12, ...BEAM } },
  {
    name: 'image-reward, random, guidance per scale',
    open: REWARD,
    generate: { prompt: HEART, seed: 13, strategy: 'random', images: 6, cfg: [6, 5, 4, 3, 2, 1] },
  },
  { name: 'oracle, beam', open: ORACLE, generate: { prompt: STAR, seed: 14, ...BEAM } },
  {
    name: 'oracle, gto, temperature per scale',
    open: ORACLE,
    generate: { prompt: STAR, seed: 15, strategy: 'gto', candidates: 2, temperature: [2, 2, 2, 1, 1, 1] },
  },
  { name: 'ranks, random', open: RANK, generate: { prompt: STAR, seed: 16, strategy: 'random', images: 8 } },
  { name: 'ranks, beam', open: RANK, generate: { prompt: HEART, seed: 17, ...BEAM, candidates: 3 } },
  {
    name: 'compare by ranks',
    open: RANK,
    compare: { prompt: HEART, seed: 26, budget: 42, strategies: ['random', 'gto'], keepElected: true },
  },
  {
    name: 'ranks, beam, last round, 6 MB',
    open: { ...RANK },
    batches: 6e6,
    generate: { prompt: CROSS, seed: 19, ...BEAM, result: 'last-round' },
  },
  { name: 'weighted ranks, beam', open: RANK_WEIGHTED, generate: { prompt: STAR, seed: 20, ...BEAM } },
  { name: 'z-scores, beam', open: Z_SCORE, generate: { prompt: HEART, seed: 21, ...BEAM } },
  {
    name: 'weighted sum, random',
    open: SUM,
    generate: { prompt: HEART, seed: 24, strategy: 'random', images: 6 },
  },
  {
    name: 'previews, beam, elected kept',
    open: CLIP,
    generate: { prompt: CROSS, seed: 27, ...KEPT, rollout: 'preview:4' },
  },
  {
    name: 'previews, random',
    open: CLIP,
    generate: { prompt: STAR, seed: 28, strategy: 'random', images: 6, rollout: 'preview:5' },
  },
  {
    name: 'no rollouts, beam',
    open: REWARD,
    generate: { prompt: HEART, seed: 29, ...BEAM, rollout: 'none' },
  },
];
