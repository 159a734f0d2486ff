// The pages: well formed, closed to the network, safe whatever the prompt says, complete in what they show.

import { beforeAll, describe, expect, it } from 'vitest';

import type { CompareResult, GenerateResult } from '../src/index.js';
import { compare, generate } from '../src/index.js';
import { compareReport } from '../src/report/compare-report.js';
import { generateReport } from '../src/report/generate-report.js';
import { type HtmlTag, readHtml } from './fakes/check-html.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>' & </title></style> \u0000\ud800 \u202e $& \${x}`;

const run = (options: Partial<Parameters<typeof generate>[0]>): Promise<GenerateResult> =>
  generate({ prompt: HOSTILE, model: fakeModel(), verifier: fakeVerifier(), ...options }).result;

const pages = (): string[] => [
  ...[beam, random, joined].map(generateReport),
  ...[compared, hacked].map((each) => compareReport(each)),
];

const withClass = (tags: readonly HtmlTag[], name: string): HtmlTag[] =>
  tags.filter(({ attributes }) => attributes['class']?.split(' ').includes(name));

let beam: GenerateResult;
let random: GenerateResult;
let compared: CompareResult;
let joined: GenerateResult;
let hacked: CompareResult;
beforeAll(async () => {
  beam = await run({ keepElected: true });
  random = await run({ strategy: 'random', images: 9 });
  compared = await compare({ prompt: HOSTILE, model: fakeModel(), verifier: fakeVerifier(), budget: 60 })
    .result;
  const verifier = [
    fakeVerifier({ name: HOSTILE.replaceAll(',', '') }),
    fakeVerifier({ name: 'blue', likes: 'blue' }),
  ];
  const report = [fakeVerifier({ name: 'contrary', likes: 'not red' })];
  joined = await run({ verifier, report, keepElected: true, ensemble: { by: 'z-score', weights: [3, 1] } });
  hacked = await compare({
    prompt: HOSTILE,
    model: fakeModel(),
    verifier: fakeVerifier(),
    report,
    budget: 60,
  }).result;
});

describe('every page', () => {
  it('is well formed and holds no markup of the prompt', () => {
    for (const page of [
      generateReport(beam),
      generateReport(random),
      compareReport(compared, { beam: 'beam/index.html' }),
      generateReport(joined),
      compareReport(hacked),
    ]) {
      const tags = readHtml(page);
      expect(tags.filter(({ name }) => name === 'script')).toHaveLength(1);
      expect(
        tags.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => name.startsWith('on')),
      ).toEqual([]);
      expect(page).toContain(
        '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;&#39; &amp;',
      );
      for (const character of ['\u0000', '\ud800']) expect(page.includes(character)).toBe(false);
      expect(page).toContain('$&amp; $');
    }
  });

  it('asks nothing of the network', () => {
    for (const page of pages()) {
      const tags = readHtml(page);
      const policy = tags.find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
      expect(policy?.attributes['content']).toMatch(/^default-src &#39;none&#39;; img-src data:; style-src/);
      for (const { name, attributes } of tags) {
        if (attributes['src'] !== undefined) expect(attributes['src']).toMatch(/^data:image\/png;base64,/);
        expect(['link', 'iframe', 'object', 'embed', 'base']).not.toContain(name);
      }
      expect(page).not.toMatch(/https?:\/\/|@import|url\(/);
    }
  });

  it('has one main heading, headings in order, and a text for every picture', () => {
    for (const page of pages()) {
      const tags = readHtml(page);
      expect(tags.filter(({ name }) => name === 'h1')).toHaveLength(1);
      expect(tags.find(({ name }) => name === 'html')?.attributes['lang']).toBe('en');
      expect(tags.some(({ attributes }) => attributes['name'] === 'viewport')).toBe(true);
      // The empty picture of the dialog is filled by the script.
      const pictures = tags.filter(
        ({ name, attributes }) => name === 'img' && attributes['src'] !== undefined,
      );
      for (const { attributes } of pictures) expect(attributes['alt']).not.toBe('');
      const ids = tags.flatMap(({ attributes }) => attributes['id'] ?? []);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { attributes } of tags) {
        const label = attributes['aria-labelledby'];
        if (label !== undefined) expect(ids).toContain(label);
      }
    }
  });
});

describe('the page of a search', () => {
  it('shows every candidate once, joined to its parent, with its fate', () => {
    const tags = readHtml(generateReport(beam));
    const nodes = withClass(tags, 'node');
    expect(nodes.map(({ attributes }) => Number(attributes['data-id'])).sort((a, b) => a - b)).toEqual(
      beam.tree.nodes.map(({ id }) => id),
    );
    expect(
      tags.filter(({ name, attributes }) => name === 'path' && /^e\d+$/.test(attributes['id'] ?? '')),
    ).toHaveLength(60);
    expect(withClass(tags, 'winner').map(({ attributes }) => attributes['id'])).toEqual([
      `n${beam.winner.id}`,
    ]);
    const kept = beam.tree.nodes.filter((node) => node.kept);
    expect(withClass(nodes, 'kept')).toHaveLength(kept.length);
    expect(withClass(nodes, 'inherited')).toHaveLength(9);
    expect(tags.filter(({ name }) => name === 'button').length).toBeGreaterThanOrEqual(60);
  });

  it('shows the pictures of a search of one round as a wall, without a drawing', () => {
    const page = generateReport(random);
    const tags = readHtml(page);
    expect(withClass(tags, 'node')).toHaveLength(9);
    expect(withClass(tags, 'edges')).toHaveLength(0);
    expect(page).toContain('All pictures');
  });

  it('shows the ledger, the options and the recipe', () => {
    const page = generateReport(beam);
    expect(page).toContain('Nothing is computed twice here');
    for (const text of [
      'NFE',
      'Forward passes',
      'keep elected',
      'temperature',
      'varsearch replay picture.png',
    ]) {
      expect(page).toContain(text);
    }
    expect(page).toContain('a'.repeat(64));
  });

  it('shows a search of one picture, which needs no axes of its own', async () => {
    expect(() => readHtml(generateReport(beam))).not.toThrow();
    const single = await run({ strategy: 'random', images: 1 });
    expect(withClass(readHtml(generateReport(single)), 'node')).toHaveLength(1);
  });
});

describe('the page of an ensemble', () => {
  it('shows the rule, and the scores of every verifier for every candidate and by itself', () => {
    const page = generateReport(joined);
    expect(page).toContain('mean z-score, weights 3, 1');
    expect(page.match(/<dt>blue<\/dt>\s*<dd>-?\d\.\d{6}<\/dd>/g)).toHaveLength(60);
    expect(page).toContain('Every verifier by itself');
    expect(withClass(readHtml(page), 'chart')).toHaveLength(3);
    expect(page).not.toMatch(/NaN|Infinity/);
    expect(generateReport(beam)).not.toContain('Every verifier by itself');
  });
});

describe('the report on a page', () => {
  it('warns of verifier hacking in a box of its own, and names who fell', () => {
    const alone = hacked.results.find(({ report }) => report?.hacking) as GenerateResult;
    const page = generateReport(alone);
    expect(withClass(readHtml(page), 'warning')).toHaveLength(1);
    expect(page).toMatch(/role="alert">\s*verifier hacking: .*\(contrary -\d\.\d\d\)/);
    expect(page).toMatch(/contrary<small>held out<\/small>/);
    expect(page).toMatch(/fake-score<small>guided the search<\/small>/);
    expect(generateReport(beam)).not.toContain('hold-out-title');
  });

  it('has rows for every strategy side by side', () => {
    const page = compareReport(hacked);
    const warned = hacked.results.filter(({ report }) => report?.hacking);
    expect(withClass(readHtml(page), 'warning')).toHaveLength(warned.length);
    expect(withClass(readHtml(page), 'notice')).toHaveLength(3);
    expect(page).toContain('Gain by contrary');
    expect(compareReport(compared)).not.toContain('Gain by');
  });
});

describe('the page of a comparison', () => {
  it('has an arm a strategy, one of them the best, and links only where there is a page', () => {
    const tags = readHtml(compareReport(compared, { beam: 'beam/index.html' }));
    expect(withClass(tags, 'arm')).toHaveLength(3);
    expect(withClass(tags, 'best')).toHaveLength(1);
    expect(tags.filter(({ name }) => name === 'a').map(({ attributes }) => attributes['href'])).toEqual([
      'beam/index.html',
    ]);
  });
});
