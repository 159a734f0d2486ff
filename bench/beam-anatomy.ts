// Where beam search wins and loses, measured (docs/beam-search.md). Two measurements, both resumed from --out when killed:
//   npx tsx bench/beam-anatomy.ts prefixes [--prefixes 12] [--rollouts 8]
//       how much of a picture's fate each scale decides, and what electing by one rollout, or by the mean of several, is worth
//   npx tsx bench/beam-anatomy.ts searches [--budget 315] [--arms random,beam,beam-kept,even-kept-4] [--judges image-reward]
//       searches in pairs, on the same prompts and seeds: who finds a right picture, who picks it, in which round, what is drawn twice;
//       an arm may name judges of its own (random@oracle, beam@image-reward+toybox-llava)
// Both: [--setting hard|default] [--from 0] [--until 100] [--told image-reward,toybox-llava] [--out FILE]. Prompts are the held-out ones of
// the setting, by index; the index is the seed too. Right is what the detector says. Intervals of 95% by resampling the prompts.

import { parseArgs } from 'node:util';

import { UsageError } from '../src/index.js';
import { findModel } from '../src/models/catalog.js';
import type { ImageModel } from '../src/models/contract.js';
import { findVerifier } from '../src/verifiers/catalog.js';
import type { Verifier } from '../src/verifiers/contract.js';
import { findsBest, gainOf, type Grid, type Rolled, rollPrefixes, shareBetween } from './anatomy/prefixes.js';
import { ARMS, type Drawn, type Outcome, runSearch } from './anatomy/searches.js';
import { SharedTree } from './anatomy/shared-tree.js';
import { machine } from './measure.js';
import { bootstrap, inPercent, mean, Resumed } from './resumed.js';
import { findSetting } from './settings.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    setting: { type: 'string', default: 'hard' },
    from: { type: 'string', default: '0' },
    until: { type: 'string', default: '100' },
    told: { type: 'string', default: 'image-reward,toybox-llava' },
    prefixes: { type: 'string', default: '12' },
    rollouts: { type: 'string', default: '8' },
    budget: { type: 'string', default: '315' },
    arms: { type: 'string', default: 'random,beam,beam-kept,even-kept-4' },
    judges: { type: 'string', default: 'image-reward' },
    out: { type: 'string' },
  },
});
const [what = ''] = positionals;
const setting = findSetting(values.setting);
const { cfg, temperature } = setting;
const [from, until] = [Number(values.from), Number(values.until)];
const prompts = setting.prompts(until).map(({ prompt }, seed) => ({ prompt, seed }));
const told = values.told.split(',');
const budget = Number(values.budget);

interface Open {
  readonly model: ImageModel;
  readonly verifiers: readonly Verifier[];
}

/** Loaded when something is to be measured. */
let loading: Promise<Open> | undefined;
const open = (): Promise<Open> => (loading ??= load());
async function load(): Promise<Open> {
  const model = await findModel('toybox').load({ threads: 1 });
  const verifiers: Verifier[] = [];
  for (const name of told) verifiers.push(await findVerifier(name).load({ threads: 1 }));
  return { model, verifiers };
}

// Prefixes

const STEPS = [1, 2, 3, 4, 5];

async function measurePrefixes(store: Resumed<Rolled>): Promise<Rolled[][]> {
  const [count, rollouts] = [Number(values.prefixes), Number(values.rollouts)];
  const measured: Rolled[][] = [];
  for (const { prompt, seed } of prompts.slice(from)) {
    const own: Rolled[] = [];
    for (const step of STEPS) {
      const key = [values.setting, prompt, seed, step, count, rollouts, ...told].join('|');
      const measure = async (): Promise<Rolled> => {
        const { model, verifiers } = await open();
        const unit = { prompt, seed, step, prefixes: count, rollouts, cfg, temperature };
        return rollPrefixes(model, verifiers, unit);
      };
      own.push(await store.once(key, measure));
    }
    measured.push(own);
  }
  return measured;
}

/** One candidate of so many is elected by so many rollouts: the same number of rollouts. */
const ELECTIONS = [
  { candidates: 12, by: 1 },
  { candidates: 6, by: 2 },
  { candidates: 3, by: 4 },
];

