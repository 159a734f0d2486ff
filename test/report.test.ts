// The pages: well formed, closed to the network, safe whatever the prompt says, complete in what they show.

import { beforeAll, describe, expect, it } from 'vitest';

import type { CompareResult, GenerateResult, ImageModel, Verifier } from '../src/index.js';
import { compare, generate, resultJson } from '../src/index.js';
import { compareReport } from '../src/report/compare-report.js';
import { generateReport } from '../src/report/generate-report.js';
import { keptOf } from '../src/run/standings.js';
import { type HtmlTag, readHtml } from './fakes/check-html.js';
import { FakeDiffusion } from './fakes/fake-diffusion.js';
import { fakeFlow } from './fakes/fake-flow.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>' & </title></style> \u0000 \u202e $& \${x}`;

const LINKED = {
  links: [{ href: 'result.json', text: 'JSON' }],
  runs: {
    beam: [
      { href: 'beam/index.html', text: 'its search tree' },
      { href: 'beam/picture.png', text: 'PNG' },
    ],
  },
};

const run = (options: Partial<Parameters<typeof generate>[0]>): Promise<GenerateResult> =>
  generate({ prompt: HOSTILE, model: fakeModel(), verifier: fakeVerifier(), ...options }).result;

const pages = (): Promise<string[]> =>
  Promise.all([
    ...[beam, random, joined, around, steered].map((result) => generateReport(result)),
    ...[compared, hacked, models].map((each) => compareReport(each)),
  ]);

const withClass = (tags: readonly HtmlTag[], name: string): HtmlTag[] =>
  tags.filter(({ attributes }) => attributes['class']?.split(' ').includes(name));

/** All that a reader of a page is told, without its style, script and pictures. */
const textOf = (page: string): string =>
  page
    .replace(/<(style|script|svg class="edges")[^>]*>.*?<\/\w+>/gs, '')
    .replace(
      /<[^>]*>/g,
      (tag) =>
        ` ${[...tag.matchAll(/ (?:alt|title|aria-label)="([^"]*)"/g)].map(([, text]) => text).join(' ')} `,
    );

const withoutScript = (page: string): string => page.replace(/<script>.*<\/script>/s, '');

/** A number with a minus, or with the sign that ranks once had. */
const MINUS = /(?<!\w)-\d|(?<!&)#\d/g;

let beam: GenerateResult;
let random: GenerateResult;
let compared: CompareResult;
let joined: GenerateResult;
let hacked: CompareResult;
let around: GenerateResult;
let steered: GenerateResult;
let models: CompareResult;
beforeAll(async () => {
  beam = await run({ keepElected: true });
  random = await run({ strategy: 'random', images: 9 });
  around = await run({ strategy: 'zero-order', rounds: 3, neighbours: 4 });
  steered = await run({ strategy: 'particles', particles: 4 });
  models = await compare({
    prompt: HOSTILE,
    models: [fakeModel(), fakeFlow(HOSTILE)],
    verifier: fakeVerifier(),
    budget: 60,
  }).result;
  compared = await compare({ prompt: HOSTILE, model: fakeModel(), verifier: fakeVerifier(), budget: 60 })
    .result;
  const verifier = [
    fakeVerifier({ name: HOSTILE.replaceAll(',', '') }),
    fakeVerifier({ name: 'blue', likes: 'blue' }),
  ];
  const holdOut = [fakeVerifier({ name: 'contrary', likes: 'not red' })];
  joined = await run({ verifier, holdOut, keepElected: true, ensemble: 'z-score', weights: [3, 1] });
  hacked = await compare({
    prompt: HOSTILE,
    model: fakeModel(),
    verifier: fakeVerifier(),
    holdOut,
    budget: 400,
  }).result;
});

