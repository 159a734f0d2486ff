// Tables and figures as data: what the analysis gives, and what Markdown, CSV, JSON and pages are made of.

import type { Estimate } from './bootstrap.js';

/** A value of a table; null where there is none. */
export type Datum = string | number | Estimate | null;

/** How the numbers of a column are written: shares in per cent, differences of shares in points with their sign. */
export type Writing =
  'text' | 'count' | 'share' | 'points' | 'score' | 'difference' | 'large' | 'ratio' | 'probability';

/** A column of a table. */
export interface Column {
  /** In CSV and JSON: letters and underscores. */
  readonly name: string;
  readonly title: string;
  readonly as: Writing;
}

/** A table with what it says. */
export interface Table {
  /** Its file is tables/NAME.csv. */
  readonly name: string;
  readonly title: string;
  /** What a row is and how to read it. */
  readonly note: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Datum[])[];
  /** Whether a page folds it away, being beside the point. @default where it is long */
  readonly folded?: boolean;
}

/** A point of a figure. */
export interface FigurePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number | null;
  readonly high?: number | null;
}

/** Points that belong together. */
export interface FigureSeries {
  readonly name: string;
  /** 'measured' are points at budgets, each with its interval; 'line' is a curve with a band, 'steps' hold until the next point. */
  readonly kind: 'dots' | 'measured' | 'line' | 'steps' | 'dotted';
  /** What gives its colour: the same one all over a report. @default its name */
  readonly hue?: string;
  /** Whether its lines are broken, as those of a second model are. @default false */
  readonly broken?: boolean;
  readonly points: readonly FigurePoint[];
}

/** A figure: its series are its data. */
export interface Figure {
  /** Its data are in tables/NAME.csv. */
  readonly name: string;
  readonly title: string;
  /** Figures of a section with the same words here belong together. */
  readonly group?: string;
  /** Categories in the place of numbers where there are `ticks`: a point's x is the place in them. */
  readonly x: { readonly label: string; readonly logarithmic: boolean; readonly ticks?: readonly string[] };
  readonly y: { readonly label: string; readonly as: Writing };
  readonly series: readonly FigureSeries[];
}

/** A part of a report. */
export interface Section {
  readonly name: string;
  readonly title: string;
  /** Paragraphs. */
  readonly words: readonly string[];
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
}
