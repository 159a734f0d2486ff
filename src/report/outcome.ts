// What came of a search, in sentences: where the winner was found, who stands as high, and what the numbers do not say.

import { deviation, max, mean } from 'd3-array';

import { formatCount, formatScore } from '../core/format.js';
import type { GenerateResult } from '../run/result.js';
import { drawn, previewOf, standingsOf } from '../run/standings.js';
import type { Candidate } from '../search/contract.js';
import { heightOf } from '../verifiers/jury.js';
import { roundsOf } from './tree-layout.js';
import { describeJudged, describeStanding, isJoined } from './words.js';

type Searched = Pick<GenerateResult, 'candidates' | 'winner' | 'schedule' | 'options'>;

/** The winner as it was found, and those that it was compared with. */
interface Found {
  readonly origin: Candidate;
  /** Every candidate that was drawn and judged at as many steps, in order. */
  readonly peers: readonly Candidate[];
  /** Their round, from 1. */
  readonly roundOf: (candidate: Candidate) => number;
  readonly rounds: number;
  /** Higher is better. */
  readonly height: (candidate: Candidate) => number;
  readonly words: (candidate: Candidate) => string;
  /** What they are: pictures, previews. */
  readonly kind: string;
}

function findWinner({ candidates, winner, schedule, options: { jury } }: Searched): Found {
  const preview = previewOf(candidates, winner);
  const judged = preview ?? winner;
  const origin = candidates[(judged.sameAs ?? judged.id) - 1] ?? judged;
  const rounds = roundsOf(candidates);
  const numbers = new Map(rounds.flatMap((round, i) => round.map(({ id }) => [id, i + 1] as const)));
  const standings = standingsOf([candidates], jury);
  return {
    origin,
    peers: drawn(candidates).filter(({ judgedAt }) => judgedAt === origin.judgedAt),
    roundOf: ({ id }) => numbers.get(id) ?? 0,
    // The last round of a preview that has won is nothing but its completion.
    rounds: preview ? rounds.length - 1 : rounds.length,
    height: (candidate) => heightOf(standings(candidate)),
    words: (candidate) => describeStanding(standings(candidate), jury),
    kind: describeJudged(origin, schedule),
  };
}

const plural = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;

/** Where the winner was found, in one sentence: "Found in round 1 of 6; rounds 2 to 6 found none better." */
function whereFound({ origin, peers, roundOf, rounds, height, words, kind }: Found): string {
  if (rounds <= 1) {
    const [place, count] = [peers.indexOf(origin) + 1, peers.length];
    if (count === 1) return `The only ${kind} that was drawn.`;
    const after = count - place;
    const rest =
      after === 0
        ? ', the last'
        : `; the ${after === 1 ? 'one' : formatCount(after)} after it ${after === 1 ? 'is' : 'are'} no better`;
    return `Found as ${kind} ${formatCount(place)} of ${formatCount(count)}${rest}.`;
  }
  const round = roundOf(origin);
  const begin = `Found in round ${round} of ${rounds}`;
  const best = peers.find(
    (each) => height(each) > height(origin) && !peers.some((other) => height(other) > height(each)),
  );
  if (best) {
    return `${begin}; the best of all was in round ${roundOf(best)} (${words(best)}), which the search did not end with.`;
  }
  const later = Math.max(...peers.map(roundOf));
  if (later <= round) return `${begin}${round === rounds ? ', the last' : ''}.`;
  const which = later === round + 1 ? `round ${later}` : `rounds ${round + 1} to ${later}`;
  return `${begin}; ${which} found none better.`;
}

/** Who stands as high as the winner, or that all do. */
function ties({ origin, peers, height, kind }: Found, joined: boolean): string | null {
  const same = peers.filter((each) => height(each) === height(origin)).length - 1;
  if (same <= 0) return null;
  const verb = joined ? 'stand' : 'score';
  if (same === peers.length - 1) {
    return `All ${plural(peers.length, kind)} ${verb} exactly the same, so that nothing tells them apart.`;
  }
  return `${plural(same, `other ${kind}`)} ${verb}${same === 1 ? 's' : ''} exactly the same.`;
}

/** What came of a search, in sentences; the first says where the winner was found. */
export function describeOutcome(result: Searched): readonly string[] {
  const found = findWinner(result);
  const { jury } = result.options;
  const [only = ''] = jury.judges;
  const joined = isJoined(jury);
  // A score of exactly 0 comes of a count or of a cut: it is where a verifier sees nothing. Others give numbers on both sides of 0.
  const none =
    !joined && found.height(found.origin) === 0 && max(found.peers, found.height) === 0
      ? `No ${found.kind} scored above 0: ${only} found nothing of the prompt in any of them.`
      : null;
  return [whereFound(found), ties(found, joined), none].flatMap((sentence) => sentence ?? []);
}

/** What the pictures score that the winner was chosen from, by a judge: "all 90: 1.7240 ± 0.3121"; '' for one picture. */
export function describeSpread(result: Searched, judge: string): string {
  const { peers } = findWinner(result);
  const scores = peers.map(({ scores: own }) => own[judge] ?? NaN);
  const spread = deviation(scores);
  if (spread === undefined) return '';
  return `all ${formatCount(scores.length)}: ${formatScore(mean(scores) ?? NaN)} \u00b1 ${formatScore(spread)}`;
}
