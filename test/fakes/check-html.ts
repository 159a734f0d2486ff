// A strict reader of the HTML that reports are made of: every element closed in order, every attribute quoted.

const VOID = new Set(['meta', 'img', 'br', 'hr', 'input', 'link']);
/** Elements whose content is not markup. */
const RAW = new Set(['script', 'style']);
// In SVG an element may close itself.
const TAG = /<(\/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z][A-Za-z0-9:-]*(?:="[^"<]*")?)*)\s*(\/?)>/y;

/** An element as it was opened. */
export interface HtmlTag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** All elements of a page in order; throws where the page is not well formed. */
export function readHtml(page: string): HtmlTag[] {
  const tags: HtmlTag[] = [];
  const open: string[] = [];
  let at = page.startsWith('<!doctype html>') ? '<!doctype html>'.length : 0;
  for (;;) {
    const next = page.indexOf('<', at);
    if (next < 0) break;
    TAG.lastIndex = next;
    const match = TAG.exec(page);
    if (!match) throw new Error(`not a tag: ${page.slice(next, next + 80)}`);
    const [whole, slash, name = '', attributes = '', selfClosing] = match;
    at = next + whole.length;
    if (slash === '/') {
      const last = open.pop();
      if (last !== name) throw new Error(`</${name}> closes <${String(last)}>`);
      continue;
    }
    tags.push({ name, attributes: readAttributes(attributes) });
    if (VOID.has(name) || selfClosing === '/') continue;
    open.push(name);
    if (RAW.has(name)) at = page.indexOf(`</${name}>`, at);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  return tags;
}

function readAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/([A-Za-z][A-Za-z0-9:-]*)(?:="([^"]*)")?/g)) {
    if (name in attributes) throw new Error(`attribute ${name} is given twice`);
    attributes[name] = value;
  }
  return attributes;
}
