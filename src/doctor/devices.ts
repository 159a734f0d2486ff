// Which devices open on this machine.

import { type Device, type DeviceFound, findDevices } from '../runtime/index.js';

function describe({ fault, doubt, fusedAttention, float16 }: DeviceFound): string {
  if (fault !== null) return `not here: ${fault}`;
  const parts = fusedAttention
    ? ''
    : '; its fused attention gives wrong numbers, so that attention runs in parts';
  const numbers = float16 ? 'float32 and float16' : 'float32 alone';
  return `opens, ${numbers}${doubt === null ? '' : `; 'auto' leaves it: ${doubt}`}${parts}`;
}

/** A line for every device but the processor, by its name. */
export async function describeDevices(): Promise<readonly (readonly [device: Device, words: string])[]> {
  const found = await findDevices();
  return [...found].map(([device, each]) => [device, describe(each)] as const);
}
