// The frame of every report: one self-contained document, which its own content policy keeps from the network.

import { createHash } from 'node:crypto';

import { VERSION } from '../engine/versions.js';
import type { Html, HtmlValue } from './html.js';
import { Html as Raw, html } from './html.js';
import { SCRIPT } from './components/script.js';
import { STYLE } from './components/style.js';

/** What a page is made of. */
export interface PageParts {
  readonly title: string;
  /** What kind of page it is, for its upper right corner. */
  readonly kind: string;
  readonly body: HtmlValue;
}

/** What stands between the tags of the only script, to the byte. */
const SCRIPT_TEXT = `\n${SCRIPT}`;
const SCRIPT_HASH = createHash('sha256').update(SCRIPT_TEXT).digest('base64');

const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; " +
  `script-src 'sha256-${SCRIPT_HASH}'; base-uri 'none'; form-action 'none'`;

/** A whole HTML document. */
export function page({ title, kind, body }: PageParts): string {
  const document: Html = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="varsearch ${VERSION}" />
        <title>${title}</title>
        <style>
          ${new Raw(STYLE)}
        </style>
      </head>
      <body>
        <header class="top"><b>varsearch</b><span>${kind}</span></header>
        <main>
          ${body}
          <footer class="foot">Made by varsearch ${VERSION}. This page needs no network.</footer>
        </main>
        ${new Raw(`<script>${SCRIPT_TEXT}</script>`)}
      </body>
    </html> `;
  return document.text;
}
