// Bounds on a text of JSON before it is parsed: JSON.parse takes whatever nesting and however many values it is given.

/** How much of it is read. */
export interface JsonLimits {
  readonly bytes: number;
  /** Lists and objects within each other. */
  readonly depth: number;
  /** Values in all, those in lists and objects counted. */
  readonly values: number;
}

/** What is too much about a text, in words; null for nothing. The text may be anything. */
export function jsonExcess(text: string, { depth: most, values: mostValues }: JsonLimits): string | null {
  let depth = 0;
  // Every value but the first of a list or object stands behind a comma.
  let values = 1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === COMMA) values++;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      values++;
      if (++depth > most) return `is nested deeper than ${most} levels`;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
  return values > mostValues ? `holds more than ${mostValues} values` : null;
}

/** The place of the quote that ends the string which starts at `start`, or the text's end. */
export function endOfString(text: string, start: number): number {
  for (let from = start + 1; ;) {
    const end = text.indexOf('"', from);
    if (end < 0) return text.length;
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    // An odd number of backslashes: the last one belongs to the quote.
    if ((end - first) % 2 === 0) return end;
    from = end + 1;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;
