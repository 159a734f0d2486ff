// What search is worth, measured in pairs: the same held-out prompts and seeds for one picture, random search, GTO and beam search at
// equal NFE under each verifier, judged by the detector, which no search but the oracle's sees. A coin (a verifier that scores by
// a keyed random number) is the control: it finds nothing. Differences to random search are per prompt, with 95% intervals by
// resampling the prompts; beside them the share of prompts whose pool held a right picture, so that search and judge can be told apart.
//   npx tsx bench/search-value.ts [--setting default|hard] [--prompts 100] [--budgets 21,84,157,315,630]
//       [--verifiers coin,clip-score,image-reward,toybox-llava,aesthetic,all,oracle] [--searches gto,beam,beam-fresh] [--out FILE]
// 'all' is the ensemble of the four embedded ones; 'beam-fresh' draws elected rollouts anew. Resumes from --out when killed, and
// reports what is there. Verdicts on verifiers trained with the detector's labels are not independent, and are marked (d).

import { parseArgs } from 'node:util';

import { type GenerateResult, openVarsearch, type Varsearch } from '../src/index.js';
import { ALL, guideOf, isRight, isTaught } from './guides.js';
import { machine } from './measure.js';
import { bootstrap, inPercent, mean, Resumed } from './resumed.js';
import { findSetting } from './settings.js';

/** Beams that a budget is enough for. */
const widthOf = (budget: number): number => (budget < 81 ? 1 : budget < 243 ? 2 : 3);
const SEARCHES: Readonly<Record<string, (budget: number) => object>> = {
  random: () => ({ strategy: 'random' }),
  gto: () => ({ strategy: 'gto' }),
  beam: (budget) => ({ strategy: 'beam', width: widthOf(budget), keepElected: true }),
  'beam-fresh': (budget) => ({ strategy: 'beam', width: widthOf(budget) }),
};

/** What a search gave: whether its picture is right, and whether any that it drew is. */
interface Outcome {
  readonly right: boolean;
  readonly pool: boolean;
}

const { values } = parseArgs({
  options: {
    setting: { type: 'string', default: 'hard' },
    prompts: { type: 'string', default: '100' },
    budgets: { type: 'string', default: '21,84,157,315,630' },
    verifiers: { type: 'string', default: ['coin', ...ALL, 'all', 'oracle'].join() },
    searches: { type: 'string', default: 'gto,beam,beam-fresh' },
    out: { type: 'string', default: '.work/search-value.jsonl' },
    threads: { type: 'string', default: '1' },
  },
});
const setting = findSetting(values.setting);
const { cfg, temperature } = setting;
const prompts = setting.prompts(Number(values.prompts));
const budgets = values.budgets.split(',').map(Number);
/** With elected rollouts kept, a beam needs a second candidate: 27 NFE at least. */
const searchesAt = (budget: number): readonly string[] =>
  budget === 6
    ? ['random']
    : ['random', ...values.searches.split(',').filter((name) => name !== 'beam' || budget >= 27)];

function outcomeOf(prompt: string, { image, pictures }: GenerateResult): Outcome {
  // Pictures of 64 pixels are their own thumbnails.
  const pool = [...pictures.thumbnails.values()].some((picture) => isRight(prompt, picture));
  return { right: isRight(prompt, image), pool };
}

/** Every unit of a verifier: prompt by prompt, so that an early end leaves whole prompts. */
async function measure(store: Resumed<Outcome>, name: string): Promise<void> {
  let varsearch: Varsearch | undefined;
  for (const [seed, { prompt }] of prompts.entries()) {
    for (const budget of [6, ...budgets]) {
      for (const search of searchesAt(budget)) {
        await store.once(keyOf({ name, search, budget, seed }), async () => {
          varsearch ??= await openVarsearch({ verifier: guideOf(name), threads: Number(values.threads) });
          const options = { prompt, seed, cfg, temperature, budget, ...SEARCHES[search]?.(budget) };
          return outcomeOf(prompt, await varsearch.generate(options).result);
        });
      }
    }
  }
  await varsearch?.close();
}

interface Unit {
  readonly name: string;
  readonly search: string;
  readonly budget: number;
  readonly seed: number;
}

function keyOf({ name, search, budget, seed }: Unit): string {
  // One picture is the same whoever judges it.
  const judge = budget === 6 ? '-' : name;
  return [values.setting, prompts[seed]?.prompt, seed, judge, search, budget].join('|');
}

function report(store: Resumed<Outcome>, names: readonly string[]): void {
  console.log(
    `${machine()}; ${values.setting} setting: cfg ${cfg}, temperature ${temperature}; NFE of a picture 6`,
  );
  for (const name of names) {
    const taught = isTaught(name);
    for (const budget of [6, ...budgets]) {
      for (const search of searchesAt(budget)) {
        const units = prompts.map((_, seed) => ({
          own: store.known(keyOf({ name, search, budget, seed })),
          random: store.known(keyOf({ name, search: 'random', budget, seed })),
        }));
        const both = units.flatMap(({ own, random }) => (own && random ? [{ own, random }] : []));
        if (both.length === 0 || (budget === 6 && name !== names[0])) continue;
        const share = bootstrap(both, (some) => mean(some.map(({ own }) => Number(own.right))));
        const gain = bootstrap(both, (some) =>
          mean(some.map(({ own, random }) => Number(own.right) - Number(random.right))),
        );
        const pool = mean(both.map(({ own }) => Number(own.pool)));
        const who = budget === 6 ? 'one picture' : `${search} by ${name}${taught ? ' (d)' : ''}`;
        const against = search === 'random' ? '' : `  against random ${inPercent(gain)}`;
        console.log(
          `${String(budget).padStart(4)} NFE  ${who.padEnd(30)} ${inPercent(share)} right of ${both.length}; pool ${(100 * pool).toFixed(1)}${against}`,
        );
      }
    }
  }
}

const store = new Resumed<Outcome>(values.out);
const names = values.verifiers.split(',');
for (const name of names) await measure(store, name);
report(store, names);
