// Time and memory of a phase, from the system's own account of this process. Linux only.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Memory of this process in bytes: what is its own, and what of it is files that are mapped, which the system may drop. */
export function memory(): { readonly own: number; readonly mapped: number } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? NaN);
  return { own: kilobytes('RssAnon') * 1024, mapped: kilobytes('RssFile') * 1024 };
}

/** A phase that is over. */
export interface Phase<T> {
  readonly result: T;
  readonly seconds: number;
  /** Of processors: what stays the same when others want them too. */
  readonly cpu: number;
  /** Most memory of its own during the phase beyond what it was before. */
  readonly grown: number;
  readonly peak: number;
  /** Most memory with the mapped files. */
  readonly resident: number;
}

const INTERVAL_MS = 20;

/** Runs a phase and watches time and memory. */
export async function phase<T>(work: () => Promise<T>): Promise<Phase<T>> {
  const before = memory().own;
  let peak = before;
  let resident = 0;
  const look = (): void => {
    const { own, mapped } = memory();
    peak = Math.max(peak, own);
    resident = Math.max(resident, own + mapped);
  };
  const watch = setInterval(look, INTERVAL_MS);
  const start = performance.now();
  const used = process.cpuUsage();
  try {
    const result = await work();
    look();
    const { user, system } = process.cpuUsage(used);
    const seconds = (performance.now() - start) / 1000;
    return { result, seconds, cpu: (user + system) / 1e6, grown: peak - before, peak, resident };
  } finally {
    clearInterval(watch);
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Prints a phase in a line. */
export function printPhase(
  what: string,
  { seconds, cpu, grown, peak, resident }: Phase<unknown>,
  note = '',
): void {
  console.log(
    `  ${what.padEnd(36)} ${seconds.toFixed(2).padStart(8)} s (${cpu.toFixed(2)} s of processors)  own memory +${gigabytes(grown)}, ` +
      `peak ${gigabytes(peak)}, with mapped files ${gigabytes(resident)}${note}`,
  );
}

/** Makes the system forget what it keeps of the files in a folder, as after a restart of the machine. */
export function dropFromPageCache(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, name);
    if (statSync(file).isFile()) {
      execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
    }
  }
}
