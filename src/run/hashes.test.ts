// A result waits for nothing that can fail: hashes come before the search, and a finished one survives its observers.

import { expect, it } from 'vitest';

import { fakeModel } from '../../test/fakes/fake-model.js';
import { fakeVerifier } from '../../test/fakes/fake-verifier.js';
import { generate } from '../varsearch.js';
import type { GenerateEvent } from './generate.js';

it('fails before the search where the files cannot be hashed', async () => {
  let extended = 0;
  const model = fakeModel({ onExtend: () => extended++ });
  const broken = {
    ...model,
    prepare: model.prepare.bind(model),
    hashes: () => Promise.reject(new Error('EISDIR')),
  };
  const run = generate({ prompt: 'red', model: broken, verifier: fakeVerifier() });
  await expect(run.result).rejects.toThrow('EISDIR');
  expect([extended, model.alive()]).toEqual([0, 0]);
});

it('keeps a finished search whose observers fail at its end', async () => {
  const look = fakeVerifier({ name: 'look' });
  const failing = {
    ...look,
    prepare: async (...call: Parameters<typeof look.prepare>) => {
      const judge = await look.prepare(...call);
      return {
        ...judge,
        // The winner comes last, alone.
        score: (...[images, ...rest]: Parameters<typeof judge.score>) =>
          images.length === 1
            ? Promise.reject(new Error('the endpoint is gone'))
            : judge.score(images, ...rest),
      };
    },
  };
  const options = { prompt: 'red', seed: 1, strategy: 'beam' } as const;
  const run = generate({ ...options, model: fakeModel(), verifier: fakeVerifier(), holdOut: failing });
  const events: GenerateEvent[] = [];
  for await (const event of run) events.push(event);
  expect(await run.result).toMatchObject({ complete: true, report: null });
  expect(await run.soFar()).toMatchObject({ complete: true });
  expect(events.at(-1)).toEqual({
    type: 'warning',
    message: 'the observers failed at the end: the endpoint is gone',
  });
});
