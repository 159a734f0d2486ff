// The stack, marks and memo of a pickle, with bounds on each: a pickle of a few bytes may ask for a lot of memory.

import { CheckpointError } from '../../core/errors.js';
import { LIMITS } from './limits.js';
import type { PickleKey, PickleValue } from './pickle-values.js';
import { type TorchStorage } from './pickle-values.js';
import { quoteName } from './tensor-source.js';

/** What is counted, and the most of each. */
const MOST = {
  values: LIMITS.pickleValues,
  stack: LIMITS.pickleStack,
  memo: LIMITS.pickleMemo,
  containers: LIMITS.pickleContainers,
};

/** The state of a pickle that is being interpreted; every misuse throws CheckpointError. */
export class PickleMachine {
  readonly #label: string;
  #stack: PickleValue[] = [];
  /** The stacks below each open mark. */
  readonly #below: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();
  readonly #storages = new Map<string, TorchStorage>();
  readonly #used = { values: 0, stack: 0, memo: 0, containers: 0 };

  constructor(label: string) {
    this.#label = label;
  }

  /** Throws the machine's error: a fault of the file's pickle. */
  fail(fault: string): never {
    throw new CheckpointError(this.#label, `its pickle ${fault}`);
  }

  push(value: PickleValue): void {
    this.#count('values', 1);
    this.#count('stack', 1);
    this.#stack.push(value);
  }

  /** A new list, counted. */
  list(): PickleValue[] {
    this.#count('containers', 1);
    return [];
  }

  /** A new dictionary, counted. */
  dictionary(): Map<PickleKey, PickleValue> {
    this.#count('containers', 1);
    return new Map();
  }

  /** A tuple of the items, counted: a frozen copy, which nothing in the pickle can change any more. */
  tuple(items: readonly PickleValue[]): readonly PickleValue[] {
    this.#count('containers', 1);
    return Object.freeze([...items]);
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) this.fail('takes a value from an empty stack');
    this.#used.stack--;
    return value;
  }

  /** Removes and returns the topmost `count` values, the oldest first. */
  popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  /** The topmost value, which stays. */
  top(): PickleValue {
    return this.#stack.at(-1) ?? this.#emptyOrNone();
  }

  mark(): void {
    this.#count('stack', 1);
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  /** Removes and returns everything above the last mark. */
  popToMark(): PickleValue[] {
    const items = this.#stack;
    const below = this.#below.pop();
    if (below === undefined) this.fail('closes a group that it never opened');
    this.#stack = below;
    this.#used.stack -= items.length + 1;
    return items;
  }

  /** Remembers the topmost value; a slot is written once, as every pickler does it. */
  remember(slot: number = this.#memo.size): void {
    if (this.#memo.has(slot)) this.fail(`writes its memo slot ${slot} twice`);
    this.#count('memo', 1);
    this.#memo.set(slot, this.top());
  }

  /** What was remembered in a slot. */
  recall(slot: number): PickleValue {
    const value = this.#memo.get(slot);
    if (value === undefined) this.fail(`reads its memo slot ${slot}, which holds nothing`);
    return value;
  }

  /** The one storage of this key; all references to it must agree. */
  storage(candidate: TorchStorage): TorchStorage {
    const known = this.#storages.get(candidate.key);
    if (known === undefined) {
      this.#storages.set(candidate.key, candidate);
      return candidate;
    }
    if (known.dtype !== candidate.dtype || known.length !== candidate.length) {
      this.fail(`describes the storage '${quoteName(known.key)}' in two ways`);
    }
    return known;
  }

  /** The result, once nothing else is left. */
  finish(): PickleValue {
    const value = this.pop();
    if (this.#used.stack !== 0) this.fail('ends with values left over');
    return value;
  }

  #emptyOrNone(): PickleValue {
    return this.#stack.length > 0 ? null : this.fail('needs a value from an empty stack');
  }

  #count(what: keyof typeof MOST, by: number): void {
    this.#used[what] += by;
    if (this.#used[what] > MOST[what]) {
      this.fail(`is too large: more than ${MOST[what]} entries (${what})`);
    }
  }
}
