// What of the options of opening is known to be wrong before any name is looked up.

import { expect, it } from 'vitest';

import { fakeVerifier } from '../../test/fakes/fake-verifier.js';
import { checkOpenOptions, listVerifiers, type OpenOptions } from './options.js';

it('lists names parted by commas, lists, and loaded verifiers', () => {
  const loaded = fakeVerifier();
  expect(listVerifiers('a, b', 'verifier')).toEqual(['a', 'b']);
  expect(listVerifiers(['a,b', loaded], 'verifier')).toEqual(['a,b', loaded]);
  expect(listVerifiers(loaded, 'verifier')).toEqual([loaded]);
  expect(() => listVerifiers('a,,b', 'holdOut')).toThrow("option 'holdOut' names nothing at one place");
});

it.each([
  [{ verifier: ['a', 'b'], ensemble: 'rank', weights: [2, 1] }, null],
  [{ verifier: [], ensemble: 'rank' }, /option 'verifier' must be/],
  [{ weights: [1, 2] }, /for several verifiers named by option 'verifier', not for the usual one alone/],
  [{ verifier: 'a', weights: [1] }, /for several verifiers .* not for 'a' alone/],
  [{ verifier: 'a,b', weights: [1, '2'] }, /option 'weights' must be a list of numbers/],
  [{ verifier: 'a,b', weights: 2 }, /option 'weights' must be a list of numbers/],
  [{ verifier: 'a,b', weights: [0, 0] }, /numbers from 0 on, not all 0/],
  [{ holdOut: 'a,a' }, /option 'holdOut' has the verifier 'a' twice/],
  [{ clipDir: ' ' }, /option 'clipDir' must be the path of a folder/],
] as const)('%j: %s', (options, message) => {
  const checked = (): OpenOptions => checkOpenOptions(options as OpenOptions);
  if (message) expect(checked).toThrow(message);
  else expect(checked()).toEqual(options);
});
