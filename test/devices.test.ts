// Devices besides the processor. No GPU is needed: Debian's chromium brings a Vulkan driver that computes on the processor. Where it
// is not installed, what needs it is left out.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';

import { UsageError } from '../src/core/errors.js';
import { Ledger } from '../src/core/ledger.js';
import { type Draw, RandomKey } from '../src/core/random.js';
import { checkOpenOptions } from '../src/engine/options.js';
import { readVersions } from '../src/engine/versions.js';
import type { Prefix } from '../src/models/contract.js';
import { type InfinityModel, openInfinity } from '../src/models/infinity/model.js';
import type { InfinityPrefix } from '../src/models/infinity/prefix.js';
import type { Recipe } from '../src/run/recipe.js';
import { openOptionsOf } from '../src/run/replay.js';
import { softwareDriver, webgpuFault } from '../src/runtime/device-faults.js';
import { chooseDevice, type Device, type DeviceFound } from '../src/runtime/devices.js';
import { createRuntime, type Runtime } from '../src/runtime/index.js';
import { fakeModel } from './fakes/fake-model.js';
import { fakeVerifier } from './fakes/fake-verifier.js';
import { tinyStates, writeTinyInfinity } from './fakes/tiny-infinity.js';

const CHROMIUM = '/usr/lib/chromium';
const DRIVER = join(CHROMIUM, 'vk_swiftshader_icd.json');

