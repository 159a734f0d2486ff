// The analysis of benchmark runs: from the folders of runs to the sections of a report, as data.

import { armsSection } from './arms.js';
import { Bootstrap, RESAMPLES } from './bootstrap.js';
import { comparisonsSection } from './comparisons.js';
import { controlSection } from './control.js';
import { costsSection } from './costs.js';
import { examplesSection } from './examples.js';
import { foundSection } from './found.js';
import { guidesSection } from './guides.js';
import { joinRuns } from './join-runs.js';
import { kindsSection } from './kinds.js';
import { metricsOf } from './metrics.js';
import { overviewSection } from './overview.js';
import { poolsSection } from './pools.js';
import { answerOf, findPrimary, type Primary, type PrimaryFigures } from './primary.js';
import type { RunFolder } from './read-run.js';
import type { Study } from './study.js';
import type { Section } from './tables.js';

/** How runs are analysed. */
export interface AnalysisOptions {
  /** The comparison that was named before the runs. @default none: everything is exploratory */
  readonly primary?: Primary | null;
  /** Resamples of every interval. @default 2000 */
  readonly resamples?: number;
}

/** A report on benchmark runs as data: all figures, with what they are made of. */
export interface BenchmarkReport {
  readonly format: 1;
  readonly benchmark: string;
  /** Hashes of the manifests. */
  readonly runs: readonly string[];
  readonly resamples: number;
  /** The primary comparison and the control, in sentences. */
  readonly answer: readonly string[];
  /** The figures of the primary comparison; null where none was named or nothing of it is finished. */
  readonly primary: PrimaryFigures | null;
  readonly sections: readonly Section[];
}

/** Analyses runs of one benchmark; throws a UsageError where they do not belong together or nothing is finished. */
export function analyse(runs: readonly RunFolder[], options: AnalysisOptions = {}): BenchmarkReport {
  const { primary = null, resamples = RESAMPLES } = options;
  const joined = joinRuns(runs);
  const cells = joined.cells.filter(({ pictures }) => pictures.length > 0);
  const study: Study = { joined, cells, metrics: metricsOf(cells), bootstrap: new Bootstrap({ resamples }) };
  const answer = answerOf(study, primary);
  const sections = [
    overviewSection(study),
    comparisonsSection(study),
    controlSection(study),
    costsSection(study),
    poolsSection(study),
    guidesSection(study),
    armsSection(study),
    foundSection(study),
    kindsSection(study),
    examplesSection(study, primary ? findPrimary(primary, joined) : null),
  ].filter((section) => section !== null);
  return {
    format: 1,
    benchmark: joined.benchmark.name,
    runs: joined.runs.map(({ manifest }) => manifest.hash),
    resamples,
    answer: answer.words,
    primary: answer.primary,
    sections,
  };
}