function reportPrefixes(measured: readonly (readonly Rolled[])[]): void {
  const right = mean(measured.flat().flatMap(({ right: grid }) => grid.flat()));
  console.log(
    `${measured.length} prompts of ${values.prefixes} prefixes of each length, ${values.rollouts} rollouts each; ${(100 * right).toFixed(1)} % right`,
  );
  const names = ['right', 'oracle', ...told];
  const gridOf = (rolled: Rolled, name: string): Grid =>
    name === 'right' ? rolled.right : (rolled.scores[name] ?? []);
  for (const name of names) {
    console.log(`share of the variance of ${name} that is decided after so many scales, percent`);
    for (const [i, step] of STEPS.entries()) {
      const figure = (some: readonly (readonly Rolled[])[]): number =>
        shareBetween(some.flatMap((own) => (own[i] ? [gridOf(own[i], name)] : [])));
      console.log(`  ${step}  ${inPercent(bootstrap(measured, figure))}`);
    }
  }
  for (const judge of told) {
    for (const [i, step] of STEPS.entries()) {
      const units = measured.flatMap((own) => (own[i] ? [own[i]] : []));
      const best = bootstrap(units, (some) => mean(some.map((each) => findsBest(gridOf(each, judge), 3))));
      console.log(
        `one rollout by ${judge} after ${step}: the best prefix of ${values.prefixes} is among the 3 elected in ${inPercent(best)}`,
      );
      for (const election of ELECTIONS) {
        const gain = bootstrap(units, (some) =>
          mean(some.map((each) => gainOf({ score: gridOf(each, judge), value: each.right }, election))),
        );
        console.log(
          `  the best of ${election.candidates} by ${election.by} rollouts is right more often by ${inPercent(gain)} points`,
        );
      }
    }
  }
}

// Searches

interface Arm {
  readonly name: string;
  readonly search: string;
  readonly judges: readonly string[];
}

function armOf(name: string): Arm {
  const [search = '', judges = values.judges] = name.split('@');
  if (ARMS[search]) return { name, search, judges: judges.split('+') };
  throw new UsageError(`there is no search '${search}' here: there are ${Object.keys(ARMS).join(', ')}`);
}

type Outcomes = Readonly<Record<string, Outcome>>;

async function measureSearches(store: Resumed<Outcome>, arms: readonly Arm[]): Promise<Outcomes[]> {
  const measured: Outcomes[] = [];
  for (const { prompt, seed } of prompts.slice(from)) {
    let tree: SharedTree | undefined;
    const own: Record<string, Outcome> = {};
    for (const { name, search, judges } of arms) {
      const key = [values.setting, prompt, seed, search, judges.join('+'), budget, ...told].join('|');
      own[name] = await store.once(key, async () => {
        const { model, verifiers } = await open();
        tree ??= await SharedTree.open(model, verifiers, { prompt, cfg, temperature });
        const options = ARMS[search]?.(budget) ?? {};
        return await runSearch(tree, { options, judges, told, seed });
      });
    }
    tree?.close();
    measured.push(own);
  }
  return measured;
}

const STEPS_OF_TOYBOX = 6;

/** Whether the best of a pool by a number is right. */
const pickBy = (drawn: readonly Drawn[], numbers: readonly number[]): number =>
  Number(drawn[numbers.indexOf(Math.max(...numbers))]?.right);

/** The places of numbers, the highest last. */
function placesOf(numbers: readonly number[]): number[] {
  return numbers.map((one) => numbers.filter((other) => other < one).length);
}

const scoresOf = (drawn: readonly Drawn[], name: string): number[] =>
  drawn.map(({ scores }) => scores[name] ?? NaN);

