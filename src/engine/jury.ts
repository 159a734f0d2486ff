// Verifiers by name or handed in, loaded, and sitting together as a jury.

import { given } from '../core/given.js';
import type { FileHashes } from '../core/hash.js';
import { requireInstalled } from '../core/installed.js';
import type { Ledger } from '../core/ledger.js';
import type { DeviceChoice, Runtime } from '../runtime/index.js';
import type { Bench } from '../search/contract.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import { checkScores, type Cut, type Judge, type Verifier } from '../verifiers/contract.js';
import { combine, isRelative, type Jury, resolveJury } from '../verifiers/jury.js';
import { type Catalogs, checkClipDir, findJudges, isEntry, type WantedVerifier } from './catalogs.js';
import type { JudgeOptions } from './options.js';

/** Judges with a prompt made ready. */
export interface OpenBench extends Bench {
  /** By the names of those judges for which the prompt is too long. */
  readonly cuts: Cuts;
  /** Frees what belongs to the prompt. */
  close(): void;
}

/** How a prompt was cut, by the verifiers' names. */
export type Cuts = ReadonlyMap<string, Cut>;

/** How the prompt was cut for those of some judges for which it is too long. */
export function cutsOf(verifiers: readonly Verifier[], judges: readonly Judge[]): Cuts {
  return new Map(
    verifiers.flatMap(({ name }, i) => (judges[i]?.cut ? [[name, judges[i].cut] as const] : [])),
  );
}

/** The loaded judges of a jury. */
export interface JuryRoom {
  readonly jury: Jury;
  /** The highest score that the judges together can give; null where there is none that they tell. */
  readonly most: number | null;
  /** Floating-point operations of judging one picture; null where a judge does not tell. */
  readonly flops: number | null;
  /** The verifiers' hashes, as verifier/file. */
  hashes(): Promise<FileHashes>;
  /** Encodes the prompt for every judge; costs go to `ledger`. */
  prepare(prompt: string, ledger: Ledger): Promise<OpenBench>;
}

/** Seats loaded verifiers. Throws a UsageError for weights that do not fit. */
export function seatJury(
  judges: readonly Verifier[],
  { ensemble: rule, weights }: JudgeOptions,
  observers: readonly Verifier[] = [],
): JuryRoom {
  const names = judges.map(({ name }) => name);
  const jury = resolveJury(
    names,
    { rule, weights },
    observers.map(({ name }) => name),
  );
  return {
    jury,
    most: mostOf(judges, jury),
    flops: judges.reduce<number | null>(
      (sum, { flops }) => (sum === null || flops === undefined ? null : sum + flops),
      0,
    ),
    hashes: () => hashesOf(judges),
    prepare: async (prompt, ledger) => {
      const ready = await prepareAll(judges, prompt, ledger);
      return {
        jury,
        cuts: cutsOf(judges, ready),
        judge: async (images, call) => {
          const rows: (readonly number[])[] = [];
          // One after the other: they share the engine, and each one's time goes to the ledger.
          for (const [i, judge] of ready.entries()) {
            const scores = await judge.score(images, call);
            call?.signal?.throwIfAborted();
            checkScores(names[i] ?? '', scores, images.length);
            rows.push(scores);
          }
          return images.map((_, image) =>
            Object.fromEntries(names.map((name, i) => [name, rows[i]?.[image] ?? NaN])),
          );
        },
        close: () => {
          for (const judge of ready) judge.close();
        },
      };
    },
  };
}

function mostOf(judges: readonly Verifier[], jury: Jury): number | null {
  if (isRelative(jury) || judges.some(({ most }) => most === undefined)) return null;
  return combine([Object.fromEntries(judges.map(({ name, most = NaN }) => [name, most]))], jury)[0] ?? null;
}

/** Prepares verifiers one after the other; when one fails, the others are closed again. */
export async function prepareAll(
  verifiers: readonly Verifier[],
  prompt: string,
  ledger: Ledger,
): Promise<Judge[]> {
  const judges: Judge[] = [];
  try {
    for (const verifier of verifiers) judges.push(await verifier.prepare(prompt, ledger));
    return judges;
  } catch (error) {
    for (const judge of judges) judge.close();
    throw error;
  }
}

