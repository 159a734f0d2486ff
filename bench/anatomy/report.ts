// What bench/beam-anatomy.ts prints of its measurements.

import { bootstrap, inPercent, mean } from '../resumed.js';
import { findsBest, gainOf, type Grid, type Rolled, shareBetween, squaresOf } from './prefixes.js';
import type { Drawn, Outcome } from './searches.js';

/** One figure a prompt, in percent with its interval. */
const percent = (figures: readonly number[]): string => inPercent(bootstrap(figures, mean));

/** One candidate of so many is elected by so many rollouts: the same number of rollouts. */
const ELECTIONS = [
  { candidates: 12, by: 1 },
  { candidates: 6, by: 2 },
  { candidates: 3, by: 4 },
];

function gridOf(rolled: Rolled | undefined, name: string): Grid {
  return (name === 'right' ? rolled?.right : rolled?.scores[name]) ?? [];
}

/** Of every prompt what the prefixes of 1, 2, ... scales came to. */
export function reportPrefixes(measured: readonly (readonly Rolled[])[], told: readonly string[]): void {
  const grids = measured.flat().map(({ right }) => right);
  const sizes = `${grids[0]?.length ?? 0} prefixes of every length, ${grids[0]?.[0]?.length ?? 0} rollouts each`;
  const right = (100 * mean(grids.flat(2))).toFixed(1);
  console.log(`${measured.length} prompts, ${sizes}; ${right} % of the pictures are right`);
  const steps = (measured[0] ?? []).map((_, i) => i);
  for (const name of ['right', 'oracle', ...told]) {
    console.log(`percent of the variance of ${name} that is decided after so many scales`);
    for (const step of steps) {
      const squares = measured.map((own) => squaresOf(gridOf(own[step], name)));
      console.log(`  ${step + 1}: ${inPercent(bootstrap(squares, shareBetween))}`);
    }
  }
  for (const judge of told) {
    console.log(`electing by rollouts that ${judge} judges, after so many scales`);
    for (const step of steps) {
      const units = measured.map((own) => ({
        score: gridOf(own[step], judge),
        value: gridOf(own[step], 'right'),
      }));
      const found = percent(units.map(({ score }) => findsBest(score, 3)));
      console.log(`  ${step + 1}: the best prefix is among the 3 elected by one rollout in ${found}`);
      for (const election of ELECTIONS) {
        const gain = percent(units.map((unit) => gainOf(unit, election)));
        const { candidates, by } = election;
        console.log(`     right more often, best of ${candidates} by ${by} rollouts each: ${gain} points`);
      }
    }
  }
}

/** Of one prompt, by search. */
export type Outcomes = Readonly<Record<string, Outcome>>;

/** Which searches, the first ones to compare with, and who scored all pictures. */
interface Reported {
  readonly arms: readonly string[];
  readonly told: readonly string[];
}

const winnerOf = ({ winner, drawn }: Outcome): Drawn | undefined => drawn.find(({ id }) => id === winner);
const isRight = (outcome: Outcome): number => Number(winnerOf(outcome)?.right);
const isInPool = ({ drawn }: Outcome): number => Number(drawn.some(({ right }) => right));
const density = ({ drawn }: Outcome): number => mean(drawn.map(({ right }) => Number(right)));

/** Every search: against those before it, by judge, and by round. */
export function reportSearches(measured: readonly Outcomes[], { arms, told }: Reported): void {
  for (const [i, name] of arms.entries()) {
    const own = measured.flatMap((each) => each[name] ?? []);
    const of = (figure: (outcome: Outcome) => number): string => percent(own.map(figure));
    const pictures = mean(own.map(({ drawn }) => drawn.length)).toFixed(0);
    console.log(
      `${name}: ${own.length} prompts, ${mean(own.map(({ nfe }) => nfe)).toFixed(0)} NFE, ${pictures} pictures`,
    );
    console.log(`  right ${of(isRight)}; pool ${of(isInPool)}; of its pictures ${of(density)}`);
    for (const other of arms.slice(0, i)) {
      const differences = (figure: (outcome: Outcome) => number): string =>
        percent(
          measured.flatMap((each) => {
            const [one, against] = [each[name], each[other]];
            return one && against ? figure(one) - figure(against) : [];
          }),
        );
      console.log(`  against ${other}: right ${differences(isRight)}; pool ${differences(isInPool)}`);
    }
    reportPicks(own, told);
    reportRounds(own, told);
  }
}

