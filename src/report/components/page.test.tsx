// The frame, tables and small parts: escaped, closed to the network, and met by the keyboard.

import { createHash } from 'node:crypto';
import { renderToString } from 'preact-render-to-string';
import { describe, expect, it } from 'vitest';

import { readHtml } from '../../../test/fakes/check-html.js';
import { Page, renderPage } from './page.js';
import { Facts, Figures, Folded, Notice } from './parts.js';
import { RowName, Table } from './table.js';

describe('a page', () => {
  const html = renderPage(
    <Page title="a<b>" kind="test" links={[{ href: 'result.json', text: 'JSON' }]}>
      <h1>{'"><script>alert(1)</script> $& \u0000\ud800'}</h1>
    </Page>,
  );
  const tags = readHtml(html);

  it('allows its own script alone, by its hash', () => {
    const [, script = ''] = /<script>(.*?)<\/script>/s.exec(html) ?? [];
    const hash = createHash('sha256').update(script).digest('base64');
    const policy = tags.find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
    expect(policy?.attributes['content']).toContain(
      `script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
    expect(policy?.attributes['content']).toContain("default-src 'none'");
  });

  it('escapes what it is given, and replaces what HTML forbids', () => {
    expect(tags.filter(({ name }) => name === 'script')).toHaveLength(1);
    expect(html).toContain('<title>a&lt;b></title>');
    expect(html).toContain('&lt;script>alert(1)&lt;/script> $&amp; \ufffd\ufffd');
  });

  it('begins with a way past its head', () => {
    const [first] = tags.filter(({ name }) => name === 'a');
    expect(first?.attributes['href']).toBe('#content');
    expect(tags.filter(({ attributes }) => attributes['id'] === 'content')).toHaveLength(1);
  });
});

describe('a table', () => {
  const rows = [
    { name: 'beam', score: 2 },
    { name: 'random', score: 1 },
  ];
  const html = renderToString(
    <Table
      label="Scores"
      caption="All of them"
      rows={rows}
      first={{ head: 'Strategy', cell: ({ name }) => <RowName name={name} note="a note" /> }}
      columns={[
        { head: 'Score', cell: ({ score }) => score, sort: ({ score }) => score },
        { head: 'Place', cell: (_, index) => index + 1, align: 'left' },
      ]}
    />,
  );

  it('is a region that can be focused and scrolled', () => {
    const [region] = readHtml(`<!doctype html>${html}`);
    expect(region?.attributes).toMatchObject({ tabindex: '0', role: 'region', 'aria-label': 'Scores' });
  });

  it('has heads for rows and columns, and what it is sorted by', () => {
    expect(html).toContain('<caption>All of them</caption>');
    expect(html.match(/<th scope="row">/g)).toHaveLength(2);
    expect(html).toContain('<th scope="col"><button type="button" class="sort">Score</button></th>');
    expect(html).toContain('<td data-sort="2">2</td><td class="left">1</td>');
    expect(html).toContain('beam<small>a note</small>');
  });
});

describe('the parts of a page', () => {
  it('tell an alarm from what is as it should be', () => {
    expect(renderToString(<Notice tone="alarm">hacked</Notice>)).toContain('role="alert"');
    expect(renderToString(<Notice tone="calm">no sign</Notice>)).toBe('<p class="notice calm">no sign</p>');
    expect(renderToString(<Notice>cut</Notice>)).toBe('<p class="notice">cut</p>');
  });

  it('list names and values', () => {
    expect(renderToString(<Facts items={[['seed', '7']]} />)).toBe(
      '<dl class="facts"><dt>seed</dt><dd>7</dd></dl>',
    );
    expect(
      renderToString(<Figures items={[{ name: 'NFE', value: 300, note: 'in all', main: true }]} />),
    ).toBe('<dl class="figures"><div class="main"><dt>NFE</dt><dd>300<small>in all</small></dd></div></dl>');
    expect(renderToString(<Folded summary="as CSV" text="a,b" />)).toContain('aria-label="as CSV">a,b</pre>');
  });
});