/** The hashes of verifiers' files, as verifier/file. */
export async function hashesOf(verifiers: readonly Verifier[]): Promise<FileHashes> {
  const hashes = await Promise.all(
    verifiers.map(async (verifier) =>
      Object.entries(await verifier.hashes()).map(
        ([file, hash]) => [`${verifier.name}/${file}`, hash] as const,
      ),
    ),
  );
  return Object.fromEntries(hashes.flat());
}

/** The entries that have to be loaded, each once. */
export function entriesOf(wanted: readonly WantedVerifier[]): VerifierEntry[] {
  const entries = wanted.filter((each): each is VerifierEntry => isEntry<VerifierEntry>(each));
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()];
}

/** Where verifiers are loaded into. */
export interface LoadContext {
  /** What they share; stays the caller's. */
  readonly runtime: Runtime | undefined;
  /** Threads of their own runtimes, where they share none. */
  readonly threads: number | undefined;
  /** What these compute on. @default cpu */
  readonly device?: DeviceChoice | undefined;
  /** Cancels the loading of those that may take long. */
  readonly signal: AbortSignal | undefined;
}

/** Verifiers that are there. */
export interface LoadedVerifiers {
  /** The loaded one of those that were asked for. */
  readonly verifierOf: (wanted: WantedVerifier) => Verifier;
  /** Whether a process of one that was loaded here has broken down. */
  readonly isBroken: () => boolean;
  /** Closes what was loaded here; what was handed in stays open. */
  readonly close: () => Promise<void>;
}

/** Loads what is not loaded yet; when one fails, the others are closed again. */
export async function loadVerifiers(
  wanted: readonly WantedVerifier[],
  context: LoadContext,
): Promise<LoadedVerifiers> {
  const entries = entriesOf(wanted);
  const opened = entries.length === 0 ? [] : await open(entries, context);
  const byName = new Map(entries.map(({ name }, i) => [name, opened[i]]));
  return {
    verifierOf: (each) => {
      const found = isEntry<VerifierEntry>(each) ? byName.get(each.name) : each;
      if (!found) throw new RangeError(`verifier '${each.name}' was not loaded`);
      return found;
    },
    isBroken: () => opened.some((verifier) => verifier.isBroken?.() === true),
    close: async () => {
      for (const verifier of opened) await verifier.close();
    },
  };
}

async function open(entries: readonly VerifierEntry[], context: LoadContext): Promise<Verifier[]> {
  const { openVerifiers } = await import('../verifiers/open-verifiers.js');
  return openVerifiers(entries, given(context));
}

/** A jury that was found but not loaded. */
export interface ChosenJury {
  /** The entries of those that were named. */
  readonly entries: readonly VerifierEntry[];
  /** Loads what was named; the caller closes it. */
  readonly open: (signal?: AbortSignal) => Promise<JuryRoom & { close(): Promise<void> }>;
}

/** Looks judges up and sees that their files are there, for whoever has pictures already and needs no model. */
export function chooseJury(options: JudgeOptions, catalogs: Catalogs): ChosenJury {
  const judges = findJudges(options, catalogs);
  checkClipDir(options, judges);
  const entries = entriesOf(judges);
  for (const entry of entries) requireInstalled('verifier', entry);
  const { threads, device } = options;
  return {
    entries,
    open: async (signal) => {
      const runtime =
        entries.length === 0 ? undefined : await catalogs.createRuntime?.(given({ threads, device }));
      try {
        const loaded = await loadVerifiers(judges, { runtime, threads, device, signal });
        return {
          ...seatJury(judges.map(loaded.verifierOf), options),
          close: async () => {
            await loaded.close();
            await runtime?.close();
          },
        };
      } catch (error) {
        await runtime?.close();
        throw error;
      }
    },
  };
}
