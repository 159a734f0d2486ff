// Takes a picture of a page for the README: npx tsx scripts/screenshot.ts PAGE PICTURE.webp [WIDTH [HEIGHT]]. It needs a Chromium,
// /usr/bin/chromium or the one that CHROMIUM names; nothing of it is a dependency of the package.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { loadImageLibrary } from '../src/core/image-library.js';

const [page, picture, width = '1040', height = '1180'] = process.argv.slice(2);
if (page === undefined || picture === undefined) {
  throw new Error(
    'say which page, and where to: npx tsx scripts/screenshot.ts PAGE PICTURE.webp [WIDTH [HEIGHT]]',
  );
}

const folder = mkdtempSync(join(tmpdir(), 'varsearch-screenshot-'));
try {
  const shot = join(folder, 'shot.png');
  execFileSync(
    process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      // Twice as many pixels: text stays readable when the picture is shown smaller.
      '--force-device-scale-factor=1.5',
      `--user-data-dir=${join(folder, 'profile')}`,
      `--window-size=${width},${height}`,
      `--screenshot=${shot}`,
      pathToFileURL(resolve(page)).href,
    ],
    { stdio: 'ignore', timeout: 300_000 },
  );
  const sharp = await loadImageLibrary();
  const bytes = await sharp(readFileSync(shot), {}).webp({ quality: 82, effort: 6 }).toBuffer();
  writeFileSync(picture, bytes);
  console.log(`${picture}: ${bytes.length} bytes`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
