// Judges a picture against a prompt as GenEval does (evaluate_images.py of djghosh13/geneval): enough objects of
// every group with what the prompt names of them, counted groups exactly, relations by GenEval's rule. Where more
// objects fit than are asked for, the choice that satisfies most counts: each object stands for one group only.

import type { Image } from '../../core/image.js';
import type { Group, Prompt } from '../world/grammar.js';
import { promptText } from '../world/grammar.js';
import { holds } from '../world/relation.js';
import type { DetectedObject, Detection } from './detector.js';
import { detectObjects } from './detector.js';

/** The verdict on a picture; `score` is the share of the prompt's demands that hold, 1 exactly when correct. */
interface Judgement {
  readonly correct: boolean;
  readonly reasons: readonly string[];
  readonly score: number;
}

/** One object that the prompt asks for. */
interface Slot {
  readonly group: Group;
  readonly index: number;
}

type Assignment = readonly (DetectedObject | null)[];

/** Objects beyond this number are left out of the search for the best assignment, the least clear ones first. */
const MOST_OBJECTS = 8;

/** What a prompt names of a group's objects, as pairs of a property and its wanted value. */
function demands({ shape, colour, texture, size }: Group): readonly (readonly [keyof Group, string])[] {
  const named = [
    ['shape', shape],
    ['colour', colour],
    ['texture', texture],
    ['size', size],
  ] as const;
  return named.flatMap(([property, value]) => (value === null ? [] : [[property, value] as const]));
}

function satisfied(group: Group, object: DetectedObject): number {
  return demands(group).filter(([property, value]) => object[property as keyof DetectedObject] === value)
    .length;
}

const fitsGroup = (group: Group, object: DetectedObject): boolean =>
  satisfied(group, object) === demands(group).length;

/** How many related pairs of an assignment lie as the prompt says; both ends have to be there. */
function relatedPairs(prompt: Prompt, slots: readonly Slot[], chosen: Assignment): number {
  const { relation } = prompt;
  if (relation === null) return 0;
  const of = (index: number): DetectedObject[] =>
    chosen.filter((object, i): object is DetectedObject => object !== null && slots[i]?.index === index);
  return of(0).reduce((sum, a) => sum + of(1).filter((b) => holds(relation, a.box, b.box)).length, 0);
}

/** How many demands each object meets in each slot. */
function meritsOf(slots: readonly Slot[], objects: readonly DetectedObject[]): number[][] {
  return slots.map(({ group }) => objects.map((object) => satisfied(group, object)));
}

/**
 * The assignment of distinct objects to slots that satisfies most demands, found by branch and bound. Slots of a
 * group are alike, so their objects are taken in order only.
 */
function assign(prompt: Prompt, slots: readonly Slot[], objects: readonly DetectedObject[]): Assignment {
  const pairs =
    prompt.relation === null ? 0 : (prompt.groups[0]?.count ?? 0) * (prompt.groups[1]?.count ?? 0);
  const merits = meritsOf(slots, objects);
  const most = slots.map(({ group }) => demands(group).length);
  const rest = most.map((_, i) => most.slice(i).reduce((sum, count) => sum + count, 0));
  const toObjects = (indices: readonly number[]): Assignment =>
    indices.map((index) => objects[index] ?? null);
  let best: Assignment = slots.map(() => null);
  let bestValue = -1;
  const place = (chosen: readonly number[], value: number): void => {
    const at = chosen.length;
    if (value + (rest[at] ?? 0) + pairs <= bestValue) return;
    if (at === slots.length) {
      const total = value + relatedPairs(prompt, slots, toObjects(chosen));
      if (total <= bestValue) return;
      bestValue = total;
      best = toObjects(chosen);
      return;
    }
    const row = merits[at] ?? [];
    const first = slots[at - 1]?.index === slots[at]?.index ? (chosen[at - 1] ?? -1) + 1 : 0;
    const options = objects
      .map((_, index) => index)
      .filter((index) => index >= first && (row[index] ?? 0) > 0 && !chosen.includes(index))
      .sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0));
    for (const index of options) place([...chosen, index], value + (row[index] ?? 0));
    // An index past the last object stands for "none", and keeps the order within a group.
    place([...chosen, objects.length], value);
  };
  place([], 0);
  return best;
}

/** Collects demands that hold and reasons for those that do not. */
class Tally {
  readonly reasons: string[] = [];
  #met = 0;
  #all = 0;

  /** Adds demands of which `met` (may be fractional) hold. */
  add(met: number, all: number, reason: () => string): void {
    this.#met += met;
    this.#all += all;
    if (met < all) this.reasons.push(reason());
  }

  get judgement(): Judgement {
    const correct = this.reasons.length === 0;
    return { correct, reasons: this.reasons, score: correct ? 1 : this.#met / this.#all };
  }
}

const nameOf = (group: Group): string => promptText({ groups: [group], relation: null });

function describeObject(object: DetectedObject): string {
  return [object.size, object.texture, object.colour, object.shape].join(' ');
}

function tallyGroup(
  tally: Tally,
  group: Group,
  chosen: Assignment,
  objects: readonly DetectedObject[],
): void {
  const wanted = demands(group).length;
  for (const object of chosen) {
    const met = object === null ? 0 : satisfied(group, object);
    tally.add(met, wanted, () => {
      const found = object === null ? 'nothing left for it' : `nearest is a ${describeObject(object)}`;
      return `expected ${nameOf(group)}: ${found}`;
    });
  }
  if (group.count === 1) return;
  const found = objects.filter((object) => fitsGroup(group, object)).length;
  const off = Math.abs(found - group.count) / group.count;
  tally.add(1 - Math.min(1, off), 1, () => `expected ${nameOf(group)}, found ${String(found)}`);
}

/** Judges what was detected against what a prompt says. */
export function judge(prompt: Prompt, detection: Detection): Judgement {
  const objects = [...detection.objects]
    .sort((a, b) => b.confidence.shape - a.confidence.shape)
    .slice(0, MOST_OBJECTS);
  const slots = prompt.groups.flatMap((group, index) =>
    Array.from({ length: group.count }, (): Slot => ({ group, index })),
  );
  const chosen = assign(prompt, slots, objects);
  const of = (index: number): Assignment => chosen.filter((_, i) => slots[i]?.index === index);
  const tally = new Tally();
  prompt.groups.forEach((group, index) => {
    // Objects that stand for another group are not counted here.
    const free = objects.filter((object) => of(index).includes(object) || !chosen.includes(object));
    tallyGroup(tally, group, of(index), free);
  });
  const { relation } = prompt;
  if (relation !== null) {
    const pairs = of(0).length * of(1).length;
    const [first, second] = prompt.groups as [Group, Group];
    tally.add(
      relatedPairs(prompt, slots, chosen),
      pairs,
      () => `expected ${nameOf(first)} ${relation} ${nameOf(second)}`,
    );
  }
  return tally.judgement;
}

/** Finds the objects of a 64 x 64 picture and judges them against a prompt. */
export function judgePicture(prompt: Prompt, image: Image): Judgement {
  return judge(prompt, detectObjects(image));
}

/** How well a picture shows a prompt, 0..1: the share of its demands that hold. For use as an oracle verifier. */
export function oracleScore(prompt: Prompt, image: Image): number {
  return judgePicture(prompt, image).score;
}
