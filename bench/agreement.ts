// How far the embedded verifiers agree with the detector, and with one another, on pictures that the embedded model draws for
// held-out prompts.
//   npx tsx bench/agreement.ts [--prompts 48] [--pictures 8] [--setting default|hard] [--verifiers a,b] [--out FILE]
// A pair is a right and a wrong picture of one prompt, by the detector; a verifier is right about it where
// the right one scores higher (equal scores count half). With --previews also for the decode of the first scales. Pairs that a
// verifier trained with the detector's labels wins say that it learnt them, not that a person would agree. Resumes from --out.

import { parseArgs } from 'node:util';

import { type Image, Ledger, RandomKey } from '../src/index.js';
import { findModel } from '../src/models/catalog.js';
import type { Generator, ImageModel, Prefix } from '../src/models/contract.js';
import { judgePicture } from '../src/toybox/judge/judge.js';
import { parsePrompt } from '../src/toybox/world/parser.js';
import { findVerifier } from '../src/verifiers/catalog.js';
import type { Verifier } from '../src/verifiers/contract.js';
import { machine } from './measure.js';
import { bootstrap, inPercent, mean, Resumed } from './resumed.js';
import { type BenchmarkPrompt, EMBEDDED, findSetting } from './settings.js';

/** What is measured of a prompt; scores by verifier, of whole pictures and of previews after k scales. */
interface Measured {
  readonly kind: string;
  readonly right: readonly boolean[];
  readonly faults: readonly (readonly string[])[];
  readonly scores: Readonly<Record<string, readonly number[]>>;
  readonly previews: readonly Readonly<Record<string, readonly number[]>>[];
}

const { values } = parseArgs({
  options: {
    prompts: { type: 'string', default: '48' },
    pictures: { type: 'string', default: '8' },
    setting: { type: 'string', default: 'default' },
    verifiers: {
      type: 'string',
      default: EMBEDDED.filter((name) => findVerifier(name).installed() === true).join(),
    },
    previews: { type: 'boolean', default: false },
    out: { type: 'string', default: '.work/agreement.jsonl' },
    threads: { type: 'string', default: '1' },
  },
});
const names = values.verifiers.split(',');
const count = Number(values.pictures);
const threads = Number(values.threads);
const setting = findSetting(values.setting);
const { cfg, temperature } = setting;

async function scoresOf(
  verifiers: readonly Verifier[],
  prompt: string,
  images: readonly Image[],
): Promise<Record<string, number[]>> {
  const scores: Record<string, number[]> = {};
  for (const verifier of verifiers) {
    const judge = await verifier.prepare(prompt, new Ledger());
    scores[verifier.name] = await judge.score(images);
    judge.close();
  }
  return scores;
}

/** The prefixes of every step of some pictures, first step first; all are to be released. */
async function drawSteps(generator: Generator, seed: number): Promise<Prefix[][]> {
  const root = RandomKey.fromSeed(seed);
  const start = generator.begin();
  let prefixes = Array.from({ length: count }, () => start);
  const steps: Prefix[][] = [];
  for (const step of generator.schedule.steps.keys()) {
    const requests = prefixes.map((prefix, i) => ({ prefix, draw: root.fold(i).fold(step) }));
    prefixes = await generator.extend(requests);
    steps.push(prefixes);
  }
  start.release();
  return steps;
}

async function measure(
  model: ImageModel,
  verifiers: readonly Verifier[],
  { prompt, kind }: BenchmarkPrompt,
  seed: number,
): Promise<Measured> {
  const generator = await model.prepare(prompt, new Ledger(), model.resolve({ cfg, temperature }));
  const steps = await drawSteps(generator, seed);
  const images = await generator.decode(steps.at(-1) ?? [], 'full');
  const verdicts = images.map((image) => judgePicture(parsePrompt(prompt), image));
  const previews: Record<string, number[]>[] = [];
  for (const prefixes of values.previews ? steps.slice(0, -1) : []) {
    previews.push(await scoresOf(verifiers, prompt, await generator.decode(prefixes, 'full')));
  }
  for (const prefix of steps.flat()) prefix.release();
  generator.close();
  return {
    kind,
    right: verdicts.map(({ correct }) => correct),
    faults: verdicts.map(({ faults }) => faults),
    scores: await scoresOf(verifiers, prompt, images),
    previews,
  };
}

