// What previews cost and gain, measured in pairs: the same held-out prompts and seeds for full rollouts, at the same NFE and at the same
// FLOPs (transformer and decoder together; the verifier's are not counted), judged by the detector. Differences to full rollouts are
// per prompt, with 95% intervals by resampling the prompts. toybox: scales 1 to 5 are a picture of 48 pixels if decoded there.
//   npx tsx bench/previews.ts [--setting default|hard] [--prompts 200] [--budget 300] [--verifier image-reward]
//       [--searches random,beam] [--rollouts preview:5] [--out FILE] [--threads 1]
// Rollouts may be preview:1 to preview:5, and none. Resumes from --out when killed, and reports what is there.

import { parseArgs } from 'node:util';

import { openVarsearch, type Varsearch } from '../src/index.js';
import { findModel } from '../src/models/catalog.js';
import { estimate, resolveSearch, type SearchOptions } from '../src/search/registry.js';
import { guideOf, isRight, isTaught } from './guides.js';
import { machine } from './measure.js';
import { bootstrap, inPercent, mean, Resumed } from './resumed.js';
import { findSetting } from './settings.js';

const { values } = parseArgs({
  options: {
    setting: { type: 'string', default: 'hard' },
    prompts: { type: 'string', default: '200' },
    budget: { type: 'string', default: '300' },
    verifier: { type: 'string', default: 'image-reward' },
    searches: { type: 'string', default: 'random,beam' },
    rollouts: { type: 'string', default: 'preview:5' },
    out: { type: 'string', default: '.work/previews.jsonl' },
    threads: { type: 'string', default: '1' },
  },
});
const setting = findSetting(values.setting);
const { cfg, temperature } = setting;
const prompts = setting.prompts(Number(values.prompts));
const budget = Number(values.budget);

/** What a search gave and cost. */
interface Outcome {
  readonly right: boolean;
  readonly nfe: number;
  readonly flops: number;
  readonly forwards: number;
  readonly images: number;
}

/** A search that is measured; its NFE are chosen so that what is named is as that of full rollouts. */
interface Arm {
  readonly strategy: string;
  readonly rollout: string;
  readonly same: 'NFE' | 'FLOPs';
  readonly budget: number;
}

const schedule = findModel('toybox').schedule({ cfg, temperature });

const optionsOf = ({ strategy, rollout, budget: nfe }: Omit<Arm, 'same'>): SearchOptions =>
  ({ strategy, rollout, budget: nfe }) as SearchOptions;

/** Operations of a decoded picture: a whole one, and one that is judged with each kind of rollouts. */
type DecoderFlops = ReadonlyMap<string, number>;

/** Measured, since nothing but the decoder knows them. */
async function decoderFlopsOf(varsearch: Varsearch, rollouts: readonly string[]): Promise<DecoderFlops> {
  const options = { prompt: 'a red star', cfg, temperature, strategy: 'random', images: 1 } as const;
  const found = new Map<string, number>();
  for (const rollout of ['full', ...rollouts.filter((each) => each !== 'none')]) {
    const { ledger } = await varsearch.generate({ ...options, rollout: rollout as 'full' }).result;
    // A preview's ledger has the completed picture too.
    found.set(rollout, ledger.decoderFlops - (found.get('full') ?? 0));
  }
  return found.set('none', found.get('full') ?? NaN);
}

function flopsOf(arm: Omit<Arm, 'same'>, decoder: DecoderFlops): number {
  const { flops, images } = estimate(resolveSearch(optionsOf(arm), schedule), schedule);
  const [own = NaN, full = NaN] = [decoder.get(arm.rollout), decoder.get('full')];
  const completed = arm.rollout.startsWith('preview') ? 1 : 0;
  return flops + (images - completed) * own + completed * full;
}

/** The most NFE with which an arm costs no more FLOPs than full rollouts do. */
function budgetBy(strategy: string, rollout: string, decoder: DecoderFlops): number {
  const target = flopsOf({ strategy, rollout: 'full', budget }, decoder);
  let low = Math.ceil(budget / 8);
  let high = 64 * budget;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (flopsOf({ strategy, rollout, budget: middle }, decoder) <= target) low = middle;
    else high = middle;
  }
  return low;
}

