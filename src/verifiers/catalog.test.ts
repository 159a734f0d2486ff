import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { greyPicture } from '../../test/fixtures/pictures.js';
import { assetPath } from '../core/assets.js';
import { UsageError, VarsearchError } from '../core/errors.js';
import { Ledger } from '../core/ledger.js';
import { findVerifier, type VerifierEntry, VERIFIERS } from './catalog.js';

const entries: readonly VerifierEntry[] = VERIFIERS;

describe('the catalogue of verifiers', () => {
  it('finds each by its name, and names all of them when there is none', () => {
    for (const entry of entries) expect(findVerifier(entry.name)).toBe(entry);
    expect(() => findVerifier('clip')).toThrow(UsageError);
    for (const { name } of entries) expect(() => findVerifier('clip')).toThrow(name);
  });

  it.each(entries)('$name says whether it is there, and loads or fails accordingly', async (entry) => {
    const installed = entry.installed();
    if (installed !== true) {
      expect(installed).toMatch(/missing/);
      await expect(entry.load({ threads: 1 })).rejects.toThrow(VarsearchError);
      return;
    }
    const verifier = await entry.load({ threads: 1 });
    expect(verifier.name).toBe(entry.name);
    const judge = await verifier.prepare('a red star', new Ledger());
    expect(await judge.score([greyPicture(64, 64)])).toHaveLength(1);
    judge.close();
    await verifier.close();
  });
});

describe('assetPath', () => {
  it("lies in varsearch's own folder", () => {
    expect(existsSync(assetPath('..', 'package.json'))).toBe(true);
    expect(assetPath('toybox', 'clip')).toMatch(/assets[\\/]toybox[\\/]clip$/);
  });
});