describe('every page', () => {
  it('is well formed and holds no markup of the prompt', async () => {
    for (const page of [
      await generateReport(beam),
      await generateReport(random),
      await compareReport(compared, LINKED),
      await generateReport(joined),
      await compareReport(hacked),
    ]) {
      const tags = readHtml(page);
      expect(tags.filter(({ name }) => name === 'script')).toHaveLength(1);
      expect(
        tags.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => name.startsWith('on')),
      ).toEqual([]);
      expect(page).toContain(`&quot;>&lt;script>alert(1)&lt;/script>&lt;img src=x onerror=alert(2)>' &amp;`);
      for (const character of ['\u0000', '\ud800']) expect(page.includes(character)).toBe(false);
      expect(page).toContain('$&amp; $');
    }
  });

  it('asks nothing of the network', async () => {
    for (const page of await pages()) {
      const tags = readHtml(page);
      const policy = tags.find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy');
      expect(policy?.attributes['content']).toMatch(/^default-src 'none'; img-src data:; style-src/);
      for (const { name, attributes } of tags) {
        if (attributes['src'] !== undefined) {
          expect(attributes['src']).toMatch(/^data:image\/(png|webp);base64,/);
        }
        expect(['link', 'iframe', 'object', 'embed', 'base']).not.toContain(name);
      }
      expect(page).not.toMatch(/https?:\/\/|@import|url\(/);
    }
  });

  it('has one main heading, headings in order, and a text for every picture', async () => {
    for (const page of await pages()) {
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

describe('the page of models', () => {
  it('has every search with its model, the curves of both, and what did not run', async () => {
    const page = await compareReport(models);
    expect(models.results.length + models.skipped.length).toBe(10);
    for (const { options } of models.results) expect(page).toContain(`${options.search.strategy}</th>`);
    const words = textOf(page).replace(/\s+/g, ' ');
    for (const { strategy, why } of [...models.skipped, ...models.limited]) {
      expect(words).toContain(`${strategy} on `);
      expect(words).toContain(why.slice(0, 20));
    }
    const broken = withClass(readHtml(page), 'broken').filter(({ name }) => name === 'g');
    expect(broken).toHaveLength(3 * models.results.filter(({ options }) => options.model === HOSTILE).length);
  });
});

describe('the page of a search', () => {
  it('shows every candidate once, joined to its parent, with its fate', async () => {
    const tags = readHtml(await generateReport(beam));
    const nodes = withClass(tags, 'node');
    expect(nodes.map(({ attributes }) => Number(attributes['data-id'])).sort((a, b) => a - b)).toEqual(
      beam.candidates.map(({ id }) => id),
    );
    expect(
      tags.filter(({ name, attributes }) => name === 'path' && /^e\d+$/.test(attributes['id'] ?? '')),
    ).toHaveLength(60);
    expect(withClass(tags, 'winner').map(({ attributes }) => attributes['id'])).toEqual([
      `n${beam.winner.id}`,
    ]);
    expect(withClass(nodes, 'kept')).toHaveLength(keptOf(beam).size);
    expect(withClass(nodes, 'inherited')).toHaveLength(9);
    // A rollout that was taken over has the picture of the candidate that it was drawn for.
    const images = tags.filter(({ attributes }) => attributes['width'] === '64');
    const pictureOf = (id: number | undefined): string | undefined =>
      images[nodes.findIndex(({ attributes }) => attributes['data-id'] === String(id))]?.attributes['src'];
    for (const { id, sameAs } of beam.candidates) if (sameAs) expect(pictureOf(id)).toBe(pictureOf(sameAs));
    expect(new Set(beam.candidates.map(({ id }) => pictureOf(id))).size).toBe(51);
    expect(tags.filter(({ name }) => name === 'button').length).toBeGreaterThanOrEqual(60);
  });

  it('shows the pictures of a search of one round as a wall, without a drawing', async () => {
    const page = await generateReport(random);
    const tags = readHtml(page);
    expect(withClass(tags, 'node')).toHaveLength(9);
    expect(withClass(tags, 'edges')).toHaveLength(0);
    expect(page).toContain('All pictures');
  });

  it('shows the ledger, the options and the recipe', async () => {
    const page = await generateReport(beam);
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
    const page = await generateReport(beam);
    expect(() => readHtml(page)).not.toThrow();
    const single = await run({ strategy: 'random', images: 1 });
    expect(withClass(readHtml(await generateReport(single)), 'node')).toHaveLength(1);
  });
});

describe('the page of a search by ranks', () => {
  const judges = () => [
    fakeVerifier({ name: 'red' }),
    fakeVerifier({ name: 'blue', likes: 'blue' }),
    fakeVerifier({ name: 'contrary', likes: 'not red' }),
  ];
  // Long prompts shift the scores of fake verifiers above 0, so that every minus on a page would be that of a rank.
  const prompt = 'a long story '.repeat(200);

  it('counts mean ranks from 1 for the best, as people do: none has a minus', async () => {
    const result = await run({ prompt, verifier: judges(), keepElected: true });
    const page = await generateReport(result);
    expect(textOf(page).match(MINUS)).toBeNull();
    expect(result.standing).toMatchObject({ of: 51 });
    const rank = 'rank' in result.standing ? result.standing.rank : NaN;
    expect(page).toMatch(
      new RegExp(`<dt>mean rank</dt>\\s*<dd>${Math.round(rank * 100) / 100}<small>of 51 pictures</small>`),
    );
    // Below every picture stands what its election compared.
    const captions = [...page.matchAll(/<span aria-hidden="true">([^<]*)</g)].map(([, text]) => Number(text));
    expect(captions).toHaveLength(60);
    for (const caption of captions) expect(caption).toBeGreaterThanOrEqual(1);
    for (const { id, standing } of result.fates) {
      if (!('rank' in standing)) throw new Error('ranks were expected');
      const facts = page
        .slice(page.indexOf(`id="n${id}"`))
        .slice(0, page.slice(page.indexOf(`id="n${id}"`)).indexOf('</dl>'));
      expect(facts).toContain(`<dd>${Math.round(standing.rank * 100) / 100} of 15</dd>`);
    }
    // The best stands on top of the chart: marks fall from the bottom up.
    const wide = page.slice(page.indexOf('class="chart wide"'), page.indexOf('class="y-label"'));
    const marks = [...wide.matchAll(/class="y"[^>]*>([^<]*)</g)].map(([, text]) => Number(text));
    expect(marks.length).toBeGreaterThan(2);
    expect(marks).toEqual(marks.toSorted((a, b) => b - a));
    expect(Math.min(...marks)).toBeGreaterThanOrEqual(1);
    const places = withClass(readHtml(page), 'node').map(({ attributes }) =>
      Number(attributes['data-place']),
    );
    expect(places.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, i) => Math.floor(i / 4) + 1),
    );
  });

  it('and so does that of a comparison', async () => {
    const all = await compare({ prompt, model: fakeModel(), verifier: judges(), budget: 60 }).result;
    const page = await compareReport(all);
    expect(textOf(page).match(MINUS)).toBeNull();
    const images = all.results.reduce((sum, { ledger }) => sum + ledger.imagesDecoded, 0);
    const words = textOf(page).replace(/\s+/g, ' ');
    for (const standing of all.standings) {
      if (!('rank' in standing)) throw new Error('ranks were expected');
      expect(words).toContain(`mean rank ${Math.round(standing.rank * 100) / 100} of ${images}`);
    }
  });

  it('shows raw scores where a search was interrupted before an election', async () => {
    const controller = new AbortController();
    const begun = generate({ prompt, model: fakeModel(), verifier: judges(), signal: controller.signal });
    let judged = 0;
    for await (const event of begun) {
      if (event.type === 'judged' && (judged += event.candidates.length) > 20) break;
    }
    const partial = await begun.soFar();
    controller.abort();
    await expect(begun.result).rejects.toThrow();
    if (!partial) throw new Error('nothing was judged');
    const page = await generateReport(partial);
    const nodes = withClass(readHtml(page), 'node');
    expect(nodes).toHaveLength(partial.candidates.length);
    const undecided = nodes.filter(({ attributes }) => attributes['data-place'] === undefined);
    expect(undecided).toHaveLength(partial.candidates.length - partial.fates.length);
    expect(undecided.length).toBeGreaterThan(0);
    expect(page).toContain('not decided yet');
    expect(page.match(/<dt>blue<\/dt>/g)?.length).toBeGreaterThanOrEqual(nodes.length);
    expect(withoutScript(page)).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('what was said of a prompt', () => {
  it('is on the page, in the result and in result.json, in the order of the events', async () => {
    const judge = fakeVerifier();
    const verifier: Verifier = {
      ...judge,
      prepare: async (prompt, ledger) => ({
        ...(await judge.prepare(prompt, ledger)),
        cut: { tokens: 77, unseen: 'the <end>' },
      }),
    };
    const begun = generate({ prompt: 'red', model: fakeModel(), verifier, candidates: 2 });
    const said: string[] = [];
    for await (const event of begun) if (event.type === 'warning') said.push(event.message);
    const result = await begun.result;
    expect(said).toHaveLength(1);
    expect(result.warnings).toEqual(said);
    expect(resultJson(result, 'picture.png').warnings).toEqual(said);
    expect(resultJson(beam, 'picture.png')).not.toHaveProperty('warnings');
    const page = await generateReport(result);
    expect(page).toMatch(/<p class="notice">[^<]*first 77 tokens[^<]*the &lt;end>/);
  });
});

describe('what came of a search', () => {
  it('is said on its page and on that of its comparison', async () => {
    const words = textOf(await generateReport(beam)).replace(/\s+/g, ' ');
    expect(words).toMatch(/Found in round \d of 4/);
    expect(words).toMatch(/all 51: -?\d\.\d{4} \u00b1 \d\.\d{4}/);
    const sentence = /class="outcome">[^<]*Found [^<]*</g;
    expect((await compareReport(compared)).match(sentence)).toHaveLength(3);
  });

  it('has a step for every picture of a random search, and a dot where it ended', async () => {
    const page = await compareReport(compared);
    const [chart = ''] = /<svg class="chart small".*?<\/svg>/s.exec(page) ?? [];
    const groups = chart.match(/<g .*?<\/g>/gs) ?? [];
    expect(groups).toHaveLength(3);
    for (const group of groups) expect(group.match(/<circle/g)).toHaveLength(1);
    const random = compared.results.find(({ options }) => options.search.strategy === 'random');
    const [, line = ''] = /class="line" d="([^"]*)"/.exec(groups[0] ?? '') ?? [];
    // Two corners a picture, but for the first.
    expect(line.match(/[ML]/g)).toHaveLength(2 * (random?.candidates.length ?? 0) - 1);
  });

  it('has the same budget in the column of every search', async () => {
    const page = await compareReport(compared);
    expect(page.match(/<td><span>60 NFE<\/span><\/td>/g)).toHaveLength(3);
  });
});

describe('a finding that is no alarm', () => {
  it('does not look like one', async () => {
    const holdOut = [fakeVerifier({ name: 'same' })];
    for (const options of [{}, { strategy: 'random', images: 1 }] as const) {
      const page = await generateReport(await run({ holdOut, ...options }));
      expect(withClass(readHtml(page), 'warning')).toHaveLength(0);
      expect(withClass(readHtml(page), 'calm')).toHaveLength(1);
      expect(page.includes('no sign of verifier hacking')).toBe(options.strategy === undefined);
    }
  });
});

describe('the page of a diffusion model', () => {
  const diffusion: ImageModel = {
    name: 'diffusion',
    options: {},
    resolve: () => ({ eta: 0.3 }),
    hashes: () => Promise.resolve({ 'noise.safetensors': 'c'.repeat(64) }),
    prepare: (_, ledger) => Promise.resolve(new FakeDiffusion({ solver: 'stochastic', ledger })),
    close: () => Promise.resolve(),
  };

  it('calls its steps what the model calls them', async () => {
    const options = { prompt: 'red', model: diffusion, verifier: fakeVerifier() };
    const page = await generateReport(
      await generate({ ...options, strategy: 'beam', width: 2, candidates: [3, 2, 2, 2, 1] }).result,
    );
    expect(textOf(page)).not.toMatch(/scale/i);
    for (const text of [
      'Step 1<small>noise</small>',
      'Step 3<small>t = 0.75</small>',
      'per step and sequence',
    ]) {
      expect(page).toContain(text);
    }
    expect(page).toMatch(/<dt>step<\/dt>\s*<dd>2 \(t = 1.00\)<\/dd>/);
    expect(page).toMatch(/class="x-label"[^>]*>step</);
    expect(page).toMatch(/<dt>eta<\/dt>\s*<dd>0.3<\/dd>/);
    expect(await generateReport(beam)).toContain('Scale 3<small>3 \u00d7 3</small>');
    const page2 = await compareReport(
      await compare({ ...options, budget: 80, strategies: ['random'] }).result,
    );
    expect(textOf(page2)).not.toMatch(/scale/i);
  });
});

describe('the page of several judges', () => {
  it('shows the rule, and the scores of every verifier for every candidate and by itself', async () => {
    const page = await generateReport(joined);
    expect(page).toContain('mean z-score, weights 3, 1');
    expect(page.match(/<dt>blue<\/dt>\s*<dd>-?\d\.\d{6}<\/dd>/g)).toHaveLength(60);
    expect(page).toContain('Every verifier by itself');
    expect(withClass(readHtml(page), 'chart')).toHaveLength(3);
    expect(withoutScript(page)).not.toMatch(/NaN|Infinity|undefined/);
    expect(await generateReport(beam)).not.toContain('Every verifier by itself');
  });
});

describe('the report on a page', () => {
  it('warns of verifier hacking in a box of its own, and names who fell', async () => {
    const alone = hacked.results.find(({ report }) => report?.hacking) as GenerateResult;
    const page = await generateReport(alone);
    expect(withClass(readHtml(page), 'warning')).toHaveLength(1);
    expect(page).toMatch(/role="alert">\s*verifier hacking: .*\(contrary -\d\.\d\d\)/);
    expect(page).toMatch(/contrary<small>held out<\/small>/);
    expect(page).toMatch(/fake-score<small>guided the search<\/small>/);
    expect(await generateReport(beam)).not.toContain('observers-title');
  });

  it('has rows for every strategy side by side', async () => {
    const page = await compareReport(hacked);
    const warned = hacked.results.filter(({ report }) => report?.hacking);
    expect(withClass(readHtml(page), 'warning')).toHaveLength(warned.length);
    expect(withClass(readHtml(page), 'notice')).toHaveLength(3);
    expect(page).toContain('Gain by contrary');
    expect(await compareReport(compared)).not.toContain('Gain by');
  });
});

describe('the page of a comparison', () => {
  it('has an arm a strategy, one of them the best, and links only where there is a page', async () => {
    const tags = readHtml(await compareReport(compared, LINKED));
    expect(withClass(tags, 'arm')).toHaveLength(3);
    expect(withClass(tags, 'best')).toHaveLength(1);
    const links = tags.filter(({ name }) => name === 'a').map(({ attributes }) => attributes['href']);
    expect(links).toEqual(['#content', 'result.json', 'beam/index.html', 'beam/picture.png']);
  });
});
