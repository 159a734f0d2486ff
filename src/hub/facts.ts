// What is known of files on the Hugging Face Hub before anything is asked there: data that catalogues of models and verifiers
// hold, and that `varsearch pull` follows.

/** Under which terms files are given. */
export interface HubLicence {
  readonly name: string;
  /** Where its text is. @default the repository's page */
  readonly url?: string;
  /** Why it is shown and has to be accepted before files are fetched, such as 'non-commercial'. @default it need not be */
  readonly accept?: string;
}

/** Files of one repository that belong together and are read from one folder. */
export interface HubPart {
  /** OWNER/NAME. */
  readonly repo: string;
  /** Branch, tag or commit. @default 'main' */
  readonly revision?: string;
  /**
   * Paths in the repository, all of which are needed; of a list of names, one, the best first. One that ends in .index.json
   * brings the shards that it names.
   */
  readonly files: readonly (string | readonly string[])[];
  /** Paths that are fetched where the repository has them. */
  readonly optional?: readonly string[];
  /** Beginnings of the names of the tensors that are needed: shards without any of them are left. @default all */
  readonly tensors?: readonly string[];
  /** Size of what is fetched, about: for plans. The Hub says it exactly. */
  readonly bytes?: number;
  /** SHA-256 of files that are known whatever the Hub says, by their paths. */
  readonly sha256?: Readonly<Record<string, string>>;
  readonly licence: HubLicence;
}

/** A file that is on no Hub: fetched from its address into a folder below `modelsFolder()`. */
export interface WebFile {
  readonly url: string;
  readonly folder: string;
  readonly file: string;
  readonly licence: HubLicence;
}

/** All that something with a name needs. */
export interface HubSet {
  readonly parts: readonly HubPart[];
  readonly web?: readonly WebFile[];
}

/** The revision of a part. */
export function revisionOf({ revision = 'main' }: HubPart): string {
  return revision;
}

/** The names of a file that has one or several. */
export function namesOf(file: string | readonly string[]): readonly string[] {
  return typeof file === 'string' ? [file] : file;
}

/** True for the name of an index of shards. */
export function isIndex(path: string): boolean {
  return path.endsWith('.index.json');
}

/** Bytes of a set, about; at least so many where some part's are not known. */
export function bytesOf({ parts }: HubSet): { readonly bytes: number; readonly atLeast: boolean } {
  return {
    bytes: parts.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    atLeast: parts.some(({ bytes }) => bytes === undefined),
  };
}
