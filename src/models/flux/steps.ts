// The schedule of a FLUX as search knows it, from sizes alone: the noise is a step of its own, which costs nothing; every
// denoising step is one evaluation. The picture of an unfinished prefix is what the next step's evaluation predicts.

import type { OptionValues } from '../../core/options.js';
import type { Schedule, Step } from '../contract.js';
import { fluxForwardBytes, fluxStepFlops, latentBytes } from './cost.js';
import { branchesOf, type FluxFacts, type FluxValues, gridOf, resolveFlux, shiftOf } from './options.js';
import { fluxTimes } from './schedule.js';

/** The schedule of a run; `values` are those of `resolveFlux`. */
export function fluxSteps(values: FluxValues, facts: FluxFacts): Schedule {
  const { steps: count, solver } = values;
  const grid = gridOf(values, facts);
  const [height, width] = [grid.height * facts.tokenPixels, grid.width * facts.tokenPixels];
  const tokens = grid.height * grid.width;
  const sequence = { imageTokens: tokens, textTokens: facts.textLength };
  const flops = branchesOf(values) * fluxStepFlops(facts.config, sequence);
  const heldBytes = latentBytes(facts.config, tokens);
  const runBytes = branchesOf(values) * fluxForwardBytes(facts.config, sequence);
  const noise: Step = {
    label: 'noise',
    draws: true,
    nfe: 0,
    tokens: 0,
    flops: 0,
    heldBytes: 0,
    prefixBytes: heldBytes,
    readout: { width, height, nfe: 1 },
  };
  const times = fluxTimes(count, tokens, shiftOf(values, facts));
  const denoising = Array.from({ length: count }, (_, i): Step => {
    const isLast = i === count - 1;
    return {
      label: `t = ${(times[i] ?? 0).toFixed(2)}`,
      draws: solver === 'stochastic' && !isLast,
      nfe: 1,
      tokens,
      flops,
      heldBytes,
      prefixBytes: heldBytes,
      runBytes,
      readout: { width, height, nfe: isLast ? 0 : 1 },
    };
  });
  return { unit: 'step', steps: [noise, ...denoising], standsAlone: true };
}

/** The schedule with given options, the model's defaults filled in. */
export function fluxScheduleOf(facts: FluxFacts, options: OptionValues = {}): Schedule {
  return fluxSteps(resolveFlux(options, facts), facts);
}
