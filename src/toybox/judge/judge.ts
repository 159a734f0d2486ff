// Judges a picture against a prompt as GenEval does (evaluate_images.py of djghosh13/geneval): enough objects of
// every group with what the prompt names of them, counted groups exactly, relations by GenEval's rule. Where more
// objects fit than are asked for, the choice that satisfies most counts: each object stands for one group only.
// Beyond GenEval: "one" is exactly one; a prompt that counts ("one" counts, too) or is complex allows nothing that
// it does not ask for; and where it gives one group a texture, a group without one is plain.

import type { Image } from '../../core/image.js';
import type { Group, Prompt } from '../world/grammar.js';
import { promptKind, promptText } from '../world/grammar.js';
import { holds } from '../world/relation.js';
import type { DetectedObject, Detection } from './detector.js';
import { detectObjects } from './detector.js';

/** What can be wrong with a picture; an object that is not there at all is a fault of count. */
export const FAULTS = ['count', 'shape', 'colour', 'texture', 'size', 'relation', 'extra'] as const;
/** One of the things that can be wrong with a picture. */
export type Fault = (typeof FAULTS)[number];

/** The verdict on a picture; `score` is the share of the prompt's demands that hold, 1 exactly when correct. */
interface Judgement {
  readonly correct: boolean;
  readonly reasons: readonly string[];
  /** What is wrong, each once, in the order of FAULTS. */
  readonly faults: readonly Fault[];
  readonly score: number;
}

/** One object that the prompt asks for. */
interface Slot {
  readonly group: Wanted;
  readonly index: number;
}

type Assignment = readonly (DetectedObject | null)[];

/** A prompt with the objects that stand for what it asks. */
interface Assigned {
  readonly prompt: Prompt;
  readonly slots: readonly Slot[];
  readonly chosen: Assignment;
  readonly objects: readonly DetectedObject[];
}

/** Objects beyond this number are left out of the search for the best assignment, the least clear ones first. */
const MOST_OBJECTS = 8;

type Property = 'shape' | 'colour' | 'texture' | 'size';

/** A group with what its objects have to be, as pairs of a property and its wanted value. */
interface Wanted extends Group {
  readonly demands: readonly (readonly [Property, string])[];
}

/** The groups of a prompt with their demands: what is named, and "plain" beside a group whose texture is named. */
function wantedGroups({ groups }: Prompt): readonly Wanted[] {
  const textured = groups.some(({ texture }) => texture !== null);
  return groups.map((group) => {
    const { shape, colour, texture, size } = group;
    const named = [
      ['shape', shape],
      ['colour', colour],
      ['texture', texture ?? (textured ? 'plain' : null)],
      ['size', size],
    ] as const;
    return {
      ...group,
      demands: named.flatMap(([property, value]) => (value === null ? [] : [[property, value] as const])),
    };
  });
}

/** Whether a prompt says all that the picture shows, so that anything else in it is wrong. */
function saysAll(prompt: Prompt): boolean {
  const kind = promptKind(prompt);
  return kind === 'counting' || kind === 'complex' || prompt.groups.some(({ exact }) => exact);
}

function unmet({ demands }: Wanted, object: DetectedObject): readonly Property[] {
  return demands.flatMap(([property, value]) => (object[property] === value ? [] : [property]));
}

function satisfied(group: Wanted, object: DetectedObject): number {
  return group.demands.length - unmet(group, object).length;
}

const fitsGroup = (group: Wanted, object: DetectedObject): boolean => unmet(group, object).length === 0;

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
  const most = slots.map(({ group }) => group.demands.length);
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

/** Collects demands that hold, and reasons and faults for those that do not. */
class Tally {
  readonly reasons: string[] = [];
  readonly #faults = new Set<Fault>();
  #met = 0;
  #all = 0;

  /** Adds demands of which `met` (may be fractional) hold. */
  add(met: number, all: number, faults: readonly Fault[], reason: () => string): void {
    this.#met += met;
    this.#all += all;
    if (met >= all) return;
    this.reasons.push(reason());
    for (const fault of faults) this.#faults.add(fault);
  }

  get judgement(): Judgement {
    const correct = this.reasons.length === 0;
    const faults = FAULTS.filter((fault) => this.#faults.has(fault));
    return { correct, reasons: this.reasons, faults, score: correct ? 1 : this.#met / this.#all };
  }
}

const nameOf = (group: Group): string => promptText({ groups: [group], relation: null });

function describeObject(object: DetectedObject): string {
  return [object.size, object.texture, object.colour, object.shape].join(' ');
}

function tallyGroup(
  tally: Tally,
  group: Wanted,
  chosen: Assignment,
  objects: readonly DetectedObject[],
): void {
  const wanted = group.demands.length;
  for (const object of chosen) {
    const met = object === null ? 0 : satisfied(group, object);
    const faults = object === null ? (['count'] as const) : unmet(group, object);
    tally.add(met, wanted, faults, () => {
      const found = object === null ? 'nothing left for it' : `nearest is a ${describeObject(object)}`;
      return `expected ${nameOf(group)}: ${found}`;
    });
  }
  if (group.count === 1 && !group.exact) return;
  const found = objects.filter((object) => fitsGroup(group, object)).length;
  const off = Math.abs(found - group.count) / group.count;
  // Where one of them is something else, that is the fault, and not that one is missing.
  const faults = found > group.count || chosen.includes(null) ? (['count'] as const) : [];
  tally.add(1 - Math.min(1, off), 1, faults, () => `expected ${nameOf(group)}, found ${String(found)}`);
}

/** Objects that nobody asked for, but for those that a count has been blamed for already. */
function tallyExtras(tally: Tally, { prompt, slots, chosen, objects }: Assigned): void {
  if (!saysAll(prompt)) return;
  const counted = slots.map(({ group }) => group).filter(({ count, exact }) => count > 1 || exact);
  const extras = objects.filter(
    (object) => !chosen.includes(object) && !counted.some((group) => fitsGroup(group, object)),
  );
  if (extras.length === 0) return;
  tally.add(1 - Math.min(1, extras.length / slots.length), 1, ['extra'], () => {
    const found = extras.map((object) => `a ${describeObject(object)}`).join(' or ');
    return `did not expect ${found}`;
  });
}

/** Judges what was detected against what a prompt says. */
export function judge(prompt: Prompt, detection: Detection): Judgement {
  const objects = [...detection.objects]
    .sort((a, b) => b.confidence.shape - a.confidence.shape)
    .slice(0, MOST_OBJECTS);
  const groups = wantedGroups(prompt);
  const slots = groups.flatMap((group, index) =>
    Array.from({ length: group.count }, (): Slot => ({ group, index })),
  );
  const chosen = assign(prompt, slots, objects);
  const of = (index: number): Assignment => chosen.filter((_, i) => slots[i]?.index === index);
  const tally = new Tally();
  groups.forEach((group, index) => {
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
      // Where an end is missing, that is the fault.
      chosen.includes(null) ? [] : ['relation'],
      () => `expected ${nameOf(first)} ${relation} ${nameOf(second)}`,
    );
  }
  tallyExtras(tally, { prompt, slots, chosen, objects });
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
