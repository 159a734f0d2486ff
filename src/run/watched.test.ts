// What strategies are given is the generator itself, with all that it can do, and is told of.

import { expect, it } from 'vitest';

import { fakeFlow } from '../../test/fakes/fake-flow.js';
import { fakeModel } from '../../test/fakes/fake-model.js';
import { Ledger } from '../core/ledger.js';
import { RandomKey } from '../core/random.js';
import type { ImageModel, Prefix } from '../models/contract.js';
import { watchedGenerator } from './watched.js';

const prepared = (model: ImageModel) => model.prepare('red', new Ledger(), model.resolve({}));

it('tells of every call that has run, and knows the steps of a prefix where the model does', async () => {
  let calls = 0;
  const generator = watchedGenerator(await prepared(fakeModel()), () => calls++);
  const empty = generator.begin();
  const request = { prefix: empty, draw: RandomKey.fromSeed(1) };
  const [first] = await generator.extend([request]);
  const [second] = await generator.extend([{ ...request, prefix: first as Prefix }]);
  await generator.decode([second as Prefix], 'full');
  expect(calls).toBe(3);
  const stages = generator.stages?.(second as Prefix) ?? [];
  expect(stages).toEqual([first, second]);
  for (const each of [...stages, first, second, empty]) each?.release();
  generator.close();
  const latent = watchedGenerator(await prepared(fakeFlow()), () => calls++);
  expect(latent).not.toHaveProperty('stages');
  latent.close();
});
