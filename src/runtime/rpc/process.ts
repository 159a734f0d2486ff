// A child process as the other side of a line: what happens to it (a crash, the system's hand when memory runs out, another
// engine in the host) happens to nobody else. It outlives nobody either: it ends when its line is closed, when the way to its
// parent breaks, and by a watch of its own when the parent dies while native code keeps it from seeing that.

import { type ChildProcess, fork } from 'node:child_process';
import { basename, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { Connect, Port, Reply, Request, Transport, TransportEvents } from './contract.js';
import { encodeError } from './errors.js';
import { programOf } from './spawn.js';

/** What a child has written to stderr last, kept for the error that tells of its end. */
const LAST_WORDS = 8192;
/** Longest piece of it in an error. */
const LONGEST_LINE = 300;
/** Between two looks at the parent, in milliseconds. */
const WATCH = 250;

const children = new Set<ChildProcess>();

function endAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

function remember(child: ChildProcess): void {
  if (children.size === 0) process.on('exit', endAll);
  children.add(child);
}

function forget(child: ChildProcess): void {
  children.delete(child);
  if (children.size === 0) process.off('exit', endAll);
}

/** Whether this host can start itself again with another program: Node.js can, Electron or an executable of one's own cannot. */
export function canFork(): boolean {
  const { permission } = process as { readonly permission?: { has(scope: string): boolean } };
  const allowed = permission?.has('child') ?? true;
  return allowed && !process.versions['electron'] && /^node/i.test(basename(process.execPath));
}

/** What in the environment may be a folder by a path from the one that the host is in, where the child is not. */
const FOLDERS = ['VARSEARCH_MODELS', 'VARSEARCH_CACHE', 'HF_HOME', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE'];
/** Values of them that are no such path: nothing, the switch of the cache, what begins in the user's home. */
const NO_PATH = /^$|^off$|^~/;

/**
 * The environment of a child. The telemetry of ONNX Runtime is off unless the user has set the switch; a debugger of this
 * process does not wait for another.
 */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options, ...others } = process.env;
  const kept = options?.replace(/(^|\s)--inspect\S*/g, '').trim();
  const folders = FOLDERS.flatMap((name) => {
    const path = others[name];
    return path === undefined || NO_PATH.test(path) ? [] : [[name, resolve(path)] as const];
  });
  return {
    ORT_DISABLE_TELEMETRY: '1',
    ...others,
    ...Object.fromEntries(folders),
    ...(kept ? { NODE_OPTIONS: kept } : {}),
  };
}

/**
 * A child process that runs the module `name` (without its ending) beside the calling one, whose import.meta.url is `here`.
 * It serves at `processPort`. Where the system starts no process, `instead` is taken.
 */
export function inProcess(here: string, name: string, instead?: Connect): Connect {
  return (events) => {
    const { path, execArgv, folder } = programOf(here, name);
    const child = fork(path, [String(process.pid)], {
      execArgv,
      cwd: folder,
      env: environment(),
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // A session of its own: Ctrl-C in a terminal goes to the whole group, and what it means is the parent's business.
      detached: process.platform !== 'win32',
    });
    if (child.pid === undefined && instead) {
      child.on('error', () => undefined);
      return instead(events);
    }
    return transportOf(child, events);
  };
}

function transportOf(child: ChildProcess, events: TransportEvents): Transport {
  remember(child);
  const lastWords = listen(child);
  child.on('message', (reply: Reply) => {
    events.received(reply);
  });
  child.on('error', (cause) => {
    events.failed(cause);
    if (child.pid === undefined) events.ended(1);
  });
  // After its end, and after the last message and the last words that came from it.
  child.on('close', (code, signal) => {
    forget(child);
    events.ended(code ?? 1, code === 0 ? undefined : endOf(code, signal, lastWords()));
  });
  const hold = (held: boolean): void => {
    const change = held ? 'ref' : 'unref';
    child[change]();
    child.channel?.[change]();
  };
  hold(false);
  return {
    shares: false,
    send: (message) => {
      // What cannot be sent since the child is gone is told by its end.
      if (child.connected) child.send(message, () => undefined);
    },
    hold,
  };
}

/** Keeps the end of what a child writes to stderr. */
function listen(child: ChildProcess): () => string {
  let written = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    written = (written + text).slice(-LAST_WORDS);
  });
  (child.stderr as unknown as { unref(): void } | null)?.unref();
  return () => written;
}

function endOf(code: number | null, signal: NodeJS.Signals | null, written: string): string {
  const how = signal === null ? `ended with code ${String(code)}` : `was ended by ${signal}`;
  const why = signal === 'SIGKILL' ? ', as the system does when memory runs out' : '';
  const lines = written.split('\n').filter((line) => line.trim() !== '');
  const line =
    lines.find((each) => /^(\w*Error\b|FATAL|terminate called|\s+what\(\):)/.test(each)) ?? lines.at(-1);
  return `${how}${why}${line === undefined ? '' : `: ${line.trim().slice(0, LONGEST_LINE)}`}`;
}

/** The way back to the callers, in a child process that `inProcess` has started. */
export function processPort(): Port {
  if (!process.send) throw new Error('This module is the entry of a child process.');
  let sending = 0;
  let over = false;
  const endWhenSent = (code: number): void => {
    if (over && sending === 0) process.exit(code);
  };
  const send = (message: Reply, code = 0): void => {
    sending++;
    const sent = (): void => {
      sending--;
      endWhenSent(code);
    };
    try {
      process.send?.(message, undefined, undefined, sent);
    } catch (error) {
      sending--;
      throw error;
    }
  };
  // Signals are the parent's business, whoever else gets them with it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit());
  process.on('uncaughtException', (error) => {
    over = true;
    send(['broken', encodeError(error)], 1);
  });
  return {
    send: (message) => {
      send(message);
    },
    listen: (receive) => {
      process.once('message', watchParent);
      process.on('message', (message: readonly Request[]) => {
        receive(message);
      });
    },
    guard: async (work) => work(),
    close: () => {
      over = true;
      endWhenSent(0);
    },
  };
}

/** In a thread, since native code may keep the main one from hearing that the parent is gone. */
const WATCHMAN = `
  const { workerData: { parent, every } } = require('node:worker_threads');
  setInterval(() => {
    let alive = process.ppid === parent;
    try { process.kill(parent, 0); } catch ({ code }) { alive &&= code === 'EPERM'; }
    if (!alive) process.kill(process.pid, 'SIGKILL');
  }, every);
`;

function watchParent(): void {
  const workerData = { parent: Number(process.argv[2]), every: WATCH };
  new Worker(WATCHMAN, { eval: true, execArgv: [], env: {}, workerData }).unref();
}
