// Calls through a line without a thread, where every message can be seen, and through a worker thread and a
// child process, which can break down.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

import { CheckpointError, RuntimeError, UsageError } from '../../core/errors.js';
import type { Connect, Reply, Request, TransportEvents } from './contract.js';
import { type TestMethods, testMethods } from './fixtures/methods.js';
import { type Carrier, CARRIERS, elsewhere, Line, serve } from './index.js';

const WORDS = { worker: 'The helper', closed: 'The helper has been closed.', remedy: 'Start another.' };

/** A line to methods in this thread. */
function together(): {
  line: Line<TestMethods>;
  sent: Request[][];
  held: boolean[];
  events: TransportEvents;
} {
  const sent: Request[][] = [];
  const held: boolean[] = [];
  let events: TransportEvents | undefined;
  const connect: Connect = (given) => {
    events = given;
    let receive: (message: readonly Request[]) => void = () => undefined;
    serve<TestMethods>(
      {
        send: (message, transfer) => {
          const copy = structuredClone<Reply>(message, { transfer: [...transfer] });
          setImmediate(() => {
            given.received(copy);
          });
        },
        listen: (listener) => {
          receive = listener;
        },
        guard: async (work) => work(),
        close: () => {
          setImmediate(() => {
            given.ended(0);
          });
        },
      },
      testMethods(),
      () => undefined,
    );
    return {
      shares: false,
      send: (message, transfer) => {
        const copy = structuredClone(message, { transfer: [...transfer] }) as Request[];
        sent.push(copy);
        setImmediate(() => {
          receive(copy);
        });
      },
      hold: (on) => held.push(on),
    };
  };
  const line = new Line<TestMethods>(connect, WORDS);
  return { line, sent, held, events: events as unknown as TransportEvents };
}

const opened: Line<TestMethods>[] = [];
afterEach(async () => {
  for (const line of opened.splice(0)) await line.close();
});

const inOwn = (carrier: Carrier): Line<TestMethods> => {
  const line = new Line<TestMethods>(elsewhere(import.meta.url, 'fixtures/worker', carrier), WORDS);
  opened.push(line);
  return line;
};

describe.each<[string, () => Line<TestMethods>]>([
  ['in this thread', () => together().line],
  ['in a worker thread', () => inOwn('thread')],
  ['in a child process', () => inOwn('process')],
])('methods %s', (_, open) => {
  it('are worked off in the order of their calls, told ones as well', async () => {
    const line = open();
    line.tell('note', { texts: ['a'] });
    const [sum, first] = [line.call('add', { a: 1, b: 2 }), line.call('notes')];
    line.tell('note', { texts: ['b'] });
    const second = line.call('notes');
    expect(await sum).toBe(3);
    expect([await first, await second]).toEqual([['a'], ['a', 'b']]);
  });

  it('take and give buffers, those that move by moving them', async () => {
    const line = open();
    const bytes = Uint8Array.of(1, 2, 3);
    const found = await line.call('bounce', { bytes }, { transfer: [bytes.buffer] });
    expect(found).toEqual(Uint8Array.of(1, 2, 3));
    if (line.shares) expect(bytes.length).toBe(0);
  });

  it('take and give millions of numbers, wherever they begin in their memory', async () => {
    const line = open();
    const numbers = Float32Array.from({ length: 2 ** 20 + 1 }, (_, i) => Math.fround(i / 3)).subarray(1);
    const bytes = new Uint8Array(numbers.buffer, 4);
    const shared = new Uint8Array(new SharedArrayBuffer(8)).fill(7);
    expect(await line.call('bounce', { bytes: shared })).toEqual(new Uint8Array(8).fill(7));
    const found = await line.call('bounce', { bytes });
    expect(Buffer.compare(found, bytes)).toBe(0);
  });

  it('throw their errors to the caller', async () => {
    const line = open();
    const usage: unknown = await line.call('fail', { how: 'usage' }).catch((error: unknown) => error);
    expect(usage).toBeInstanceOf(UsageError);
    expect(usage).toMatchObject({
      message: 'not like this',
      cause: { message: 'deep', cause: { message: 'deeper' } },
    });
    expect((usage as Error).stack).toContain('methods');
    await expect(line.call('fail', { how: 'checkpoint' })).rejects.toThrow(CheckpointError);
    await expect(line.call('fail', { how: 'range' })).rejects.toThrow(RangeError);
    await expect(line.call('fail', { how: 'text' })).rejects.toThrow('plain text');
    await expect(line.call('fail', { how: 'uncloneable' })).rejects.toThrow(/could not be cloned/);
    await expect(line.call('none' as 'notes')).rejects.toThrow('there is no method none');
    expect(await line.call('add', { a: 1, b: 1 })).toBe(2);
  });

  it('are not called when the call cannot be sent; other calls of the turn are', async () => {
    const line = open();
    const wrong = line.call('add', { a: 1, b: () => 1 } as never);
    const right = line.call('add', { a: 1, b: 1 });
    await expect(wrong).rejects.toThrow(/could not be cloned/);
    expect(await right).toBe(2);
  });

  it('are given up at once when the signal says so, and not begun when they wait', async () => {
    const line = open();
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }, i) => line.call('slow', { text: `${i}` }, { signal }));
    const later = line.call('notes');
    controllers[1]?.abort(new Error('changed my mind'));
    await expect(calls[1]).rejects.toThrow('changed my mind');
    controllers[0]?.abort();
    await expect(calls[0]).rejects.toMatchObject({ name: 'AbortError' });
    // A child process may read the call and its end together.
    expect([[], ['0 begins', '0 ends']]).toContainEqual(await later);
    const aborted = line.call('add', { a: 1, b: 1 }, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('are finished before the end, and refused after it', async () => {
    const line = open();
    const sum = line.call('add', { a: 2, b: 2 });
    const closed = Promise.all([line.close(), line.close()]);
    await expect(line.call('notes')).rejects.toThrow('The helper has been closed.');
    expect(() => line.check()).toThrow(RuntimeError);
    line.tell('note', { texts: ['to nobody'] });
    expect(await sum).toBe(4);
    await closed;
    await line.close();
  });

  it('break the line when they were only told and fail', async () => {
    const line = open();
    line.tell('note', {} as never);
    const calls = [line.call('notes'), line.call('slow', { text: 'never' })];
    for (const call of calls) await expect(call).rejects.toThrow(/^The helper failed: .*not iterable.*\.$/);
    const later: unknown = await line.call('notes').catch((error: unknown) => error);
    expect(later).toMatchObject({ message: expect.stringMatching(/iterable.*\. Start another\.$/) });
    expect(later).toBeInstanceOf(RuntimeError);
    line.tell('note', { texts: ['to nobody'] });
    await line.close();
  });

  it('break the line when they were only told and cannot be sent', async () => {
    const line = open();
    line.tell('note', { texts: [() => 1] } as never);
    await expect(line.call('notes')).rejects.toThrow(/The helper cannot be asked for this: .*cloned/);
    await line.close();
  });
});

