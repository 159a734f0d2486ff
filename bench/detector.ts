// Whether the detector judges as a person does: 300 pictures that the embedded model drew, labelled by eye.
//   npx tsx bench/detector.ts                  draws them again and compares: agreement, by kind, and every disagreement
//   npx tsx bench/detector.ts --draw FOLDER    draws pictures to label: pictures.json, pictures.rgb (64 x 64 RGB bytes each)
// Of every kind and of three settings, half of them right as far as the detector can tell; whoever labels does not see what it says.
// The labels are in detector-labels.json: prompt, seed, cfg and temperature, which draw the picture again, and whether it is right.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { type Image, openVarsearch, RandomKey, type Varsearch } from '../src/index.js';
import { judgePicture } from '../src/toybox/judge/judge.js';
import { benchmarkPrompts } from '../src/toybox/world/benchmark-prompts.js';
import { Draws } from '../src/toybox/world/draws.js';
import { parsePrompt } from '../src/toybox/world/parser.js';
import { machine } from './measure.js';

interface Drawn {
  readonly prompt: string;
  readonly kind: string;
  readonly seed: number;
  readonly cfg: number;
  readonly temperature: number;
}

interface Labelled extends Drawn {
  readonly right: boolean;
  /** Why, where it is not plain to see. */
  readonly note?: string;
}

const PICTURES = 300;
const SETTINGS = [
  { cfg: 3, temperature: 0.8 },
  { cfg: 2, temperature: 1.15 },
  { cfg: 1, temperature: 1.5 },
] as const;
/** Candidates of a kind after which what is missing is taken from others. */
const MOST_TRIES = 150;
const LABELS = new URL('detector-labels.json', import.meta.url);

async function draw(varsearch: Varsearch, { prompt, seed, cfg, temperature }: Drawn): Promise<Image> {
  const options = { prompt, seed, cfg, temperature, strategy: 'random', images: 1 } as const;
  return (await varsearch.generate(options).result).image;
}

const isRight = ({ prompt }: Drawn, image: Image): boolean =>
  judgePicture(parsePrompt(prompt), image).correct;

/** Candidates of every kind, right and wrong ones in equal numbers where the model draws as many. */
async function drawCandidates(varsearch: Varsearch, folder: string): Promise<void> {
  const prompts = benchmarkPrompts();
  const kinds = [...new Set(prompts.map(({ kind }) => kind))];
  const quota = Math.ceil(PICTURES / kinds.length / 2);
  const chosen: { readonly drawn: Drawn; readonly image: Image }[] = [];
  const collect = async (kind: string, wanted: number, from: number): Promise<void> => {
    const own = prompts.filter((each) => each.kind === kind);
    const left = { true: wanted, false: wanted };
    for (let i = from; i < from + MOST_TRIES && left.true + left.false > 0; i++) {
      const { prompt } = own[i % own.length] ?? { prompt: '' };
      const drawn: Drawn = {
        prompt,
        kind,
        seed: 1000 + i,
        ...(SETTINGS[i % SETTINGS.length] ?? SETTINGS[0]),
      };
      const image = await draw(varsearch, drawn);
      const right = isRight(drawn, image) ? 'true' : 'false';
      if (left[right] === 0) continue;
      left[right] -= 1;
      chosen.push({ drawn, image });
    }
  };
  for (const kind of kinds) await collect(kind, quota, 0);
  for (const kind of ['complex', 'counting', 'two_object']) {
    const missing = PICTURES - chosen.length;
    if (missing > 0) {
      await collect(kind, Math.ceil(missing / 2 / (kind === 'two_object' ? 1 : 2)), MOST_TRIES);
    }
  }
  const shuffled = new Draws(RandomKey.fromSeed(3)).sample(chosen, PICTURES);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'pictures.json'),
    JSON.stringify(
      shuffled.map(({ drawn }) => drawn),
      null,
      1,
    ),
  );
  writeFileSync(join(folder, 'pictures.rgb'), Buffer.concat(shuffled.map(({ image }) => image.data)));
  console.log(`${shuffled.length} pictures in ${folder}`);
}

async function compare(varsearch: Varsearch): Promise<void> {
  const labels = JSON.parse(readFileSync(LABELS, 'utf8')) as Labelled[];
  const outcomes: { readonly label: Labelled; readonly agrees: boolean; readonly why: string }[] = [];
  for (const label of labels) {
    const { correct, reasons } = judgePicture(parsePrompt(label.prompt), await draw(varsearch, label));
    outcomes.push({
      label,
      agrees: correct === label.right,
      why: correct ? 'accepted' : reasons.join('; '),
    });
  }
  const share = (some: typeof outcomes): string => {
    const agreed = some.filter(({ agrees }) => agrees).length;
    return `${((100 * agreed) / some.length).toFixed(1)} % of ${some.length}`;
  };
  const right = labels.filter((label) => label.right).length;
  console.log(`${machine()}; ${labels.length} pictures, ${right} of them right by eye`);
  console.log(`the detector agrees in ${share(outcomes)}`);
  for (const kind of new Set(labels.map((label) => label.kind))) {
    console.log(`  ${kind.padEnd(14)} ${share(outcomes.filter(({ label }) => label.kind === kind))}`);
  }
  for (const { label, agrees, why } of outcomes) {
    if (agrees) continue;
    const { prompt, seed, cfg, temperature, note } = label;
    const verdict = label.right ? 'right by eye' : 'wrong by eye';
    console.log(
      `  "${prompt}" seed ${seed} cfg ${cfg} temperature ${temperature}: ${verdict}${note === undefined ? '' : ` (${note})`}, detector: ${why}`,
    );
  }
}

const { values } = parseArgs({ options: { draw: { type: 'string' } } });
const varsearch = await openVarsearch({ verifier: 'clip-score', threads: 1 });
await (values.draw === undefined ? compare(varsearch) : drawCandidates(varsearch, values.draw));
await varsearch.close();