/** Whether the best of a pool by a number is right. */
function pick(drawn: readonly Drawn[], numbers: readonly number[]): number {
  return Number(drawn[numbers.indexOf(Math.max(...numbers))]?.right);
}

/** How many numbers each is above. */
const placesOf = (numbers: readonly number[]): number[] =>
  numbers.map((one) => numbers.filter((other) => other < one).length);

function reportPicks(own: readonly Outcome[], told: readonly string[]): void {
  const scoresOf = ({ drawn }: Outcome, judge: string): number[] =>
    drawn.map(({ scores }) => scores[judge] ?? NaN);
  for (const judge of told) {
    const picks = own.map((outcome) => pick(outcome.drawn, scoresOf(outcome, judge)));
    console.log(`  its pool, picked by ${judge}: ${percent(picks)}`);
  }
  if (told.length > 1) {
    const picks = own.map((outcome) => {
      const places = told.map((judge) => placesOf(scoresOf(outcome, judge)));
      const sums = outcome.drawn.map((_, i) => places.reduce((sum, each) => sum + (each[i] ?? NaN), 0));
      return pick(outcome.drawn, sums);
    });
    console.log(`  its pool, picked by the mean rank of ${told.join(' and ')}: ${percent(picks)}`);
  }
  const missed = own.filter((outcome) => isInPool(outcome) > isRight(outcome));
  const faults = missed.flatMap((outcome) => winnerOf(outcome)?.faults ?? []);
  const tally = [...new Set(faults)].map((one) => `${one} ${faults.filter((fault) => fault === one).length}`);
  console.log(`  wrong although a right one was there: ${missed.length}, by ${tally.join(', ')}`);
}

const SCALES = 6;

/** What a candidate cost: its own scale and those after it. */
const nfeOf = (drawn: readonly Drawn[]): number =>
  drawn.reduce((sum, { round }) => sum + SCALES + 1 - round, 0);

function reportRounds(own: readonly Outcome[], told: readonly string[]): void {
  const late = own.map(({ drawn, winner }) => nfeOf(drawn.filter(({ id }) => id > winner)) / nfeOf(drawn));
  console.log(`  of its NFE, after its winner was found: ${percent(late)}`);
  const rounds = [...new Set(own.flatMap(({ drawn }) => drawn.map(({ round }) => round)))].sort();
  const winners = own.map((outcome) => winnerOf(outcome)?.round);
  const shares = (is: (one: Drawn, all: readonly Drawn[]) => boolean): string =>
    rounds
      .map((round) => {
        const parts = own.flatMap(({ drawn }) => {
          const some = drawn.filter((each) => each.round === round);
          return some.length === 0 ? [] : [mean(some.map((one) => Number(is(one, some))))];
        });
        return (100 * mean(parts)).toFixed(1);
      })
      .join(', ');
  console.log(`  by round ${rounds.join(', ')}:`);
  console.log(
    `    winners ${rounds.map((round) => winners.filter((each) => each === round).length).join(', ')}`,
  );
  console.log(`    percent right ${shares(({ right }) => right)}`);
  console.log(`    percent with the bits of an earlier one ${shares(({ twinOf }) => twinOf > 0)}`);
  for (const judge of ['oracle', ...told]) {
    const tied = (one: Drawn, all: readonly Drawn[]): boolean =>
      all.some((other) => other !== one && other.scores[judge] === one.scores[judge]);
    console.log(`    percent that another equals by ${judge} ${shares(tied)}`);
  }
}
