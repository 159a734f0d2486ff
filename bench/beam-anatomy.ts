// Where beam search wins and loses, measured (docs/beam-search.md). Two measurements, both resumed from --out when killed:
//   npx tsx bench/beam-anatomy.ts prefixes [--prefixes 12] [--rollouts 8]
//       how much of a picture's fate each scale decides, and what electing by one rollout, or by the mean of several, is worth
//   npx tsx bench/beam-anatomy.ts searches [--budget 315] [--arms random,beam,beam-kept,even-kept] [--judges image-reward]
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

async function measurePrefixes(store: Resumed<Rolled>): Promise<Rolled[][]> {
  const [count, rollouts] = [Number(values.prefixes), Number(values.rollouts)];
  const measured: Rolled[][] = [];
  for (const { prompt, seed } of prompts.slice(from)) {
    const own: Rolled[] = [];
    for (const step of [1, 2, 3, 4, 5]) {
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

if (what !== 'prefixes' && what !== 'searches') {
  throw new UsageError("say what is to be measured: 'prefixes' or 'searches'");
}
const out = values.out ?? `.work/beam-${what}.jsonl`;
console.log(
  `${machine()}; ${values.setting} setting: cfg ${cfg}, temperature ${temperature}; prompts ${from} to ${until - 1}`,
);
if (what === 'prefixes') {
  reportPrefixes(await measurePrefixes(new Resumed<Rolled>(out)), told);
} else {
  const arms = values.arms.split(',').map(armOf);
  const measured = await measureSearches(new Resumed<Outcome>(out), arms);
  reportSearches(measured, { arms: arms.map(({ name }) => name), told });
}
const opened = await loading;
for (const verifier of opened?.verifiers ?? []) await verifier.close();
await opened?.model.close();
