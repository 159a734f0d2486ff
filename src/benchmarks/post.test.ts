// Who works may die: what was in work is done again, and not for ever.

import { expect, it } from 'vitest';

import { RuntimeError } from '../core/errors.js';
import type { Finished, Hand, Job } from './hand.js';
import { Post } from './post.js';

const DONE = { picture: null } as Finished;
const JOB = {} as Job;

/** Hands that each do so many units before they die, and count. */
function hands(...lives: readonly number[]) {
  const counts = { opened: 0, closed: 0, told: [] as string[] };
  const open = (): Promise<Hand> => {
    const life = lives[counts.opened++];
    if (life === undefined) return Promise.reject(new RuntimeError('there is no memory for another'));
    let done = 0;
    return Promise.resolve({
      get isBroken() {
        return done > life;
      },
      plan: () => Promise.reject(new Error('nobody asks')),
      work: () =>
        ++done > life
          ? Promise.reject(new RuntimeError(`number ${counts.opened} was ended by SIGKILL`))
          : Promise.resolve(DONE),
      close: () => {
        counts.closed++;
        return Promise.resolve();
      },
    });
  };
  const tell = (message: string): void => {
    counts.told.push(message);
  };
  return { counts, post: Post.open({ open, tell }) };
}

it('replaces whoever dies, which does the unit again', async () => {
  const { counts, post: opening } = hands(1, 0, 2);
  const post = await opening;
  expect(await post.work(JOB)).toBe(DONE);
  await expect(post.work(JOB)).rejects.toThrow(
    /^number 2 was ended by SIGKILL\. It was the second at the same/,
  );
  expect(counts).toMatchObject({ opened: 2, closed: 1 });
  expect(counts.told).toEqual(['number 1 was ended by SIGKILL. Another takes its place']);
  await post.close();
  expect(counts.closed).toBe(2);
});

it('goes on where each search is the death of one alone', async () => {
  const { counts, post: opening } = hands(1, 1, 1, 1);
  const post = await opening;
  for (let unit = 0; unit < 4; unit++) expect(await post.work(JOB)).toBe(DONE);
  expect([counts.opened, counts.closed, counts.told.length]).toEqual([4, 3, 3]);
});

it('says why no other can be opened, and closes nobody twice', async () => {
  const { counts, post: opening } = hands(0);
  const post = await opening;
  await expect(post.work(JOB)).rejects.toThrow('there is no memory for another');
  await post.close();
  expect(counts).toMatchObject({ opened: 2, closed: 1 });
});

it('leaves faults of the search, and ends that were asked for, to the caller', async () => {
  const fault = new Error('no such thing');
  let opened = 0;
  const open = (isBroken: boolean) => (): Promise<Hand> => {
    opened++;
    return Promise.resolve({
      isBroken,
      plan: () => Promise.reject(fault),
      work: () => Promise.reject(fault),
      close: () => Promise.resolve(),
    });
  };
  const tell = (): void => undefined;
  const living = await Post.open({ open: open(false), tell });
  await expect(living.work(JOB)).rejects.toBe(fault);
  const ended = await Post.open({ open: open(true), tell });
  const reason = new Error('enough');
  await expect(ended.work(JOB, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(opened).toBe(2);
});