const folder = mkdtempSync(join(tmpdir(), 'varsearch-test-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the choice of a device', () => {
  const works: DeviceFound = { fault: null, doubt: null, fusedAttention: true, float16: true };
  const found = (each: Partial<Record<Device, Partial<DeviceFound>>>) => (device: Device) =>
    Promise.resolve({ ...works, fault: 'is not there', ...each[device] });

  it('takes the one that is asked for, with all that was found out of it', async () => {
    const probe = found({ webgpu: { fault: null, doubt: 'is slow', fusedAttention: false } });
    const chosen = await chooseDevice('webgpu', probe);
    expect(chosen).toEqual({
      device: 'webgpu',
      fusedAttention: false,
      float16: true,
      words: 'device: webgpu',
    });
  });

  it('refuses one that cannot be used in one line with the remedy', async () => {
    const choosing = chooseDevice('cuda', found({}));
    await expect(choosing).rejects.toThrow(
      "device 'cuda' cannot be used: is not there; or take --device cpu",
    );
    await expect(choosing).rejects.toBeInstanceOf(UsageError);
  });

  it('takes by itself what works, and the processor where nothing does, and says why', async () => {
    expect((await chooseDevice('auto', found({ cuda: works, webgpu: works }))).device).toBe('cuda');
    expect((await chooseDevice('auto', found({ webgpu: works }))).device).toBe('webgpu');
    const probe = found({ webgpu: { fault: null, doubt: 'is slow' } });
    expect(await chooseDevice('auto', probe)).toMatchObject({
      device: 'cpu',
      fusedAttention: true,
      words: 'device: cpu (cuda: is not there; webgpu: is slow)',
    });
  });
});

describe.skipIf(process.platform !== 'linux')('WebGPU on Linux', () => {
  const libraries = join(folder, 'libraries');

  it('needs a driver, and says so before the graphics library does', () => {
    vi.stubEnv('LD_LIBRARY_PATH', [folder, CHROMIUM].join(delimiter));
    writeFileSync(join(folder, 'libvulkan.so.1'), '');
    vi.stubEnv('VK_DRIVER_FILES', join(folder, 'none.json'));
    expect(webgpuFault()).toMatch(/^there is no Vulkan driver: install that of your GPU .*VK_DRIVER_FILES$/);
    writeFileSync(join(folder, 'own_icd.json'), '{}');
    vi.stubEnv('VK_DRIVER_FILES', join(folder, 'own_icd.json'));
    expect(webgpuFault()).toBeNull();
    vi.stubEnv('LD_LIBRARY_PATH', libraries);
    expect([
      null,
      expect.stringMatching(/^there is no Vulkan loader .*apt install libvulkan1/),
    ]).toContainEqual(webgpuFault());
  });

  it('knows drivers that compute on the processor, where there is no other', () => {
    for (const name of ['vk_swiftshader_icd.json', 'lvp_icd.x86_64.json', 'radeon_icd.json']) {
      writeFileSync(join(folder, name), '{}');
    }
    const named = (...names: string[]): void => {
      vi.stubEnv('VK_DRIVER_FILES', names.map((name) => join(folder, name)).join(':'));
    };
    named('vk_swiftshader_icd.json');
    expect(softwareDriver()).toBe('vk_swiftshader_icd.json');
    named('lvp_icd.x86_64.json', 'vk_swiftshader_icd.json');
    expect(softwareDriver()).toBe('lvp_icd.x86_64.json');
    named('lvp_icd.x86_64.json', 'radeon_icd.json');
    expect(softwareDriver()).toBeNull();
  });
});

describe('a device in options, results and recipes', () => {
  it('is refused for what is loaded already', () => {
    const loaded = { model: fakeModel(), verifier: fakeVerifier() };
    expect(() => checkOpenOptions({ ...loaded, device: 'auto' })).toThrow(
      /option 'device' is for what is loaded by name/,
    );
    expect(() => checkOpenOptions({ device: 'gpu' as never })).toThrow(
      /'device' must be .*cpu, webgpu, cuda, auto/,
    );
  });

  it('is written down where it is no processor', () => {
    expect(readVersions()).not.toHaveProperty('device');
    expect(readVersions('cpu')).toEqual(readVersions());
    expect(readVersions('webgpu')).toEqual({ ...readVersions(), device: 'webgpu' });
  });

  it('is that of the recipe in a replay, unless another is asked for', () => {
    const made = (device: string): Recipe =>
      ({
        options: { model: 'toybox', modelOptions: {}, jury: { judges: ['a'], rule: 'score' } },
        versions: { device },
      }) as unknown as Recipe;
    expect(openOptionsOf(made('webgpu'), {}).device).toBe('webgpu');
    expect(openOptionsOf(made('webgpu'), { device: 'cpu' }).device).toBe('cpu');
    expect(openOptionsOf(made('something'), {}).device).toBeUndefined();
    expect(openOptionsOf(made('webgpu'), { model: fakeModel() }).device).toBeUndefined();
  });
});

const scales = [1, 2, 6].map((side) => ({ height: side, width: side }));
const COUNT = 3;

/** Logits by picture and scale, of pictures drawn side by side. */
async function logitsOf(model: InfinityModel, count: number): Promise<Float32Array[][]> {
  const generator = await model.prepareStates(tinyStates(5), new Ledger(), { cfg: 3 });
  let prefixes: InfinityPrefix[] = Array.from({ length: count }, () => generator.begin());
  const logits: Float32Array[][] = prefixes.map(() => []);
  for (let scale = 0; scale < scales.length; scale++) {
    await generator.computeForwards(prefixes);
    prefixes.forEach((prefix, i) => logits[i]?.push(prefix.forward?.logits ?? new Float32Array()));
    const draws = prefixes.map((prefix, i) => ({ prefix, draw: RandomKey.fromSeed(i).fold(scale) }));
    const next = await generator.extend(draws);
    for (const prefix of prefixes) prefix.release();
    prefixes = next;
  }
  for (const prefix of prefixes) prefix.release();
  generator.close();
  return logits;
}

/** Pictures drawn in one run, or step by step where there are none. */
async function statesOf(model: InfinityModel, count: number): Promise<Uint8Array[]> {
  const generator = await model.prepareStates(tinyStates(5), new Ledger(), { cfg: 3 });
  const draws = Array.from({ length: count }, (_, i) => RandomKey.fromSeed(i));
  const stepByStep = async (): Promise<Prefix[]> => {
    let prefixes: Prefix[] = draws.map(() => generator.begin());
    for (let step = 1; step <= scales.length; step++) {
      const requests = prefixes.map((prefix, i) => ({ prefix, draw: (draws[i] as Draw).fold(step) }));
      const next = await generator.extend(requests);
      for (const prefix of prefixes) prefix.release();
      prefixes = next;
    }
    return prefixes;
  };
  const prefixes = await (generator.rollOut?.(draws, scales.length) ?? stepByStep());
  const states = prefixes.map((prefix) => generator.pack(prefix));
  for (const prefix of prefixes) prefix.release();
  generator.close();
  return states;
}

describe.skipIf(!existsSync(DRIVER) || process.platform !== 'linux')(
  "WebGPU on chromium's software driver (left out where there is none)",
  { timeout: 300_000 },
  () => {
    const files = writeTinyInfinity(join(folder, 'tiny'));
    const run = {
      name: 'tiny',
      ...files,
      schedule: { scales, rotary: scales },
      defaults: { cfg: 3, temperature: 1 },
    };
    const open = async (device: Device): Promise<Runtime> => {
      vi.stubEnv('VK_DRIVER_FILES', DRIVER);
      vi.stubEnv('XDG_RUNTIME_DIR', folder);
      // The dynamic linker reads it when a process starts.
      vi.stubEnv('LD_LIBRARY_PATH', CHROMIUM);
      return await createRuntime({ device, carrier: 'process', cache: null });
    };

    it('gives the logits of the processor, and each row the same whatever is beside it, step by step and in one run', async () => {
      const cpu = await open('cpu');
      const gpu = await open('webgpu');
      expect(gpu.device).toBe('webgpu');
      await expect(openInfinity(gpu, { ...run, precision: 'int8' })).rejects.toThrow(
        /^precision int8 is for the CPU alone, and this is webgpu: take float16/,
      );
      const [exact, model] = await Promise.all([cpu, gpu].map((runtime) => openInfinity(runtime, run)));
      if (!exact || !model) throw new Error('no model');
      const [expected, found] = await Promise.all([logitsOf(exact, COUNT), logitsOf(model, COUNT)]);
      const [alone] = await logitsOf(model, 1);
      expect(alone).toEqual(found[0]);
      const states = await statesOf(exact, COUNT);
      expect(await statesOf(model, COUNT)).toEqual(states);
      expect(await statesOf(model, 1)).toEqual(states.slice(0, 1));
      for (const [i, picture] of expected.entries()) {
        for (const [scale, logits] of picture.entries()) {
          const others = found[i]?.[scale] ?? new Float32Array();
          expect(others).toHaveLength(logits.length);
          const error = Math.max(...logits.map((value, j) => Math.abs(value - (others[j] ?? NaN))));
          expect(error).toBeLessThan(1e-3);
        }
      }
      await Promise.all([cpu.close(), gpu.close()]);
    });
  },
);