function armsOf(decoder: DecoderFlops): Arm[] {
  return values.searches.split(',').flatMap((strategy): Arm[] => {
    // Random search draws whole pictures: without rollouts it is what it is with them.
    const rollouts = values.rollouts.split(',').filter((each) => strategy !== 'random' || each !== 'none');
    const others = rollouts.flatMap((rollout): Arm[] => [
      { strategy, rollout, same: 'NFE', budget },
      { strategy, rollout, same: 'FLOPs', budget: budgetBy(strategy, rollout, decoder) },
    ]);
    return [{ strategy, rollout: 'full', same: 'NFE', budget }, ...others];
  });
}

const keyOf = ({ strategy, rollout, budget: nfe }: Arm, seed: number): string =>
  [values.setting, prompts[seed]?.prompt, seed, values.verifier, strategy, rollout, nfe].join('|');

/** Prompt by prompt, so that an early end leaves whole prompts. */
async function measure(store: Resumed<Outcome>, arms: readonly Arm[], varsearch: Varsearch): Promise<void> {
  for (const [seed, { prompt }] of prompts.entries()) {
    for (const arm of arms) {
      await store.once(keyOf(arm, seed), async () => {
        const options = { prompt, seed, cfg, temperature, ...optionsOf(arm) };
        const { image, ledger } = await varsearch.generate(options).result;
        const { nfe, forwards, transformerFlops, decoderFlops, imagesDecoded: images } = ledger;
        return {
          right: isRight(prompt, image),
          nfe,
          flops: transformerFlops + decoderFlops,
          forwards,
          images,
        };
      });
    }
  }
}

function report(store: Resumed<Outcome>, arms: readonly Arm[]): void {
  const taught = isTaught(values.verifier) ? ', which was taught by the detector' : '';
  console.log(
    `${machine()}; ${values.setting} setting: cfg ${cfg}, temperature ${temperature}; guided by ${values.verifier}${taught}`,
  );
  console.log('| search | rollouts | same | NFE | GFLOPs | pictures | right | against full rollouts |');
  console.log('| --- | --- | --- | ---: | ---: | ---: | ---: | --- |');
  for (const arm of arms) {
    const full = arms.find(({ strategy, rollout }) => strategy === arm.strategy && rollout === 'full') ?? arm;
    const pairs = prompts.flatMap((_, seed) => {
      const [own, other] = [store.known(keyOf(arm, seed)), store.known(keyOf(full, seed))];
      return own && other ? [{ own, other }] : [];
    });
    const meanOf = (of: (outcome: Outcome) => number): number => mean(pairs.map(({ own }) => of(own)));
    const right = bootstrap(pairs, (some) => mean(some.map(({ own }) => Number(own.right))));
    const gain = bootstrap(pairs, (some) =>
      mean(some.map(({ own, other }) => Number(own.right) - Number(other.right))),
    );
    const won = pairs.filter(({ own, other }) => own.right && !other.right).length;
    const lost = pairs.filter(({ own, other }) => !own.right && other.right).length;
    const against = arm === full ? '' : `${inPercent(gain)}; ${won} won, ${lost} lost`;
    const cells = [
      arm.strategy,
      arm.rollout,
      arm === full ? '' : arm.same,
      meanOf(({ nfe }) => nfe).toFixed(0),
      meanOf(({ flops }) => flops / 1e9).toFixed(0),
      meanOf(({ images }) => images).toFixed(0),
      `${inPercent(right)} of ${pairs.length}`,
      against,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

const store = new Resumed<Outcome>(values.out);
const varsearch = await openVarsearch({
  verifier: guideOf(values.verifier),
  threads: Number(values.threads),
});
const arms = armsOf(await decoderFlopsOf(varsearch, values.rollouts.split(',')));
await measure(store, arms, varsearch);
await varsearch.close();
report(store, arms);
