// The flags that commands share, and the library's options that follow from them.

import type { Command } from 'commander';
import { Option } from 'commander';

import { given } from '../core/given.js';
import type { JudgeOptions, OpenOptions, PictureOptions } from '../engine/options.js';
import { DEFAULTS } from '../engine/options.js';
import { ENSEMBLE_MEMBERS } from '../engine/verifier-options.js';
import type { ResultChoice, StrategyName } from '../search/registry.js';
import { DEFAULT_STRATEGY, RESULT_CHOICES, STRATEGIES } from '../search/registry.js';
import { ENSEMBLE_RULES, type EnsembleRule } from '../verifiers/ensemble.js';
import { parseNumber, parseNumbers, parseWhole, parseWholes } from './values.js';

/** Who judges. */
export interface JudgeFlags {
  readonly verifier?: string;
  readonly ensemble?: EnsembleRule;
  readonly weights?: number | number[];
  readonly threads?: number;
}

/** What is loaded. */
export interface LoadFlags extends JudgeFlags {
  readonly model?: string;
  readonly report?: string;
  readonly memory?: string;
}

/** How pictures are sampled. */
export interface SamplingFlags {
  readonly seed?: number;
  readonly cfg?: number | number[];
  readonly temperature?: number | number[];
  readonly topK?: number;
  readonly topP?: number;
  readonly size?: string;
  readonly aspectRatio?: number;
}

/** How large a search is. */
export interface SearchFlags {
  readonly strategy?: StrategyName;
  readonly width?: number;
  readonly candidates?: number | number[];
  readonly images?: number;
  readonly budget?: number;
  readonly keepElected?: true;
  readonly result?: ResultChoice;
}

