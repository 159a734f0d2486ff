import { describe, expect, it } from 'vitest';

import { RuntimeError } from '../../core/errors.js';
import { LlavaWorker } from './in-process-host.js';

describe('a worker that breaks down', () => {
  it('fails the calls that wait for it and those that come, and can be closed', async () => {
    const worker = new LlavaWorker();
    // Not a request: the worker's thread ends with an uncaught error.
    worker.ask(null as never).catch(() => undefined);
    const calls = [worker.ask({ kind: 'stats' }), worker.ask({ kind: 'stats' })];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(RuntimeError) as Error });
      expect(result).toHaveProperty('reason.message', expect.stringMatching(/worker thread of LLaVA failed/));
    }
    await expect(worker.ask({ kind: 'stats' })).rejects.toThrow(/worker thread of LLaVA failed/);
    await Promise.all([worker.close(), worker.close()]);
    await expect(worker.ask({ kind: 'stats' })).rejects.toThrow(/has been closed/);
  });

  it('leaves no call behind that could not be sent', async () => {
    const worker = new LlavaWorker();
    await expect(worker.ask({ kind: 'stats', more: () => 0 } as never)).rejects.toThrow(
      /could not be cloned/,
    );
    expect(await worker.ask({ kind: 'stats' })).toMatchObject({ prompts: 0, sessions: 0 });
    await worker.close();
  });
});
