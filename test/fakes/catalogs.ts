// Catalogues of fakes under the names of the built-in defaults, for programs and libraries that look names up.

import { UsageError } from '../../src/core/errors.js';
import type { Catalogs } from '../../src/engine/engine.js';
import type { VerifierEntry } from '../../src/verifiers/catalog.js';
import { type FakeModel, fakeModel, type FakeModelOptions, squares } from './fake-model.js';
import { type FakeVerifier, fakeVerifier, type FakeVerifierOptions } from './fake-verifier.js';

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

/**
 * A model 'toybox', a model 'absent' that is not installed and a model 'large' of any world; the verifiers 'clip-score' (likes
 * red), 'aesthetic' (blue), 'image-reward' (anything but red), 'oracle', 'missing' (not installed) and 'clip-score-l14' of any world.
 */
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
  const large = { ...entry, name: 'large', world: 'any' as const, verifier: 'clip-score-l14' };
  const judge = (name: string, likes: NonNullable<FakeVerifierOptions['likes']>): VerifierEntry => ({
    name,
    description: `likes ${likes}`,
    goodAt: 'colour',
    licence: 'Apache-2.0',
    size: 'none',
    world: 'toybox',
    installed: () => true,
    load: () => {
      const verifier = fakeVerifier({ name, likes });
      loaded.verifiers.push(verifier);
      return Promise.resolve(verifier);
    },
  });
  const models = [entry, absent, large];
  const verifiers: VerifierEntry[] = [
    judge('clip-score', 'red'),
    judge('aesthetic', 'blue'),
    judge('image-reward', 'not red'),
    { ...judge('oracle', 'red'), studyOnly: true },
    { ...judge('missing', 'red'), installed: () => 'weights are missing: put them there' },
    { ...judge('clip-score-l14', 'red'), world: 'any' },
  ];
  return {
    models,
    verifiers,
    loaded,
    findModel: (name) => find('model', models, name),
    findVerifier: (name) => find('verifier', verifiers, name),
  };
}