/** Where results go and how much is said about it. */
export interface OutputFlags {
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** Counting costs without computing. */
export interface DryRunFlags {
  readonly dryRun?: true;
  readonly scales?: number;
}

/** Names after a flag: a,b,c, and the flag again. */
function collectNames(text: string, before?: string): string {
  return before === undefined ? text : `${before},${text}`;
}

/** The defaults of judges, in words. */
export interface JudgeDefaults {
  readonly verifier: string;
  readonly ensemble: string;
  readonly weights: string;
}

/** Adds --verifier, --ensemble, --weights and --threads. */
export function addJudgeFlags(command: Command, defaults: JudgeDefaults): Command {
  return command
    .option(
      '--verifier <names>',
      `judge of the pictures, or several as a,b,c; see 'varsearch verifiers' (default: ${defaults.verifier})`,
      collectNames,
    )
    .addOption(
      new Option(
        '--ensemble <rule>',
        `how several judges' scores become one (default: ${defaults.ensemble})`,
      ).choices([...ENSEMBLE_RULES]),
    )
    .option(
      '--weights <x>',
      `one weight for each judge: 1,2,0.5 (default: ${defaults.weights})`,
      parseNumbers,
    )
    .option('--threads <n>', 'threads of the engine (default: one a core)', parseWhole);
}

/** Adds --model, --report and --memory to the flags of judges. */
export function addLoadFlags(command: Command, defaults: 'built-in' | 'recipe' = 'built-in'): Command {
  const text = (usual: string): string => (defaults === 'recipe' ? "the recipe's" : usual);
  command.option('--model <name>', `image model, see 'varsearch models' (default: ${text(DEFAULTS.model)})`);
  addJudgeFlags(command, {
    verifier: text("the model's"),
    ensemble: text('rank'),
    weights: text('1 each'),
  });
  return command
    .option(
      '--report <names>',
      `score the winner with other judges too: a,b, or ${ENSEMBLE_MEMBERS} for all installed ones but the oracle`,
      collectNames,
    )
    .option('--memory <size>', "memory for keys and values, such as 2GB (default: the model's choice)");
}

/** Adds --seed, --cfg, --temperature, --top-k, --top-p, --size and --aspect-ratio. */
export function addSamplingFlags(command: Command): Command {
  return command
    .option('--seed <n>', `root of all random numbers (default: ${DEFAULTS.seed})`, parseWhole)
    .option(
      '--cfg <x>',
      "guidance, one number or one per scale: 4 or 4,3,3 (default: the model's)",
      parseNumbers,
    )
    .option(
      '--temperature <x>',
      "sampling temperature, one number or one per scale (default: the model's)",
      parseNumbers,
    )
    .option(
      '--top-k <n>',
      "keep the k likelier of a bit's two values: 0 both, 1 greedy (default: 0)",
      parseWhole,
    )
    .option('--top-p <x>', "nucleus sampling over a bit's two values, 0 to 1 (default: 0, off)", parseNumber)
    .option('--size <name>', 'picture size of an official model: 0.06M, 0.25M, 0.60M or 1M (default: 1M)')
    .option('--aspect-ratio <x>', 'height over width of an official model (default: 1)', parseNumber);
}

/** Adds --keep-elected and --result, which all searches by scales take. */
export function addRoundFlags(command: Command): Command {
  return command
    .option('--keep-elected', 'the elected rollout is a candidate of the next round, at no cost')
    .addOption(
      new Option('--result <which>', 'best of all rollouts, or of the last round (default: best)').choices([
        ...RESULT_CHOICES,
      ]),
    );
}

/** Adds the strategy and its sizes. */
export function addSearchFlags(command: Command): Command {
  command
    .addOption(
      new Option('--strategy <name>', `how to search (default: ${DEFAULT_STRATEGY})`).choices([
        ...STRATEGIES,
      ]),
    )
    .option('--width <n>', 'beams that are kept (beam)', parseWhole)
    .option(
      '--candidates <n>',
      'candidates per beam, one number or one per scale: 5 or 5,5,4 (beam, gto)',
      parseWholes,
    )
    .option('--images <n>', 'pictures to draw (random)', parseWhole)
    .option('--budget <nfe>', 'function evaluations to spend: the sizes follow from it', parseWhole);
  return addRoundFlags(command);
}

/** Adds --out, --json and --quiet. */
export function addOutputFlags(
  command: Command,
  out = 'folder of the results (default: a new one below ./out)',
): Command {
  return command
    .option('--out <dir>', out)
    .option('--json', 'print the result as JSON on stdout, and nothing else there')
    .option('--quiet', 'print nothing but warnings and errors');
}

/** Adds --dry-run and --scales. */
export function addDryRunFlags(command: Command): Command {
  return command
    .option('--dry-run', 'print what the search would cost, compute nothing')
    .option(
      '--scales <n>',
      'for --dry-run: the first n scales of the official schedule (13: 1024 pixels)',
      parseWhole,
    );
}

/** Who judges, as the library takes it. */
export function judgeOptions({
  verifier,
  ensemble: by,
  weights: numbers,
  threads,
}: JudgeFlags): JudgeOptions {
  const weights = typeof numbers === 'number' ? [numbers] : numbers;
  const ensemble = by === undefined && weights === undefined ? undefined : given({ by, weights });
  return given({ verifier, ensemble, threads });
}

/** What to load, as the library takes it. */
export function openOptions(flags: LoadFlags): OpenOptions {
  const { model, report, memory } = flags;
  return { ...judgeOptions(flags), ...given({ model, report, memory }) };
}

/** The options of a picture, as the library takes them. */
export function pictureOptions(prompt: string, flags: SamplingFlags & SearchFlags): PictureOptions {
  const { seed, cfg, temperature, topK, topP, size, aspectRatio } = flags;
  const { strategy, width, candidates, images, budget, keepElected, result } = flags;
  const sampling = { seed, cfg, temperature, topK, topP, size, aspectRatio };
  return {
    prompt,
    ...given({ ...sampling, strategy, width, candidates, images, budget, keepElected, result }),
  };
}