/** Over the (right, wrong) pairs of a prompt: how many the scores order rightly, and how many there are. */
function pairsOf(
  { right, faults }: Measured,
  scores: readonly number[] | undefined,
  fault?: string,
): { readonly won: number; readonly all: number } {
  let [won, all] = [0, 0];
  if (!scores) return { won, all };
  right.forEach((good, a) => {
    if (!good) return;
    right.forEach((other, b) => {
      if (other || (fault !== undefined && faults[b]?.join() !== fault)) return;
      won += 0.5 + 0.5 * Math.sign((scores[a] ?? 0) - (scores[b] ?? 0));
      all += 1;
    });
  });
  return { won, all };
}

type Pick = (one: Measured) => { readonly won: number; readonly all: number };

const share = (some: readonly Measured[], pick: Pick): number => {
  const tallies = some.map(pick);
  const all = tallies.reduce((sum, tally) => sum + tally.all, 0);
  return tallies.reduce((sum, tally) => sum + tally.won, 0) / all;
};

function line(what: string, some: readonly Measured[], pick: Pick): void {
  const all = some.reduce((sum, one) => sum + pick(one).all, 0);
  if (all === 0) return;
  console.log(`  ${what.padEnd(34)} ${inPercent(bootstrap(some, (part) => share(part, pick)))} of ${all}`);
}

/** Pairs of one prompt's pictures that two verifiers put in the same order. */
function sameOrder(one: Measured, a: string, b: string): { readonly won: number; readonly all: number } {
  let [won, all] = [0, 0];
  const [first = [], second = []] = [one.scores[a], one.scores[b]];
  for (let i = 0; i < first.length; i++) {
    for (let j = 0; j < i; j++) {
      won +=
        Math.sign((first[i] ?? 0) - (first[j] ?? 0)) === Math.sign((second[i] ?? 0) - (second[j] ?? 0))
          ? 1
          : 0;
      all += 1;
    }
  }
  return { won, all };
}

function report(measured: readonly Measured[]): void {
  const pictures = measured.flatMap(({ right }) => right);
  console.log(
    `${machine()}; ${measured.length} held-out prompts of ${count} pictures, ${values.setting} setting`,
  );
  console.log(
    `right pictures: ${(100 * mean(pictures.map(Number))).toFixed(1)} %; best possible of ${count}: ${(100 * mean(measured.map(({ right }) => Number(right.includes(true))))).toFixed(1)} % of the prompts`,
  );
  for (const name of names) {
    const { detectorLabels = false } = findVerifier(name);
    console.log(
      `${name}${detectorLabels ? " (trained with the detector's labels)" : ''}: right picture before wrong one, percent with 95% interval`,
    );
    line('all pairs', measured, (one) => pairsOf(one, one.scores[name]));
    for (const kind of new Set(measured.map((one) => one.kind))) {
      line(
        kind,
        measured.filter((one) => one.kind === kind),
        (one) => pairsOf(one, one.scores[name]),
      );
    }
    for (const fault of ['count', 'shape', 'colour', 'texture', 'relation', 'extra']) {
      line(`wrong in ${fault} alone`, measured, (one) => pairsOf(one, one.scores[name], fault));
    }
    for (const k of measured[0]?.previews.keys() ?? []) {
      line(`sum of ${k + 1} scales`, measured, (one) => pairsOf(one, one.previews[k]?.[name]));
    }
    const best = measured.map(({ right, scores }) => {
      const own = scores[name] ?? [];
      return Number(right[own.indexOf(Math.max(...own))]);
    });
    console.log(`  best of ${count} is right`.padEnd(36), inPercent(bootstrap(best, mean)));
  }
  for (const [i, a] of names.entries()) {
    for (const b of names.slice(i + 1)) line(`${a} orders as ${b}`, measured, (one) => sameOrder(one, a, b));
  }
}

const store = new Resumed<Measured>(values.out);
const model = await findModel('toybox').load({ threads });
const verifiers = await Promise.all(names.map((name) => findVerifier(name).load({ threads })));
const measured: Measured[] = [];
for (const [i, prompt] of setting.prompts(Number(values.prompts)).entries()) {
  const key = [values.setting, prompt.prompt, i, count, values.previews, ...names].join('|');
  measured.push(await store.once(key, () => measure(model, verifiers, prompt, i)));
}
for (const verifier of verifiers) await verifier.close();
await model.close();
report(measured);