function reportSearches(measured: readonly Outcomes[], arms: readonly Arm[]): void {
  const rightOf = ({ winner, drawn }: Outcome): number =>
    Number(drawn.find(({ id }) => id === winner)?.right);
  const poolOf = ({ drawn }: Outcome): number => Number(drawn.some(({ right }) => right));
  console.log(`${measured.length} prompts, at most ${budget} NFE`);
  for (const { name } of arms) {
    const own = measured.flatMap((each) => (each[name] ? [each[name]] : []));
    const figure = (of: (outcome: Outcome) => number): string =>
      inPercent(bootstrap(own, (some) => mean(some.map(of))));
    const against = (of: (outcome: Outcome) => number, other: string): string =>
      inPercent(
        bootstrap(measured, (some) =>
          mean(some.map((each) => (each[name] && each[other] ? of(each[name]) - of(each[other]) : NaN))),
        ),
      );
    const nfe = mean(own.map((each) => each.nfe));
    console.log(
      `${name}: ${nfe.toFixed(0)} NFE, ${mean(own.map(({ drawn }) => drawn.length)).toFixed(0)} pictures`,
    );
    console.log(
      `  right ${figure(rightOf)}; pool ${figure(poolOf)}; of the pictures ${figure(({ drawn }) => mean(drawn.map(({ right }) => Number(right))))}`,
    );
    for (const other of arms.slice(
      0,
      arms.findIndex((each) => each.name === name),
    )) {
      console.log(
        `  against ${other.name}: right ${against(rightOf, other.name)}; pool ${against(poolOf, other.name)}`,
      );
    }
    for (const judge of told) {
      console.log(
        `  its pool, picked by ${judge}: ${figure(({ drawn }) => pickBy(drawn, scoresOf(drawn, judge)))}`,
      );
    }
    const together = ({ drawn }: Outcome): number => {
      const places = told.map((judge) => placesOf(scoresOf(drawn, judge)));
      return pickBy(
        drawn,
        drawn.map((_, i) => places.reduce((sum, each) => sum + (each[i] ?? 0), 0)),
      );
    };
    if (told.length > 1) {
      console.log(`  its pool, picked by the mean rank of ${told.join(' and ')}: ${figure(together)}`);
    }
    const rounds = [...new Set(own.flatMap(({ drawn }) => drawn.map(({ round }) => round)))].sort(
      (a, b) => a - b,
    );
    const won = (outcome: Outcome): number =>
      outcome.drawn.find(({ id }) => id === outcome.winner)?.round ?? 0;
    console.log(
      `  rounds of the winners: ${rounds.map((round) => `${round}: ${own.filter((each) => won(each) === round).length}`).join(', ')}`,
    );
    const late = ({ drawn, winner }: Outcome): number => {
      const nfeOf = (some: readonly Drawn[]): number =>
        some.reduce((sum, { round }) => sum + STEPS_OF_TOYBOX + 1 - round, 0);
      return nfeOf(drawn.filter(({ id }) => id > winner)) / nfeOf(drawn);
    };
    console.log(`  NFE spent after the winner was found ${figure(late)}`);
    const shareOf = (round: number, is: (one: Drawn, all: readonly Drawn[]) => boolean): string => {
      const shares = own.flatMap(({ drawn }) => {
        const some = drawn.filter((each) => each.round === round);
        return some.length === 0 ? [] : [mean(some.map((one) => Number(is(one, some))))];
      });
      return (100 * mean(shares)).toFixed(1);
    };
    const ties =
      (judge: string) =>
      (one: Drawn, all: readonly Drawn[]): boolean =>
        all.some((other) => other !== one && other.scores[judge] === one.scores[judge]);
    console.log(
      `  percent by round: right ${rounds.map((round) => shareOf(round, ({ right }) => right)).join(', ')}; drawn twice ${rounds.map((round) => shareOf(round, ({ twinOf }) => twinOf > 0)).join(', ')}`,
    );
    for (const judge of ['oracle', ...told]) {
      console.log(
        `  percent by round, of equal ${judge}: ${rounds.map((round) => shareOf(round, ties(judge))).join(', ')}`,
      );
    }
  }
}

if (what !== 'prefixes' && what !== 'searches') {
  throw new UsageError("say what is to be measured: 'prefixes' or 'searches'");
}
const out = values.out ?? `.work/beam-${what}.jsonl`;
console.log(
  `${machine()}; ${values.setting} setting: cfg ${cfg}, temperature ${temperature}; prompts ${from} to ${until - 1}`,
);
if (what === 'prefixes') {
  reportPrefixes(await measurePrefixes(new Resumed<Rolled>(out)));
} else {
  const arms = values.arms.split(',').map(armOf);
  reportSearches(await measureSearches(new Resumed<Outcome>(out), arms), arms);
}
const opened = await loading;
for (const verifier of opened?.verifiers ?? []) await verifier.close();
await opened?.model.close();