describe('messages', () => {
  it('are one for all that one turn asks for', async () => {
    const { line, sent } = together();
    line.tell('note', { texts: ['a'] });
    line.unsent('note')?.texts.push('b');
    const calls = [line.call('notes'), line.call('add', { a: 1, b: 2 })];
    expect(line.unsent('note')).toBeUndefined();
    expect(await calls[0]).toEqual(['a', 'b']);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toHaveLength(3);
  });

  it('hold the process while somebody waits, and until the end', async () => {
    const { line, held } = together();
    line.tell('note', { texts: [] });
    expect(held).toEqual([]);
    await Promise.all([line.call('notes'), line.call('notes')]);
    expect(held).toEqual([true, false]);
    const controller = new AbortController();
    const call = line.call('slow', { text: 'x' }, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toThrow();
    expect(held).toEqual([true, false, true, false]);
    await line.close();
    expect(held.at(-1)).toBe(true);
  });

  it('that cannot be sent at all break the line, which still can be closed', async () => {
    const send = (): never => {
      throw new Error('no way');
    };
    const open = (): Line<TestMethods> =>
      new Line<TestMethods>(() => ({ shares: false, send, hold: () => undefined }), WORDS);
    const line = open();
    await expect(line.call('notes')).rejects.toThrow('The helper cannot be asked for this: no way');
    await line.close();
    const told = open();
    told.tell('note', { texts: [] });
    await told.close();
    await open().close();
  });

  it('that cannot be read break the line, and the other side is sent home', async () => {
    const { line, sent, events } = together();
    const call = line.call('slow', { text: 'x' });
    events.failed(new Error('garbled'));
    await expect(call).rejects.toThrow('The helper failed: garbled.');
    expect(sent.at(-1)?.[0]?.[0]).toBe('close');
  });
});

describe.each(CARRIERS)('a %s', (carrier) => {
  it.each([
    ['throw', /^The helper failed: out of the blue\.$/],
    ['exit', /^The helper ended with code 3\.$/],
  ] as const)('that breaks down (%s) is an error of all who wait', async (how, says) => {
    const line = inOwn(carrier);
    const calls = [line.call('break', { how }), line.call('notes'), line.call('add', { a: 1, b: 1 })];
    for (const call of calls) await expect(call).rejects.toThrow(says);
    await expect(line.call('notes')).rejects.toThrow(/Start another/);
    await Promise.all([line.close(), line.close()]);
    await expect(line.call('notes')).rejects.toThrow(/has been closed/);
  });

  it('whose module cannot be loaded is one as well', async () => {
    const line = new Line<TestMethods>(elsewhere(import.meta.url, 'fixtures/none', carrier), WORDS);
    await expect(line.call('notes')).rejects.toThrow(
      /The helper (failed|ended with code 1): .*fixtures\/none/,
    );
    await line.close();
  });

  it('may break down while the line is being closed', async () => {
    const line = inOwn(carrier);
    const call = line.call('break', { how: 'exit' });
    const closed = line.close();
    await expect(call).rejects.toThrow(/ended with code 3/);
    await closed;
  });

  /** The exit code of a process that has called a method. */
  const program = (end: string): number | null => {
    const url = (path: string): string => new URL(path, import.meta.url).href;
    const code = `
      const { elsewhere, Line } = await import('${url('./index.ts')}');
      const line = new Line(elsewhere('${import.meta.url}', 'fixtures/worker', '${carrier}'), ${JSON.stringify(WORDS)});
      if (await line.call('add', { a: 1, b: 1 }) !== 2) process.exit(5);
      ${end}
    `;
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const options = ['--import', tsx, '--input-type=module', '--eval', code];
    return spawnSync(process.execPath, options, { encoding: 'utf8', timeout: 55_000 }).status;
  };

  it('does not keep the process alive, nor end it', () => {
    expect(program('')).toBe(0);
    expect(
      program("await line.call('break', { how: 'throw' }).catch(() => undefined); process.exitCode = 4;"),
    ).toBe(4);
  });
});
