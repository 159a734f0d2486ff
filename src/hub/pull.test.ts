import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { temporaryFolder } from '../../test/fakes/cli.js';
import { COMMIT, etagOf, type FakeHub, type HubFault, startHub } from '../../test/fakes/hub-server.js';
import { packageRoot } from '../core/assets.js';
import { UsageError, VarsearchError } from '../core/errors.js';
import { findPart, type HubPart, type HubSet, pull, type PullEvent, type PullOptions } from './index.js';

const REPO = 'somebody/some-model';
const SIZE = 300_000;
const weights = randomBytes(SIZE);
const config = '{"sizes": [1, 2, 3]}';
const part: HubPart = {
  repo: REPO,
  files: [['weights.safetensors', 'weights.bin'], 'config.json'],
  optional: ['extra.json'],
  licence: { name: 'MIT' },
};
const set: HubSet = { parts: [part] };
const files = { 'weights.bin': weights, 'config.json': config, 'README.md': 'not fetched' };
const TIMING = { stall: 20_000, backoff: 2, tries: 4, lock: { poll: 20, stale: 60_000 } };

let cache: string;
let events: PullEvent[];
let hub: FakeHub;

beforeEach(async () => {
  const folder = temporaryFolder();
  cache = join(folder, 'hub');
  vi.stubEnv('VARSEARCH_MODELS', join(folder, 'models'));
  events = [];
  hub = await startHub({ [REPO]: { files } });
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function env(more: Record<string, string> = {}): Record<string, string> {
  return { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_HOME: join(cache, '..'), ...more };
}

function fetchAll(options: Partial<PullOptions> = {}, wanted = set) {
  return pull(wanted, {
    env: env(),
    accept: () => Promise.resolve(false),
    onEvent: (event) => events.push(event),
    timing: TIMING,
    ...options,
  });
}

const repo = () => join(cache, 'models--somebody--some-model');
const snapshot = () => join(repo(), 'snapshots', COMMIT);
const blob = () => join(repo(), 'blobs', etagOf(weights));
const partial = () => `${blob()}.varsearch.incomplete`;

/** The cache as Python's libraries want it, and nothing else in it. */
function expectWhole(): void {
  expect(readFileSync(join(snapshot(), 'weights.bin')).equals(weights)).toBe(true);
  expect(readFileSync(join(snapshot(), 'config.json'), 'utf8')).toBe(config);
  expect(readlinkSync(join(snapshot(), 'weights.bin'))).toBe(join('..', '..', 'blobs', etagOf(weights)));
  expect(readFileSync(join(repo(), 'refs', 'main'), 'utf8')).toBe(COMMIT);
  const small = etagOf(Buffer.from(config));
  expect(readdirSync(join(repo(), 'blobs')).sort()).toEqual([etagOf(weights), small].sort());
  expect(readdirSync(snapshot()).sort()).toEqual(['config.json', 'weights.bin']);
  expect(readdirSync(join(cache, '.locks', 'models--somebody--some-model'))).toEqual([]);
  expect(findPart(part, env())).toMatchObject({ folder: snapshot(), missing: [] });
}

/** Faults of the bytes of the weights, one a try; after them all is well. */
function faults(...list: readonly HubFault[]): void {
  hub.fault = ({ kind, path, before }) =>
    kind === 'bytes' && path === 'weights.bin' ? (list[before] ?? null) : null;
}

const bytesAsked = () =>
  hub.requests.filter(({ kind, path }) => kind === 'bytes' && path === 'weights.bin').map(({ from }) => from);

describe('a pull', () => {
  it('brings the files that the catalogue names into the shared cache, and asks nothing for them again', async () => {
    expect(findPart(part, env())).toBeNull();
    const result = await fetchAll();
    expectWhole();
    expect(result).toEqual({ fetched: SIZE + config.length, folders: [snapshot()] });
    expect(events[0]).toEqual({ type: 'plan', files: 2, bytes: SIZE + config.length, have: 0 });
    const have = events.flatMap((event) => (event.type === 'bytes' ? [event.have] : []));
    expect(have).toEqual([...have].sort((a, b) => a - b));
    expect(have.at(-1)).toBe(SIZE + config.length);
    const asked = hub.requests.length;
    expect(await fetchAll()).toEqual({ fetched: 0, folders: [snapshot()] });
    expect(hub.requests).toHaveLength(asked);
  });

  it('takes what another program has put into the cache', async () => {
    mkdirSync(join(repo(), 'blobs'), { recursive: true });
    writeFileSync(blob(), weights);
    expect((await fetchAll()).fetched).toBe(config.length);
    expectWhole();
    expect(bytesAsked()).toEqual([]);
  });

  it.each([
    ['before the first byte', 0],
    ['after the first byte', 1],
    ['in the middle', SIZE / 2],
    ['before the last byte', SIZE - 1],
  ])('goes on where the connection broke off %s', async (_, cut) => {
    faults({ cut });
    await fetchAll();
    expectWhole();
    const [first, second] = bytesAsked();
    expect(first).toBe(0);
    // What was on its way when the connection broke may be lost.
    expect(second).toBeLessThanOrEqual(cut);
    if (cut > 1) expect(second).toBeGreaterThan(0);
    expect(events.some(({ type }) => type === 'retry')).toBe(true);
  });

  it.each([0, 1, SIZE / 2, SIZE - 1, SIZE])(
    'goes on with %d bytes that an earlier pull has left',
    async (bytes) => {
      mkdirSync(join(repo(), 'blobs'), { recursive: true });
      writeFileSync(partial(), weights.subarray(0, bytes));
      const result = await fetchAll();
      expectWhole();
      expect(result.fetched).toBe(SIZE - bytes + config.length);
      expect(bytesAsked()).toEqual(bytes === SIZE ? [] : [bytes]);
    },
  );

  it('begins anew where what was left is wrong, or too long', async () => {
    mkdirSync(join(repo(), 'blobs'), { recursive: true });
    writeFileSync(partial(), randomBytes(1000));
    await fetchAll();
    expectWhole();
    expect(bytesAsked()).toEqual([1000, 0]);
    rmSync(cache, { recursive: true });
    mkdirSync(join(repo(), 'blobs'), { recursive: true });
    writeFileSync(partial(), randomBytes(SIZE + 1));
    await fetchAll();
    expectWhole();
  });

  it('finds a wrong byte, fetches again, and keeps nothing that stays wrong', async () => {
    faults({ flip: 1234 });
    await fetchAll();
    expectWhole();
    rmSync(cache, { recursive: true });
    hub.fault = ({ kind }) => (kind === 'bytes' ? { flip: 7 } : null);
    const failed = fetchAll();
    await expect(failed).rejects.toThrow(VarsearchError);
    await expect(failed).rejects.toThrow(
      new RegExp(`weights.bin of ${REPO} has come with the hash [0-9a-f]{64}, not ${etagOf(weights)}`),
    );
    expect(existsSync(blob()) || existsSync(partial())).toBe(false);
    expect(existsSync(join(repo(), 'refs'))).toBe(false);
    hub.fault = ({ path }) => (path === 'config.json' ? { flip: 3 } : null);
    await expect(fetchAll()).rejects.toThrow('config.json');
  });

  it('takes a body that ends early for what it is', async () => {
    faults({ short: 100_000 }, { short: 1 });
    await fetchAll();
    expectWhole();
    expect(bytesAsked()).toEqual([0, 100_000, 100_001]);
  });

  it('waits for other contents to be gone: an etag that has changed', async () => {
    hub.fault = ({ kind, path, before }) =>
      kind === 'info' && path === 'weights.bin' && before === 0 ? { etag: 'a'.repeat(64) } : null;
    await fetchAll();
    expectWhole();
    rmSync(cache, { recursive: true });
    hub.fault = ({ kind, path }) =>
      kind === 'info' && path === 'weights.bin' ? { etag: 'a'.repeat(64) } : null;
    await expect(fetchAll()).rejects.toThrow(/weights.bin .* is another file than the one listed/);
    // Addresses that are named otherwise than the Hub names them are no fault.
    hub.fault = () => ({ etag: 'W/of-a-mirror' });
    await fetchAll();
    expectWhole();
  });

  it.each([403, 408, 429, 500, 502, 503])('asks again after the status %d midway', async (status) => {
    faults({ cut: 100_000 }, { status, headers: { 'Retry-After': '0' } });
    await fetchAll();
    expectWhole();
    expect(bytesAsked()).toHaveLength(3);
    // The address is asked for anew each time.
    expect(hub.requests.filter(({ kind, path }) => kind === 'info' && path === 'weights.bin')).toHaveLength(
      3,
    );
  });

  it('obeys the wait that a busy server asks for', async () => {
    hub.fault = ({ kind, before }) =>
      kind === 'revision' && before === 0 ? { status: 429, headers: { 'Retry-After': '0.2' } } : null;
    await fetchAll();
    expect(events[0]).toEqual({ type: 'retry', fault: expect.stringContaining('429') as string, wait: 200 });
  });

  it('gives a connection up that hangs, at the head or midway, and ends after some tries', async () => {
    faults({ hang: 50_000 }, { hang: 0 });
    await fetchAll({ timing: { ...TIMING, stall: 1500 } });
    expectWhole();
    rmSync(cache, { recursive: true });
    hub.fault = ({ kind }) => (kind === 'bytes' ? { hang: 0 } : null);
    await expect(fetchAll({ timing: { ...TIMING, stall: 50 } })).rejects.toThrow(
      /no byte has come for 0.05 s; given up after 4 tries: what has come is kept/,
    );
  });

  it('comes by xet where the Hub has it, goes on there, and takes the plain way where it hangs or must not be', async () => {
    hub.xet = true;
    hub.fault = ({ kind, path, before }) =>
      kind === 'xet' && path.endsWith('/data') && before === 0 ? { cut: 200_000 } : null;
    await fetchAll();
    expectWhole();
    expect(bytesAsked()).toEqual([]);
    rmSync(cache, { recursive: true });
    mkdirSync(join(repo(), 'blobs'), { recursive: true });
    writeFileSync(partial(), weights.subarray(0, 100_000));
    hub.requests.length = 0;
    expect((await fetchAll()).fetched).toBe(SIZE - 100_000 + config.length);
    expectWhole();
    const data = hub.requests.filter(({ kind, path }) => kind === 'xet' && path.endsWith('/data'));
    // From the chunk that holds the first byte that is missing.
    expect(data.map(({ from }) => from)).toEqual([65_536 + 8]);
    for (const options of [{ xet: false }, { env: env({ HF_HUB_DISABLE_XET: '1' }) }]) {
      rmSync(cache, { recursive: true });
      const before = hub.requests.length;
      await fetchAll(options);
      expectWhole();
      expect(hub.requests.slice(before).some(({ kind }) => kind === 'xet')).toBe(false);
    }
    rmSync(cache, { recursive: true });
    hub.requests.length = 0;
    events = [];
    hub.fault = ({ kind }) => (kind === 'xet' ? { hang: 0 } : null);
    await fetchAll({ timing: { ...TIMING, stall: 1500 } });
    expectWhole();
    expect(bytesAsked()).toEqual([0]);
    expect(events.filter(({ type }) => type === 'retry')).toHaveLength(2);
  });

  it('is not disturbed by a server that sends the whole instead of a part', async () => {
    faults({ cut: 100_000 }, { whole: true });
    await fetchAll();
    expectWhole();
    const asked = bytesAsked();
    expect(asked).toHaveLength(2);
    expect(asked[1]).toBeGreaterThan(0);
  });

  it('takes a mirror with a path, a token, and a token file', async () => {
    hub = await startHub({ [REPO]: { files } }, '/mirrors/hub');
    writeFileSync(join(cache, '..', 'token'), 'hf_file\n');
    await fetchAll({ env: env({ HF_ENDPOINT: `${hub.endpoint}/` }) });
    expectWhole();
    expect(new Set(hub.requests.map(({ token }) => token))).toEqual(new Set(['hf_file']));
    rmSync(cache, { recursive: true });
    await fetchAll({ env: env({ HF_TOKEN: 'hf_variable' }) });
    expect(hub.requests.at(-1)?.token).toBe('hf_variable');
    rmSync(cache, { recursive: true });
    await expect(fetchAll({ env: env({ HF_TOKEN: 'secret' }) })).rejects.toThrow("begins with 'hf_'");
    await expect(fetchAll({ env: env({ HF_ENDPOINT: 'mirror' }) })).rejects.toThrow(
      "HF_ENDPOINT is 'mirror'",
    );
  });

  it('gives its token to the Hub alone, not to the host that it is sent to', async () => {
    hub.fault = ({ kind }) => (kind === 'info' || kind === 'bytes' ? { elsewhere: true } : null);
    await fetchAll({ env: env({ HF_TOKEN: 'hf_secret' }) });
    expectWhole();
    const [there, here] = [true, false].map((far) =>
      hub.requests.filter(({ host }) => host.startsWith('localhost') === far).map(({ token }) => token),
    );
    expect(new Set(there)).toEqual(new Set([null]));
    expect(new Set(here)).toEqual(new Set(['hf_secret']));
    // The second host is asked for bytes directly.
    expect(hub.requests.at(-1)).toMatchObject({ kind: 'bytes', token: null });
  });

  it('asks nobody when it may not, and says what is missing', async () => {
    const offline = { env: env({ HF_HUB_OFFLINE: '1' }) };
    await expect(fetchAll(offline)).rejects.toThrow(UsageError);
    await expect(fetchAll(offline)).rejects.toThrow(/HF_HUB_OFFLINE is set, and the cache .* lacks somebody/);
    expect(hub.requests).toEqual([]);
    await fetchAll();
    expect((await fetchAll(offline)).fetched).toBe(0);
  });

  it('says what the server does not have, without trying again', async () => {
    hub.repos = { [REPO]: { files: { 'weights.bin': weights } } };
    await expect(fetchAll()).rejects.toThrow(/has no config\.json at 'main'/);
    hub.repos = {};
    await expect(fetchAll()).rejects.toThrow(`has no ${REPO} (404)`);
    expect(events).toEqual([]);
    // Nobody listens on the second address of this machine.
    await expect(
      fetchAll({ env: env({ HF_ENDPOINT: hub.endpoint.replace('127.0.0.1', '127.0.0.2') }) }),
    ).rejects.toThrow(
      /http:\/\/127.0.0.2:\d+ cannot be reached or broke off \(ECONNREFUSED\); given up after 4 tries/,
    );
  });

  it('checks what is known of a file against what the Hub says', async () => {
    const known = { ...part, sha256: { 'weights.bin': '0'.repeat(64) } };
    await expect(fetchAll({}, { parts: [known] })).rejects.toThrow(
      /has the SHA-256 .*catalogue: it is another file/,
    );
    const right = { ...part, sha256: { 'weights.bin': createHash('sha256').update(weights).digest('hex') } };
    await fetchAll({}, { parts: [right] });
    expectWhole();
  });

  it('ends when it is told to, and goes on from there', async () => {
    const ending = new AbortController();
    faults({ hang: 100_000 });
    const timing = { ...TIMING, stall: 60_000 };
    const onEvent = (event: PullEvent): void => {
      if (event.type === 'bytes' && event.have >= 100_000) ending.abort(new Error('enough'));
    };
    await expect(fetchAll({ signal: ending.signal, onEvent, timing })).rejects.toThrow('enough');
    expect(existsSync(blob())).toBe(false);
    expect(findPart(part, env())).toBeNull();
    await fetchAll();
    expectWhole();
    expect(bytesAsked()).toEqual([0, 100_000]);
  });
});

describe('shards', () => {
  const shard = (name: string) => randomBytes(2000 + name.length);
  const map = { 'shared.weight': 'a.bin', 'encoder.x': 'b.bin', 'decoder.x': 'c.bin' };
  const folder = 'some_weights';
  const index = `${folder}/model.bin.index.json`;
  const wanted: HubPart = { repo: REPO, files: [index], licence: { name: 'MIT' } };
  beforeEach(() => {
    const shards = ['a.bin', 'b.bin', 'c.bin'].map((name) => [`${folder}/${name}`, shard(name)]);
    const content = { [index]: JSON.stringify({ weight_map: map }), ...Object.fromEntries(shards) };
    hub.repos = { [REPO]: { files: content as Record<string, Uint8Array | string> } };
  });

  it('come as their index says, and only those with tensors that are needed', async () => {
    const half = { ...wanted, tensors: ['encoder.', 'shared.'] };
    await fetchAll({}, { parts: [half] });
    expect(readdirSync(join(snapshot(), folder)).sort()).toEqual(['a.bin', 'b.bin', 'model.bin.index.json']);
    expect(findPart(half, env())?.missing).toEqual([]);
    expect(findPart(wanted, env())?.missing).toEqual([`${folder}/c.bin`]);
    await fetchAll({}, { parts: [wanted] });
    expect(readdirSync(join(snapshot(), folder))).toHaveLength(4);
  });

  it('are missed where one has gone', async () => {
    await fetchAll({}, { parts: [wanted] });
    rmSync(join(snapshot(), folder, 'b.bin'));
    expect(findPart(wanted, env())?.missing).toEqual([`${folder}/b.bin`]);
    expect((await fetchAll({}, { parts: [wanted] })).fetched).toBe(0);
    hub.repos = { [REPO]: { files: { [index]: JSON.stringify({ weight_map: { x: 'gone.bin' } }) } } };
    rmSync(cache, { recursive: true });
    await expect(fetchAll({}, { parts: [wanted] })).rejects.toThrow(/has no some_weights\/gone\.bin/);
  });
});

describe('terms', () => {
  const closed: HubPart = { ...part, licence: { name: 'FOR STUDY ONLY', accept: 'non-commercial' } };

  it('are shown and accepted once, before anything is fetched', async () => {
    const asked: unknown[] = [];
    await expect(fetchAll({}, { parts: [closed] })).rejects.toThrow(
      `${REPO} is under 'FOR STUDY ONLY' (non-commercial), which has not been accepted: read ${hub.endpoint}/${REPO}, then add --accept-licence`,
    );
    expect(existsSync(cache)).toBe(false);
    const accept: PullOptions['accept'] = (terms) => {
      asked.push(terms.reason);
      return Promise.resolve(true);
    };
    await fetchAll({ accept }, { parts: [closed, closed] });
    expect(asked).toEqual(['non-commercial']);
    rmSync(cache, { recursive: true });
    await fetchAll({}, { parts: [closed] });
  });

  it('of a gated repository are said with the way to get in', async () => {
    hub.repos = { [REPO]: { files, gated: true } };
    const accept = (): Promise<boolean> => Promise.resolve(true);
    await expect(fetchAll({ accept })).rejects.toThrow(
      `does not give ${REPO} to you (403): open ${hub.endpoint}/${REPO} and accept its terms, then set HF_TOKEN`,
    );
    expect(hub.requests.filter(({ kind }) => kind === 'list')).toHaveLength(1);
    await fetchAll({ accept, env: env({ HF_TOKEN: 'hf_known' }) });
    expectWhole();
  });
});

describe('disks', () => {
  it('are looked at first: what is left of a file, and some more, has to fit', async () => {
    mkdirSync(join(repo(), 'blobs'), { recursive: true });
    writeFileSync(partial(), weights.subarray(0, 100_000));
    const needed = SIZE - 100_000 + config.length;
    const spare = 64 * 1024 ** 2;
    await expect(fetchAll({ free: () => Promise.resolve(needed + spare - 1) })).rejects.toThrow(
      /200 kB more are needed in .*, where 67\.3 MB are free: make room, or set HF_HUB_CACHE/,
    );
    expect(bytesAsked()).toEqual([]);
    await fetchAll({ free: () => Promise.resolve(needed + spare) });
    expectWhole();
  });

  it.runIf(existsSync('/dev/full'))('that are full midway are said in one line', async () => {
    mkdirSync(join(repo(), 'blobs'), { recursive: true });
    symlinkSync('/dev/full', partial());
    const failed = fetchAll();
    await expect(failed).rejects.toThrow(VarsearchError);
    await expect(failed).rejects.toThrow(
      /cannot write .*: the disk is full; make room, and the same command goes on/,
    );
    expect(existsSync(blob())).toBe(false);
    expect(lstatSync(partial()).isSymbolicLink()).toBe(true);
  });

  it('that cannot be written are said too, and are good enough where all is there', async () => {
    const file = join(cache, '..', 'a-file');
    writeFileSync(file, '');
    await expect(fetchAll({ env: env({ HF_HUB_CACHE: join(file, 'hub') }) })).rejects.toThrow(
      /cannot write .*a-file\/hub: a part of the path is a file; set HF_HUB_CACHE/,
    );
  });
});

describe('several processes', () => {
  const script = join(packageRoot(), 'test', 'fakes', 'pull-main.ts');

  function start(more: object = {}): { readonly child: ChildProcess; readonly done: Promise<string> } {
    const given = { set, env: env(), ...more };
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(given)], {
      cwd: packageRoot(),
      stdio: ['ignore', 'pipe', 'inherit'],
      ...('uid' in more ? { uid: more.uid as number } : {}),
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const done = new Promise<string>((resolve) =>
      child.on('close', () => {
        resolve(output);
      }),
    );
    return { child, done };
  }

  // Once in many runs one of the two ends with another line, which is not understood yet: then it is shown, and tried again.
  it('fetch a file once between them', { timeout: 60_000, retry: 1 }, async () => {
    // The second one finds the first at work: it hangs midway and is ended by its patience.
    faults({ hang: 100_000 });
    const runs = [start(), start()];
    const outputs = await Promise.all(runs.map(({ done }) => done));
    expectWhole();
    expect(bytesAsked()).toEqual([0, 100_000]);
    for (const text of outputs) expect(text).toMatch(/^fetched \d+\n$/);
    const fetched = outputs.map((text) => Number(/fetched (\d+)/.exec(text)?.[1]));
    expect(fetched.reduce((a, b) => a + b)).toBe(SIZE + config.length);
  });

  it(
    'end with a line where they may not write the cache, and read what is there',
    { timeout: 60_000 },
    async () => {
      await fetchAll();
      const other = { parts: [{ ...part, files: ['README.md'] }] };
      // Everything may be written by root: as nobody, then, or with the folders closed.
      const root = process.getuid?.() === 0;
      const closed = [
        cache,
        join(cache, '.locks', 'models--somebody--some-model'),
        repo(),
        join(repo(), 'blobs'),
      ];
      chmodSync(join(cache, '..'), 0o755);
      if (!root) for (const folder of closed) chmodSync(folder, 0o555);
      const as = root ? { uid: 65534 } : {};
      expect(await start({ ...as, set: other }).done).toMatch(
        /^failed: cannot write .*: permission denied; set HF_HUB_CACHE to a folder that can be written/,
      );
      expect(await start(as).done).toBe('fetched 0\n');
      for (const folder of closed) chmodSync(folder, 0o755);
    },
  );

  it('take over from one that was killed', { timeout: 60_000 }, async () => {
    hub.fault = ({ kind, path, before }) =>
      kind === 'bytes' && path === 'weights.bin' && before === 0 ? { hang: 100_000 } : null;
    const { child, done } = start({ stall: 60_000 });
    await vi.waitFor(() => {
      expect(existsSync(partial()) && lstatSync(partial()).size).toBe(100_000);
    }, 30_000);
    child.kill('SIGKILL');
    await done;
    await fetchAll();
    expectWhole();
    expect(bytesAsked()).toEqual([0, 100_000]);
  });
});
