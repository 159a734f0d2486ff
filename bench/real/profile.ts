// What each operator takes, from the traces that the engine writes.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Event {
  readonly cat?: string;
  readonly name?: string;
  readonly dur?: number;
  readonly args?: { readonly op_name?: string };
}

/** The operators of all traces in a folder whose names begin so, by the time they took. */
export function operatorTimes(
  folder: string,
  prefix: string,
): readonly { readonly operator: string; readonly calls: number; readonly seconds: number }[] {
  const found = new Map<string, { calls: number; seconds: number }>();
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix)) continue;
    for (const event of JSON.parse(readFileSync(join(folder, name), 'utf8')) as Event[]) {
      const operator = event.args?.op_name;
      if (event.cat !== 'Node' || operator === undefined || !event.name?.endsWith('_kernel_time')) continue;
      const sum = found.get(operator) ?? { calls: 0, seconds: 0 };
      sum.calls++;
      sum.seconds += (event.dur ?? 0) / 1e6;
      found.set(operator, sum);
    }
  }
  return [...found].map(([operator, sum]) => ({ operator, ...sum })).sort((a, b) => b.seconds - a.seconds);
}

/** Prints the share of each operator; those below a half per cent together. */
export function printOperators(title: string, folder: string, prefix: string): void {
  const times = operatorTimes(folder, prefix);
  const all = times.reduce((sum, { seconds }) => sum + seconds, 0);
  console.log(`  ${title}, ${all.toFixed(2)} s by operator`);
  const row = (operator: string, calls: number, seconds: number): void => {
    const share = `${((100 * seconds) / all).toFixed(1)} %`;
    console.log(
      `    ${operator.padEnd(30)} ${share.padStart(7)} ${seconds.toFixed(3).padStart(9)} s in ${calls} calls`,
    );
  };
  const large = times.filter(({ seconds }) => seconds >= 0.005 * all);
  for (const { operator, calls, seconds } of large) row(operator, calls, seconds);
  const small = times.slice(large.length);
  const sum = (of: 'calls' | 'seconds'): number => small.reduce((total, each) => total + each[of], 0);
  if (small.length > 0) row('all others', sum('calls'), sum('seconds'));
}
