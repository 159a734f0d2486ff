// Which verifiers guide a search, which report on its winner, and what speaks against a choice: all before anything is loaded.

import { UsageError } from '../core/errors.js';
import type { ModelEntry } from '../models/catalog.js';
import type { VerifierEntry } from '../verifiers/catalog.js';
import type { Verifier } from '../verifiers/contract.js';
import { type Ensemble, type EnsembleOptions, isEnsemble, resolveEnsemble } from '../verifiers/ensemble.js';

/** Verifiers by name (a text may hold several, parted by commas) or loaded. */
export type VerifierOption = string | Verifier | readonly (string | Verifier)[];

/** The verifiers that names stand for. */
export interface VerifierCatalog {
  readonly verifiers: readonly VerifierEntry[];
  /** The entry of a name; a UsageError that lists the names when there is none. */
  readonly findVerifier: (name: string) => VerifierEntry;
}

/** The word for all installed verifiers of the model's world that do not guide the search, the oracle left out. */
export const ENSEMBLE_MEMBERS = 'ensemble-members';

/** What a run says about its verifiers. */
export interface VerifierOptions {
  readonly verifier?: VerifierOption | undefined;
  readonly ensemble?: EnsembleOptions | undefined;
  readonly report?: VerifierOption | undefined;
}

/** A verifier that was asked for: an entry to be loaded, or one that is loaded. */
export type WantedVerifier = VerifierEntry | Verifier;

/** The verifiers of a run. */
export interface WantedVerifiers {
  /** At least one; several are an ensemble. */
  readonly guides: readonly WantedVerifier[];
  /** Those that report on the winner, which may be guides as well; null where no report is wanted. */
  readonly reporters: readonly WantedVerifier[] | null;
}

/** True for a verifier that is still to be loaded. */
export function isEntry(wanted: WantedVerifier): wanted is VerifierEntry {
  return 'load' in wanted;
}

/** An option as a list; throws a UsageError for a list without anything in it or with an empty name. */
export function listVerifiers(option: VerifierOption, what: string): readonly (string | Verifier)[] {
  const list =
    typeof option === 'string'
      ? option.split(',').map((name) => name.trim())
      : Array.isArray(option)
        ? (option as readonly (string | Verifier)[])
        : [option as Verifier];
  if (list.length > 0 && !list.includes('')) return list;
  throw new UsageError(`option '${what}' names nothing at one place: part names by single commas`);
}

/** The names of those who guide by a verifier: of an ensemble its members. */
export function guidesOf(wanted: WantedVerifier): readonly string[] {
  return !isEntry(wanted) && isEnsemble(wanted) ? wanted.members : [wanted.name];
}

const isJoined = (each: string | Verifier): each is Ensemble => typeof each !== 'string' && isEnsemble(each);
const nameOf = (each: string | WantedVerifier): string => (typeof each === 'string' ? each : each.name);

/** Throws a UsageError for verifiers that cannot go together, whatever their names stand for. */
export function checkVerifierOptions({ verifier, ensemble, report }: VerifierOptions): void {
  const guides = verifier === undefined ? [] : listVerifiers(verifier, 'verifier');
  const joined = guides.find(isJoined);
  if (guides.length > 1) {
    if (joined) {
      throw new UsageError('an ensemble cannot be a member of another: name all verifiers side by side');
    }
    resolveEnsemble(guides.map(nameOf), ensemble);
  } else if (joined?.members.length === 1) {
    throw new UsageError('an ensemble of one verifier joins nothing: hand in the verifier itself');
  } else if (ensemble && (ensemble.by !== undefined || ensemble.weights !== undefined)) {
    throw new UsageError(
      `the rule and the weights of an ensemble are for several verifiers named by option 'verifier', not for ` +
        `${guides[0] === undefined ? 'the usual one' : `'${nameOf(guides[0])}'`} alone`,
    );
  }
  if (report !== undefined) checkReporters(listVerifiers(report, 'report'));
}

function checkReporters(reporters: readonly (string | Verifier)[]): void {
  if (reporters.some(isJoined)) {
    throw new UsageError("option 'report' has an ensemble, which says nothing by itself: list its members");
  }
  const names = reporters.map(nameOf);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`option 'report' has the verifier '${twice}' twice`);
}

/** How verifiers are looked up. */
export interface FindContext {
  /** Whose pictures they judge; null for a model that was handed in, or pictures from anywhere. */
  readonly model: ModelEntry | null;
  /** The verifier where none is named and no model has one. */
  readonly usual: string;
  readonly catalogs: VerifierCatalog;
}

/** Looks verifiers up. Throws a UsageError for unknown names and for verifiers that do not know the model's pictures. */
export function findVerifiers(options: VerifierOptions, context: FindContext): WantedVerifiers {
  checkVerifierOptions(options);
  const { model, usual, catalogs } = context;
  const { verifier = model?.verifier ?? usual, report } = options;
  const guides = listVerifiers(verifier, 'verifier').map((each) => find(each, catalogs));
  const reporters = report === undefined ? null : findReporters(report, guides, context);
  for (const each of [...guides, ...(reporters ?? [])]) checkWorld(each, model, catalogs);
  return { guides, reporters };
}

function find(each: string | Verifier, catalogs: VerifierCatalog): WantedVerifier {
  return typeof each === 'string' ? catalogs.findVerifier(each) : each;
}

/** Those who report, each once: a guide is meant where one has the name. */
function findReporters(
  report: VerifierOption,
  guides: readonly WantedVerifier[],
  { model, catalogs }: FindContext,
): readonly WantedVerifier[] {
  const found = listVerifiers(report, 'report').flatMap((each) => {
    if (each === ENSEMBLE_MEMBERS) return heldOut(guides, model, catalogs);
    return guides.find(({ name }) => name === each) ?? find(each, catalogs);
  });
  const other = found.find((each) => guides.some((guide) => guide.name === each.name && guide !== each));
  if (other) {
    throw new UsageError(
      `option 'report' has another verifier called '${other.name}' than the one that guides`,
    );
  }
  return [...new Map(found.map((each) => [each.name, each])).values()];
}

function checkWorld(wanted: WantedVerifier, model: ModelEntry | null, catalogs: VerifierCatalog): void {
  if (model?.world !== 'any' || !isEntry(wanted) || wanted.world === 'any') return;
  const others = catalogs.verifiers.filter(({ world }) => world === 'any').map(({ name }) => name);
  throw new UsageError(
    `verifier '${wanted.name}' knows the pictures of the embedded model alone, and '${model.name}' draws others: ` +
      `choose from ${others.join(', ')}`,
  );
}

function heldOut(
  guides: readonly WantedVerifier[],
  model: ModelEntry | null,
  catalogs: VerifierCatalog,
): readonly VerifierEntry[] {
  const known = model && model.world !== 'unknown' ? model.world : guides.find(isEntry)?.world;
  if (known === undefined) {
    throw new UsageError(
      `option 'report': '${ENSEMBLE_MEMBERS}' needs a model or a verifier by name, to know whose pictures to judge: ` +
        'name the reporting verifiers',
    );
  }
  const guiding = new Set(guides.flatMap(guidesOf));
  const found = catalogs.verifiers.filter(
    (each) =>
      each.world === known && each.studyOnly !== true && !guiding.has(each.name) && each.installed() === true,
  );
  if (found.length > 0) return found;
  throw new UsageError(
    `option 'report': no installed verifier for these pictures is left that does not guide the search: name one`,
  );
}
