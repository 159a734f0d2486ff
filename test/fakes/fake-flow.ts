// An image model without weights whose steps are a diffusion model's: the fake diffusion under the options of one.

import { checkOptions, choice, type OptionValues, pick, whole } from '../../src/core/options.js';
import type { ImageModel } from '../../src/models/contract.js';
import { FakeDiffusion, type FakeDiffusionOptions } from './fake-diffusion.js';

const OPTIONS = {
  steps: whole('denoising steps', 1),
  solver: choice('whether steps draw', ['plain', 'stochastic']),
};

type Values = Pick<FakeDiffusionOptions, 'solver'> & { readonly steps: number };

/** The fake's options, with defaults filled in. */
export function resolveFlow(given: OptionValues): Values & OptionValues {
  checkOptions(given, OPTIONS);
  const { steps = 6, solver = 'plain' } = pick(given, OPTIONS);
  return { steps, solver };
}

/** A diffusion model of noise and some steps. */
export function fakeFlow(name = 'flow', options: { readonly memory?: number } = {}): ImageModel {
  return {
    name,
    options: OPTIONS,
    drawing: { solver: 'stochastic' },
    resolve: resolveFlow,
    hashes: () => Promise.resolve({ 'flux.safetensors': 'c'.repeat(64) }),
    prepare: (_prompt, ledger, given = {}) =>
      Promise.resolve(new FakeDiffusion({ ...resolveFlow(given), ...options, ledger })),
    close: () => Promise.resolve(),
  };
}
