// The frame of every page: one self-contained document, which its own content policy keeps from the network.

import { createHash } from 'node:crypto';
import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

import { VERSION } from '../../engine/versions.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

/** A page that belongs to this one, by its address from here. */
export interface PageLink {
  readonly href: string;
  readonly text: string;
}

/** What a page is made of. */
export interface PageProps {
  readonly title: string;
  /** What kind of page it is, for its upper right corner. */
  readonly kind: string;
  /** What lies beside it: the page above, files. @default nothing */
  readonly links?: readonly PageLink[];
  readonly children: ComponentChildren;
}

/** What stands between the tags of the only script, to the byte. */
const SCRIPT_TEXT = `\n${SCRIPT}`;
const SCRIPT_HASH = createHash('sha256').update(SCRIPT_TEXT).digest('base64');

const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; " +
  `script-src 'sha256-${SCRIPT_HASH}'; base-uri 'none'; form-action 'none'`;

/** The whole document. */
export function Page({ title, kind, links = [], children }: PageProps): VNode {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content={`varsearch ${VERSION}`} />
        <title>{title}</title>
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <a class="skip" href="#content">
          Skip to the content
        </a>
        <header class="top">
          <b>varsearch</b>
          {links.length > 0 && (
            <nav aria-label="Beside this page">
              {links.map(({ href, text }) => (
                <a href={href}>{text}</a>
              ))}
            </nav>
          )}
          <span>{kind}</span>
        </header>
        <main id="content" tabIndex={-1}>
          {children}
        </main>
        <footer class="foot">Made by varsearch {VERSION}. This page needs no network.</footer>
        <script dangerouslySetInnerHTML={{ __html: SCRIPT_TEXT }} />
      </body>
    </html>
  );
}

// Control characters other than tab and line breaks, and halves of surrogate pairs.
// eslint-disable-next-line no-control-regex -- exactly the control characters are meant
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ud800-\udfff]/gu;

/** A page as one HTML file. Characters that HTML forbids become U+FFFD. */
export function renderPage(page: VNode): string {
  return `<!doctype html>${renderToString(page).replace(FORBIDDEN, '\ufffd')}\n`;
}
