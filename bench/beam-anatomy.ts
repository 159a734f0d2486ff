// Where beam search wins and loses, measured (docs/beam-search.md). Two measurements, both resumed from --out when killed, and what
// they should come to if scales were independent:
//   npx tsx bench/beam-anatomy.ts prefixes [--prefixes 12] [--rollouts 8]
//       how much of a picture's fate each scale decides, and what electing by one rollout, or by the mean of several, is worth
//   npx tsx bench/beam-anatomy.ts searches [--budget 315] [--arms random,beam,beam-kept,even-kept] [--judges image-reward]
//       searches in pairs, on the same prompts and seeds: who finds a right picture, who picks it, in which round, what is drawn twice;
//       an arm may name judges of its own (random@oracle, beam@image-reward+toybox-llava)
//   npx tsx bench/beam-anatomy.ts model [--shares 1,31,42,16,4,6] [--noise 1] [--arms ...]
//       the shares of variance by scale, in percent, and the judge's noise in the pictures' deviations (anatomy/model.ts)
// The first two: [--setting hard|default] [--from 0] [--until 100] [--told image-reward,toybox-llava] [--out FILE]
// [--report: only of what FILE has]. Prompts are the held-out ones of
// the setting, by index; the index is the seed too. Right is what the detector says. Intervals of 95% by resampling the prompts.

import { parseArgs } from 'node:util';

import { UsageError } from '../src/index.js';
import { findModel } from '../src/models/catalog.js';
import type { ImageModel } from '../src/models/contract.js';
import { findVerifier } from '../src/verifiers/catalog.js';
import type { Verifier } from '../src/verifiers/contract.js';
import { foretell } from './anatomy/model.js';
import { type Rolled, rollPrefixes } from './anatomy/prefixes.js';
import { type Outcomes, reportPrefixes, reportSearches } from './anatomy/report.js';
import { ARMS, type Outcome, runSearch } from './anatomy/searches.js';
import { SharedTree } from './anatomy/shared-tree.js';
import { machine } from './measure.js';
import { Resumed } from './resumed.js';
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
    arms: { type: 'string', default: 'random,beam,beam-kept,even-kept' },
    judges: { type: 'string', default: 'image-reward' },
    shares: { type: 'string', default: '1,31,42,16,4,6' },
    noise: { type: 'string', default: '1' },
    out: { type: 'string' },
    report: { type: 'boolean', default: false },
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
      const rolled = values.report ? store.known(key) : await store.once(key, measure);
      if (rolled) own.push(rolled);
    }
    if (own.length === STEPS.length) measured.push(own);
  }
  return measured;
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

async function measureSearches(store: Resumed<Outcome>, arms: readonly Arm[]): Promise<Outcomes[]> {
  const measured: Outcomes[] = [];
  for (const { prompt, seed } of prompts.slice(from)) {
    let tree: SharedTree | undefined;
    const own: Record<string, Outcome> = {};
    for (const { name, search, judges } of arms) {
      const key = [values.setting, prompt, seed, search, judges.join('+'), budget, ...told].join('|');
      const measure = async (): Promise<Outcome> => {
        const { model, verifiers } = await open();
        tree ??= await SharedTree.open(model, verifiers, { prompt, cfg, temperature });
        const options = ARMS[search]?.(budget) ?? {};
        return await runSearch(tree, { options, judges, told, seed });
      };
      const outcome = values.report ? store.known(key) : await store.once(key, measure);
      if (outcome) own[name] = outcome;
    }
    tree?.close();
    measured.push(own);
  }
  return measured;
}

// The model

/** With these, one picture is right in 10 % and the best of 52 in 59 %, as measured on the first hundred prompts of the hard setting. */
const THRESHOLD = [2, 1.2] as const;

function reportModel(arms: readonly Arm[]): void {
  const parts = values.shares.split(',').map(Number);
  const all = parts.reduce((sum, part) => sum + part, 0);
  const shares = parts.map((part) => part / all);
  const assumed = { shares, noise: Number(values.noise), threshold: THRESHOLD, prompts: 4000 };
  const schedule = findModel('toybox').schedule({ cfg, temperature });
  console.log(`shares ${values.shares}, noise ${values.noise}; percent of 4000 imagined prompts`);
  for (const { search } of arms) {
    const { right, pool } = foretell(ARMS[search]?.(budget) ?? {}, schedule, assumed);
    console.log(`  ${search}: right ${(100 * right).toFixed(1)}, pool ${(100 * pool).toFixed(1)}`);
  }
}

// What was asked for

const armsOf = (): Arm[] => values.arms.split(',').map(armOf);
const out = values.out ?? `.work/beam-${what}.jsonl`;

const MEASUREMENTS: Readonly<Record<string, () => Promise<void> | void>> = {
  prefixes: async () => {
    reportPrefixes(await measurePrefixes(new Resumed<Rolled>(out)), told);
  },
  searches: async () => {
    const arms = armsOf();
    const measured = await measureSearches(new Resumed<Outcome>(out), arms);
    reportSearches(measured, { arms: arms.map(({ name }) => name), told });
  },
  model: () => {
    reportModel(armsOf());
  },
};

const measurement = MEASUREMENTS[what];
if (!measurement) {
  throw new UsageError(`say what is to be measured: one of ${Object.keys(MEASUREMENTS).join(', ')}`);
}
console.log(
  `${machine()}; ${values.setting} setting: cfg ${cfg}, temperature ${temperature}; prompts ${from} to ${until - 1}`,
);
await measurement();
const opened = await loading;
for (const verifier of opened?.verifiers ?? []) await verifier.close();
await opened?.model.close();
