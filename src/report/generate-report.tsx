// The page of one run: the picture, how it came to be, its score over the rounds, the search tree, the ledger, options and recipe.

import type { VNode } from 'preact';

import { formatCount, formatDuration, formatPercent, formatScore } from '../core/format.js';
import { builtInCatalogs } from '../engine/catalogs.js';
import { commandOf } from '../run/command.js';
import type { GenerateResult } from '../run/result.js';
import { previewOf, standingsOf } from '../run/standings.js';
import type { Jury } from '../verifiers/jury.js';
import { Page, type PageLink, renderPage } from './components/page.js';
import {
  Chips,
  Command,
  type FactList,
  Facts,
  type Figure,
  Figures,
  Folded,
  Notice,
  Section,
} from './components/parts.js';
import { FilmSection, FRAME } from './film-view.js';
import { LedgerSection, savedShare } from './ledger-view.js';
import { ObserverSection } from './observer-view.js';
import { describeOutcome, describeSpread } from './outcome.js';
import { illustrate, type Illustrated, pixelClass } from './pictures.js';
import { ChartKey, JudgesSection, ScoreChart } from './score-chart.js';
import { roundsOf } from './tree-layout.js';
import { treePicture, TreeSection } from './tree-view.js';
import {
  briefScores,
  describeAmong,
  describeJudged,
  describeJury,
  describeOptions,
  describeRule,
  describeSearch,
  describeStanding,
  describeUnfinished,
  isJoined,
  shortStanding,
} from './words.js';

/** Pictures shown large are at most this many pixels wide. */
export const LARGE_PICTURE = 1024;

/** The same of the first picture, beside it. */
const FIRST_PICTURE = 256;

type Shown = Illustrated<GenerateResult>;

/** The very first picture: what one gets without a search, or the first of what was judged in place of whole pictures. */
function FirstPicture({ result }: { readonly result: Shown }): VNode | null {
  const [candidate] = result.candidates;
  if (!candidate || candidate.id === (result.winner.sameAs ?? result.winner.id)) return null;
  const { first } = result.pictures;
  const kind = describeJudged(candidate, result.schedule);
  return (
    <div class="first">
      <img
        class={pixelClass(first.width)}
        src={result.urlOf(first)}
        alt={`The first ${kind} that was drawn`}
      />
      <span>
        <b>{briefScores(candidate)}</b>
        {`the first ${kind} drawn${kind === 'picture' ? ': what one gets without a search' : ''}`}
      </span>
    </div>
  );
}

/** What the winner was judged by before it was completed: both scores are shown, and never compared. */
function previewFigures({
  candidates,
  winner,
  schedule,
  options: { jury },
}: GenerateResult): readonly Figure[] {
  const preview = previewOf(candidates, winner);
  if (!preview) return [];
  const note = isJoined(jury)
    ? describeStanding(standingsOf([candidates], jury)(preview), jury)
    : `after ${preview.judgedAt} of ${schedule.steps.length} ${schedule.unit}s`;
  return [{ name: `Its ${describeJudged(preview, schedule)}`, value: briefScores(preview), note }];
}

/** The winner's score beside what all others got; of several judges that of each, and its standing by all of them. */
function scoreFigures(result: GenerateResult): readonly Figure[] {
  const {
    candidates,
    winner,
    standing,
    options: { jury },
  } = result;
  // The spread of previews says nothing of the score of the picture that one of them became.
  const spread = (judge: string): string =>
    previewOf(candidates, winner) ? '' : describeSpread(result, judge);
  if (!isJoined(jury)) {
    const rule = describeRule(jury);
    const note = [rule, spread(rule)].filter((part) => part !== '').join('; ');
    return [{ name: 'Best score', value: shortStanding(standing), note, main: true }];
  }
  const among = describeAmong(standing);
  return [
    ...Object.entries(winner.scores).map(([name, own]) => ({
      name,
      value: formatScore(own),
      note: spread(name),
      main: true,
    })),
    {
      name: describeRule(jury),
      value: shortStanding(standing),
      note: among === '' ? '' : `${among} pictures`,
    },
  ];
}

function figuresOf(result: GenerateResult): readonly Figure[] {
  const { ledger, milliseconds } = result;
  return [
    ...scoreFigures(result),
    ...previewFigures(result),
    {
      name: 'Pictures judged',
      value: formatCount(ledger.imagesDecoded),
      note: describeUnfinished(result),
    },
    { name: 'NFE', value: formatCount(ledger.nfe), note: 'as the paper counts' },
    {
      name: 'Forward passes',
      value: formatCount(ledger.forwards),
      note: `${formatPercent(savedShare(ledger))} shared`,
    },
    { name: 'Time', value: formatDuration(milliseconds) },
  ];
}

