import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import type { JsonObject } from '../src/core/json-file.js';
import { createRuntime } from '../src/runtime/index.js';
import { openWeights } from '../src/runtime/weights/index.js';
import { describesClip, runClipConformance } from './clip.js';

const folder = fileURLToPath(new URL('../../shared/conformance/clip', import.meta.url));

// The fixture (7.6 MB) is not part of the repository: skipped where it does not lie beside it.
it.skipIf(!existsSync(folder))(
  'the CLIP fixture passes within a relative 2e-5, from both layouts',
  async () => {
    expect(describesClip(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as JsonObject)).toBe(
      true,
    );
    const runtime = await createRuntime({ threads: 1 });
    const reference = openWeights(join(folder, 'reference.safetensors'));
    const runs = await runClipConformance(runtime, folder);
    expect(runs.map(({ weights }) => weights)).toEqual(['model.safetensors', 'clip.pth']);
    for (const { outputs } of runs) {
      const inputs = ['pixel_values', 'input_ids'];
      expect([...outputs.keys(), ...inputs].sort()).toEqual([...reference.names].sort());
      for (const [name, ours] of outputs) {
        const wanted = reference.read(name);
        const mean = wanted.reduce((sum, x) => sum + x, 0) / wanted.length;
        const deviation = Math.sqrt(wanted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / wanted.length);
        const worst = wanted.reduce((most, x, i) => Math.max(most, Math.abs(x - (ours[i] ?? NaN))), 0);
        expect(worst / deviation, name).toBeLessThan(2e-5);
      }
    }
    reference.close();
    expect(await runtime.stats()).toMatchObject({ sessions: 0, tensors: 0 });
    await runtime.close();
  },
);
