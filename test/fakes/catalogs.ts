// Catalogues of fakes under the names of the built-in defaults, for programs and libraries that look names up.

import { UsageError } from '../../src/core/errors.js';
import type { Catalogs } from '../../src/run/engine.js';
import { type FakeModel, fakeModel, type FakeModelOptions, squares } from './fake-model.js';
import { type FakeVerifier, fakeVerifier } from './fake-verifier.js';

/** Catalogues that remember what was loaded from them. */
export interface FakeCatalogs extends Catalogs {
  readonly loaded: { readonly models: FakeModel[]; readonly verifiers: FakeVerifier[] };
}

function find<Entry extends { readonly name: string }>(
  kind: string,
  entries: readonly Entry[],
  name: string,
): Entry {
  const entry = entries.find((each) => each.name === name);
  if (entry) return entry;
  throw new UsageError(
    `unknown ${kind} '${name}': choose one of ${entries.map((each) => each.name).join(', ')}`,
  );
}

/** A model 'toybox', a model 'absent' that is not installed, and a verifier 'clip-score'. */
export function fakeCatalogs(options: FakeModelOptions = {}): FakeCatalogs {
  const loaded = { models: [] as FakeModel[], verifiers: [] as FakeVerifier[] };
  const entry = {
    name: 'toybox',
    description: 'draws circles',
    licence: 'Apache-2.0',
    scales: options.scales ?? squares(1, 2, 3, 4),
    defaults: { cfg: 4, temperature: 0.5 },
    world: 'toybox' as const,
    verifier: 'clip-score',
    installed: () => true as const,
    load: () => {
      const model = fakeModel({ name: 'toybox', ...options });
      loaded.models.push(model);
      return Promise.resolve(model);
    },
    checkPrompt: (prompt: string) =>
      prompt.includes('unicorn') ? 'the embedded model does not know "unicorn"' : null,
  };
  const absent = { ...entry, name: 'absent', installed: () => 'weights.pth is missing: put it there' };
  const judge = {
    name: 'clip-score',
    description: 'likes red',
    goodAt: 'redness',
    licence: 'Apache-2.0',
    size: 'none',
    world: 'any' as const,
    installed: () => true as const,
    load: () => {
      const verifier = fakeVerifier({ name: 'clip-score' });
      loaded.verifiers.push(verifier);
      return Promise.resolve(verifier);
    },
  };
  const models = [entry, absent];
  const verifiers = [judge];
  return {
    models,
    verifiers,
    loaded,
    findModel: (name) => find('model', models, name),
    findVerifier: (name) => find('verifier', verifiers, name),
  };
}