function Hero({ result }: { readonly result: Shown }): VNode {
  const { image, options } = result;
  const several = roundsOf(result.candidates).length > 1;
  return (
    <div class="hero">
      <figure>
        <img
          class={pixelClass(image.width)}
          src={result.urlOf(image)}
          alt={`The result for the prompt: ${options.prompt}`}
        />
        <figcaption>{`${image.width} \u00d7 ${image.height} pixels, seed ${options.seed}`}</figcaption>
        <FirstPicture result={result} />
      </figure>
      <div>
        <Figures items={figuresOf(result)} />
        <p class="outcome">{describeOutcome(result).join(' ')}</p>
        <ScoreChart result={result} />
        <ChartKey several={several} />
      </div>
    </div>
  );
}

interface RecipeProps {
  readonly result: GenerateResult;
  /** The command that makes it again; null where there is none. */
  readonly command: string | null;
}

/** Everything that is needed to make the picture again. */
function RecipeSection({ result, command }: RecipeProps): VNode {
  const { options, versions, recipe } = result;
  const lists: readonly (readonly [string, FactList])[] = [
    ['Options', describeOptions(options)],
    ['Versions', Object.entries(versions)],
  ];
  return (
    <Section
      id="recipe"
      title="Recipe"
      lead={
        <>
          The picture file carries all of this. <code>varsearch replay picture.png</code> makes it again, bit
          for bit.
        </>
      }
    >
      {command !== null && <Command text={command} />}
      <div class="two">
        {lists.map(([title, items]) => (
          <div>
            <h3>{title}</h3>
            <Facts items={items} />
          </div>
        ))}
      </div>
      <Folded
        summary="The whole recipe, with the hashes of all files"
        text={JSON.stringify(recipe, null, 2)}
      />
    </Section>
  );
}

/** A label of the line under a title. */
type Chip = Parameters<typeof Chips>[0]['items'][number];

/** Who judges, and how several do so together. */
export function juryChips(jury: Jury): readonly Chip[] {
  const several = isJoined(jury);
  return [
    { name: several ? 'verifiers' : 'verifier', value: jury.judges.join(', ') },
    ...(several ? [{ name: 'joined by', value: describeJury(jury) }] : []),
  ];
}

/** The line under a title: the search in words. */
function searchChips({ options: { model, search, jury } }: GenerateResult): readonly Chip[] {
  return [{ value: describeSearch(search) }, { name: 'model', value: model }, ...juryChips(jury)];
}

/** The notice of a run that was interrupted. */
export function IncompleteNotice({ complete }: { readonly complete: boolean }): VNode | null {
  if (complete) return null;
  return <Notice>This search was interrupted: what it had found until then is below.</Notice>;
}

/** What was said of the prompt and of the run on the way. */
export function Warnings({ messages }: { readonly messages: readonly string[] }): VNode {
  return (
    <>
      {messages.map((message) => (
        <Notice>{message}</Notice>
      ))}
    </>
  );
}

/** What a page may be given beside its result. */
export interface GenerateReportOptions {
  /** What lies beside it. @default nothing */
  readonly links?: readonly PageLink[];
}

/** The HTML page of one run. */
export async function generateReport(
  found: GenerateResult,
  { links = [] }: GenerateReportOptions = {},
): Promise<string> {
  const { prompt } = found.options;
  const { thumbnails, first } = found.pictures;
  const side = treePicture(found.candidates.length);
  // The last frame is the picture itself, which is shown large, and small here.
  const film = found.pictures.film?.map((image) => ({ ...image })) ?? [];
  const pictures = film.length > 0 ? { ...found.pictures, film } : found.pictures;
  const result = await illustrate({ ...found, pictures }, [
    ...[...thumbnails.values()].map((image) => [image, side] as const),
    ...film.map((image) => [image, FRAME] as const),
    [first, FIRST_PICTURE],
    [found.image, LARGE_PICTURE],
  ]);
  const command = commandOf(found.options, await builtInCatalogs());
  return renderPage(
    <Page title={`${prompt} \u2013 varsearch`} kind="search report" links={links}>
      <h1>{prompt}</h1>
      <Chips items={searchChips(result)} />
      <IncompleteNotice complete={result.complete} />
      <Warnings messages={result.warnings} />
      <Hero result={result} />
      <FilmSection result={result} />
      <ObserverSection report={result.report} />
      <JudgesSection result={result} />
      <TreeSection result={result} />
      <LedgerSection result={result} />
      <RecipeSection {...{ result, command }} />
    </Page>,
  );
}
