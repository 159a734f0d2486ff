// What can compute: the choice between devices. Whether one can be used is tried out where the engine lives (probe.ts).

import { UsageError } from '../core/errors.js';

/** What a runtime computes on. */
export const DEVICES = ['cpu', 'webgpu', 'cuda'] as const;

/** One of them. */
export type Device = (typeof DEVICES)[number];

/** What can be asked for. */
export const DEVICE_CHOICES = [...DEVICES, 'auto'] as const;

/** One of them. */
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

/** What became of trying a device. */
export interface DeviceFound {
  /** Why it cannot be used, and what helps, in one line; null where it can be. */
  readonly fault: string | null;
  /** Why it is not taken of itself though it can be used; null where it may be. */
  readonly doubt: string | null;
  /** Whether the engine's fused attention is right on it. */
  readonly fusedAttention: boolean;
  /** Whether it computes in 16-bit floating point. */
  readonly float16: boolean;
}

/** The device that a runtime has. */
export interface ChosenDevice {
  readonly device: Device;
  readonly fusedAttention: boolean;
  readonly float16: boolean;
  readonly words: string | null;
}

/** What needs no choice. */
export const CPU: ChosenDevice = { device: 'cpu', fusedAttention: true, float16: true, words: null };

/** CUDA first: its library is only there where somebody has fetched it. */
const AUTOMATIC = ['cuda', 'webgpu'] as const;

/**
 * Takes the device that is asked for, or with `auto` the first that works, and the CPU where none does. Throws UsageError where the
 * one that is asked for cannot be used.
 */
export async function chooseDevice(
  asked: DeviceChoice,
  probe: (device: Device) => Promise<DeviceFound>,
): Promise<ChosenDevice> {
  if (asked !== 'auto') {
    const { fault, fusedAttention, float16 } = await probe(asked);
    if (fault !== null) {
      throw new UsageError(`device '${asked}' cannot be used: ${fault}; or take --device cpu`);
    }
    return { device: asked, fusedAttention, float16, words: `device: ${asked}` };
  }
  const faults: string[] = [];
  for (const device of AUTOMATIC) {
    const { fault, doubt, fusedAttention, float16 } = await probe(device);
    const against = fault ?? doubt;
    if (against === null) return { device, fusedAttention, float16, words: `device: ${device}` };
    faults.push(`${device}: ${against}`);
  }
  return { ...CPU, words: `device: cpu (${faults.join('; ')})` };
}
