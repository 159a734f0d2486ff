// Catalogues of fakes under the names of the built-in defaults, for programs and libraries that look names up.

import { basename } from 'node:path';

import { UsageError } from '../../src/core/errors.js';
import type { Catalogs } from '../../src/engine/catalogs.js';
import { findModel, type ModelEntry } from '../../src/models/catalog.js';
import type { VerifierEntry } from '../../src/verifiers/catalog.js';
import { diffusionSchedule } from './fake-diffusion.js';
import { fakeFlow, resolveFlow } from './fake-flow.js';
import {
  FAKE_OPTIONS,
  type FakeModel,
  fakeModel,
  type FakeModelOptions,
  fakeSchedule,
  resolveFake,
} from './fake-model.js';
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
 * A model 'toybox', one 'flow' that is found and not listed, whose steps are those of a diffusion model, a model 'absent' that is not installed, a model 'large' of any world, and the facts of the real
 * 'infinity-2b'; the verifiers 'clip-score' (likes red), 'aesthetic' (blue), 'image-reward' (anything but red), 'oracle',
 * 'missing' (not installed), 'clip-score-l14' of any world and 'llava-endpoint', which sends pictures away. Any folder holds the model of its name, or a CLIP.
 */
export function fakeCatalogs(options: FakeModelOptions = {}): FakeCatalogs {
  const loaded = { models: [] as FakeModel[], verifiers: [] as FakeVerifier[] };
  const modelEntry = (name: string): ModelEntry => ({
    name,
    description: 'draws circles',
    licence: 'Apache-2.0',
    options: FAKE_OPTIONS,
    resolve: resolveFake,
    schedule: (given = {}) => {
      resolveFake(given);
      return fakeSchedule(options);
    },
    world: 'toybox',
    verifier: 'clip-score',
    installed: () => true,
    load: () => {
      const model = fakeModel({ name, ...options });
      loaded.models.push(model);
      return Promise.resolve(model);
    },
    checkPrompt: (prompt) =>
      prompt.includes('unicorn') ? 'the embedded model does not know "unicorn"' : null,
  });
  const entry = modelEntry('toybox');
  const absent: ModelEntry = {
    ...entry,
    name: 'absent',
    installed: () => 'weights.pth is missing: put it there',
  };
  const flow: ModelEntry = {
    ...entry,
    name: 'flow',
    description: 'draws noise',
    options: fakeFlow().options,
    resolve: resolveFlow,
    schedule: (given = {}) => diffusionSchedule(resolveFlow(given)),
    load: () => Promise.resolve(fakeFlow()),
  };
  const large: ModelEntry = { ...entry, name: 'large', world: 'any', verifier: 'clip-score-l14' };
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
  const models = [entry, absent, large, findModel('infinity-2b')];
  const named = [...models, flow];
  const verifiers: VerifierEntry[] = [
    judge('clip-score', 'red'),
    judge('aesthetic', 'blue'),
    judge('image-reward', 'not red'),
    { ...judge('oracle', 'red'), studyOnly: true },
    { ...judge('missing', 'red'), installed: () => 'weights are missing: put them there' },
    { ...judge('clip-score-l14', 'red'), world: 'any' },
    { ...judge('llava-endpoint', 'red'), world: 'any', sendsAway: true },
  ];
  return {
    models,
    verifiers,
    loaded,
    findModel: (name) => find('model', named, name),
    findVerifier: (name) => find('verifier', verifiers, name),
    modelIn: (folder) => ({ ...modelEntry(basename(folder)), world: 'unknown', verifier: null }),
    clipIn: () => ({ ...judge('clip-dir', 'red'), world: 'any' }),
  };
}
