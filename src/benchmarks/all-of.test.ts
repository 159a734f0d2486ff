// Work that several do ends as one.

import { expect, it } from 'vitest';

import { allOf } from './all-of.js';

it('ends the others where one fails, waits for them, and gives its reason', async () => {
  const failed = new AbortController();
  const fault = new Error('no more');
  let ended = false;
  const other = new Promise<void>((_, reject) => {
    failed.signal.addEventListener('abort', () => {
      setTimeout(() => {
        ended = true;
        reject(new Error('ended'));
      }, 5);
    });
  });
  await expect(allOf([other, Promise.reject(fault)], failed)).rejects.toBe(fault);
  expect(ended).toBe(true);
  await allOf([Promise.resolve(), Promise.resolve()], new AbortController());
});
