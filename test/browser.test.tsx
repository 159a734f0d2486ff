// The pages in a real browser: clean under axe wide and narrow, light and dark; the script's views, tab stop and orders; nothing
// asked of the network. Debian's chromium is taken, or the one that CHROMIUM names; without one the tests are skipped, unless
// VARSEARCH_BROWSER=required says that there has to be one.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { compare, generate, type GenerateResult } from '../src/index.js';
import { compareReport } from '../src/report/compare-report.js';
import { generateReport } from '../src/report/generate-report.js';
import { indexReport } from '../src/report/index-report.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';

const PROGRAM = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);
const REQUIRED = process.env['VARSEARCH_BROWSER'] === 'required';
/** Milliseconds for a page. */
const PATIENCE = 240_000;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

it.runIf(REQUIRED)('has a browser where one is required', () => {
  expect(PROGRAM, 'no chromium was found: install one, or name it by CHROMIUM').toBeDefined();
});

describe.skipIf(PROGRAM === undefined)('pages in a browser', { timeout: PATIENCE }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'varsearch-browser-'));
  const pages = new Map<string, string>();
  let browser: Browser;
  let beam: GenerateResult;
  let large: GenerateResult;

  beforeAll(async () => {
    const given = { prompt: 'a red circle', model: fakeModel(), verifier: fakeVerifier() };
    const holdOut = [fakeVerifier({ name: 'contrary', likes: 'not red' })];
    beam = await generate({ ...given, holdOut, film: true, keepElected: true }).result;
    const random = await generate({ ...given, strategy: 'random', images: 9 }).result;
    large = await generate({ ...given, candidates: 18 }).result;
    const compared = await compare({ ...given, holdOut, budget: 400 }).result;
    const contents: Readonly<Record<string, string>> = {
      beam: await generateReport(beam, { links: [{ href: 'result.json', text: 'JSON' }] }),
      random: await generateReport(random),
      large: await generateReport(large),
      compared: await compareReport(compared),
      index: await indexReport('out', [
        {
          href: 'a/index.html',
          prompt: 'b',
          what: 'beam',
          model: 'toybox',
          score: 2,
          judges: 'clip-score',
          nfe: 9,
          milliseconds: 7,
        },
        {
          href: 'b/index.html',
          prompt: 'a',
          what: 'random',
          model: 'toybox',
          score: 10,
          judges: 'clip-score',
          nfe: 8,
          milliseconds: 9,
        },
      ]),
    };
    for (const [name, content] of Object.entries(contents)) {
      const path = join(folder, `${name}.html`);
      writeFileSync(path, content);
      pages.set(name, pathToFileURL(path).href);
    }
    browser = await chromium.launch({ executablePath: PROGRAM ?? '', args: ['--no-sandbox'] });
  }, 300_000);
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open<T>(name: string, work: (tab: Tab) => Promise<T>): Promise<T> {
    const viewport = { width: 1024, height: 800 };
    const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
    try {
      // A busy machine is many times slower than a quiet one.
      context.setDefaultTimeout(PATIENCE);
      const tab = await context.newPage();
      const faults: string[] = [];
      tab.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
      tab.on('pageerror', (error) => faults.push(error.message));
      const asked: string[] = [];
      tab.on('request', (request) => asked.push(request.url()));
      await tab.goto(pages.get(name) ?? '');
      const result = await work(tab);
      expect(faults).toEqual([]);
      expect(asked.filter((url) => !url.startsWith('data:'))).toEqual([pages.get(name)]);
      return result;
    } finally {
      await context.close();
    }
  }

  const faultsOf = (tab: Tab): Promise<string[]> =>
    tab.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run: (options: object) => Promise<AxeResult> } };
      const { violations } = await axe.run({ resultTypes: ['violations'] });
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
      );
    });

  it.each(['beam', 'random', 'large', 'compared', 'index'])(
    '%s is clean under axe, wide and narrow, light and dark',
    async (name) => {
      await open(name, async (tab) => {
        await tab.evaluate(readFileSync(AXE, 'utf8'));
        for (const width of [1024, 390]) {
          await tab.setViewportSize({ width, height: 800 });
          // Nothing but regions of their own scrolls sideways.
          const wider = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          expect(wider, `${width} px`).toBeLessThanOrEqual(0);
          for (const colorScheme of ['light', 'dark'] as const) {
            await tab.emulateMedia({ colorScheme });
            expect(await faultsOf(tab), `${width} px, ${colorScheme}`).toEqual([]);
          }
        }
      });
    },
  );

  it('shows all, what was kept, and the way to the result', async () => {
    await open('beam', async (tab) => {
      const shown = (): Promise<number> => tab.locator('.node:visible').count();
      expect(await shown()).toBe(beam.candidates.length);
      await tab.locator('[data-view=path]').click();
      expect(await shown()).toBe(4);
      const edges = tab.locator('.edges path:not([style*=none])');
      expect(await edges.count()).toBe(4);
      await tab.locator('[data-view=kept]').click();
      const kept = await shown();
      expect(kept).toBeGreaterThan(4);
      expect(kept).toBeLessThan(20);
      await tab.locator('[data-view=all]').click();
      expect(await shown()).toBe(beam.candidates.length);
    });
  });

  it('begins a search of many pictures with those that were kept', async () => {
    expect(large.candidates.length).toBeGreaterThan(150);
    await open('large', async (tab) => {
      expect(await tab.locator('.node:visible').count()).toBeLessThan(20);
      expect(await tab.locator('[data-view=all]').textContent()).toBe(`all (${large.candidates.length})`);
    });
  });

  it('has one tab stop in the tree, arrows that lead along it, and details that give the focus back', async () => {
    await open('beam', async (tab) => {
      expect(await tab.locator('.node button[tabindex="0"]').count()).toBe(1);
      const at = (): Promise<string | null> =>
        tab.evaluate(() => document.activeElement?.closest('.node')?.getAttribute('data-id') ?? null);
      await tab.locator('.node.winner button').focus();
      expect(await at()).toBe(String(beam.winner.id));
      await tab.keyboard.press('ArrowLeft');
      expect(await at()).toBe(String(beam.winner.parent));
      expect(await tab.locator('.node button[tabindex="0"]').count()).toBe(1);
      await tab.keyboard.press('Enter');
      expect(await tab.locator('dialog dd').first().textContent()).toMatch(/^-?\d\.\d{6}$/);
      await tab.keyboard.press('ArrowRight');
      await tab.keyboard.press('Escape');
      // A dialog says that it is closed in a task of its own.
      await expect.poll(at).not.toBe(String(beam.winner.parent));
      await tab.keyboard.press('Home');
      expect(await at()).not.toBeNull();
    });
  });

  it('skips to the content, and orders pictures and rows', async () => {
    await open('random', async (tab) => {
      await tab.keyboard.press('Tab');
      expect(await tab.evaluate(() => document.activeElement?.textContent)).toContain('Skip');
      await tab.locator('[data-order=place]').click();
      const places = await tab
        .locator('.node')
        .evaluateAll((nodes) => nodes.map((each) => Number(each.getAttribute('data-place'))));
      expect(places).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
    await open('index', async (tab) => {
      const prompts = (): Promise<string[]> => tab.locator('tbody th').allTextContents();
      expect(await prompts()).toEqual(['b', 'a']);
      await tab.locator('.sort').first().click();
      expect(await prompts()).toEqual(['a', 'b']);
      // Numbers by their size: 2 before 10.
      await tab.getByRole('button', { name: 'Score' }).click();
      expect(await prompts()).toEqual(['b', 'a']);
    });
  });

  it('tells its states apart where the system forces its own colours', async () => {
    /** How lines and frames look: what an eye tells apart, and how far lines stand out from the page. */
    const looks = (tab: Tab): Promise<{ frames: Record<string, string>; contrasts: Record<string, number> }> =>
      tab.evaluate(() => {
        const light = (colour: string): number =>
          (/\d+/g.exec(colour) ? [...colour.matchAll(/\d+(\.\d+)?/g)].slice(0, 3) : [])
            .map(([part]) => Number(part) / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
            .reduce((sum, part, i) => sum + part * ([0.2126, 0.7152, 0.0722][i] ?? 0), 0);
        const page = light(getComputedStyle(document.body).backgroundColor);
        const contrast = (colour: string): number => {
          const own = light(colour);
          return (Math.max(own, page) + 0.05) / (Math.min(own, page) + 0.05);
        };
        const all = (selector: string): Element[] => [...document.querySelectorAll(selector)];
        const frame = (selector: string): [string, string][] =>
          all(selector).slice(0, 1).map((each) => {
            const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(each);
            return [selector, `${outlineStyle} ${outlineWidth} ${outlineColor}`];
          });
        const line = (selector: string): [string, number][] =>
          all(selector).slice(0, 1).map((each) => [selector, contrast(getComputedStyle(each).stroke)]);
        return {
          frames: Object.fromEntries(
            ['.node.kept:not(.lineage) img', '.node.lineage img', '.node:not(.kept) img', '.arm.best img'].flatMap(frame),
          ),
          contrasts: Object.fromEntries(
            ['.edges path:not(.kept, .lineage)', '.edges .kept', '.edges .lineage', '.chart .grid'].flatMap(line),
          ),
        };
      });
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const [name, lines] of [['beam', 4], ['compared', 1]] as const) {
        await open(name, async (tab) => {
          await tab.emulateMedia({ forcedColors: 'active', colorScheme });
          const { frames, contrasts } = await looks(tab);
          expect(Object.keys(contrasts)).toHaveLength(lines);
          // What WCAG asks of lines that say something.
          for (const [line, contrast] of Object.entries(contrasts)) expect(contrast, `${colorScheme} ${line}`).toBeGreaterThan(3);
          const { '.node:not(.kept) img': pruned, ...framed } = frames;
          for (const look of Object.values(framed)) expect(look).toMatch(/^solid [3-9]px/);
          expect(new Set(Object.values(frames)).size).toBe(Object.keys(frames).length);
          if (name === 'beam') expect(pruned).toMatch(/^none/);
          await tab.keyboard.press('Tab');
          const focus = await tab.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle);
          expect(focus).toBe('solid');
        });
      }
    }
  }); // prettier-ignore

  it('prints all candidates, without buttons', async () => {
    await open('large', async (tab) => {
      await tab.emulateMedia({ media: 'print' });
      expect(await tab.locator('.node:visible').count()).toBe(large.candidates.length);
      expect(await tab.locator('.choices:visible').count()).toBe(0);
    });
  });
});
