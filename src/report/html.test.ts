import { describe, expect, it } from 'vitest';

import { escapeHtml, Html, html } from './html.js';

describe('html', () => {
  it('escapes all that is not HTML already', () => {
    const inner = html`<b>${'<i>'}</b>`;
    expect(html`<p title="${`"'`}">${inner}${['a&b', inner]}${3}${null}${undefined}</p>`.text).toBe(
      '<p title="&quot;&#39;"><b>&lt;i&gt;</b>a&amp;b<b>&lt;i&gt;</b>3</p>',
    );
  });

  // eslint-disable-next-line no-template-curly-in-string -- what a template must not read
  const text = '$& \\n ${x}';

  it('does not read escapes or patterns in what is put in', () => {
    expect(html`${new Html(text)}`.text).toBe(text);
  });

  it('replaces what HTML forbids', () => {
    expect(escapeHtml('a\u0000b\u001b[31m\ud800\tc\n\ud83d\ude00')).toBe(
      'a\ufffdb\ufffd[31m\ufffd\tc\n\ud83d\ude00',
    );
  });
});
