// What decoding costs by sizes alone, held to what the graphs of the embedded decoders count.

import { describe, expect, it } from 'vitest';

import { assetPath } from '../../core/assets.js';
import { openWeights, unwrapped } from '../../runtime/weights/index.js';
import { findModel, MODELS } from '../catalog.js';
import { autoencoderTensors } from '../flux/names.js';
import { buildDecoder, type VaeGraph } from './graph.js';

function graphOf(model: string): VaeGraph {
  const source = openWeights(assetPath(model, model === 'toybox' ? 'vae.pth' : 'ae.safetensors'));
  try {
    const marks = ['decoder.conv_in.conv.weight', 'decoder.conv_in.weight'];
    return buildDecoder(
      model === 'toybox' ? unwrapped(source, { marks, official: ['vae.'] }) : autoencoderTensors(source),
    );
  } finally {
    source.close();
  }
}

describe('decoding a picture', () => {
  // The one has no attention in its middle, and a level more.
  it.each(['toybox', 'toybox-flow'])('of %s costs by its sizes what its graph does', (model) => {
    const { patch, flopsPerPlace, flopsPerPair } = graphOf(model);
    for (const [width, height] of [[64, 64], [64, 32]] as const) {
      const places = (width * height) / patch ** 2;
      expect(findModel(model).decoderFlops?.({ width, height })).toBe(
        flopsPerPlace * places + flopsPerPair * places ** 2,
      );
    }
  }); // prettier-ignore

  it('is known of every model of the catalogue, whether it is there or not', () => {
    for (const { name, schedule, decoderFlops } of MODELS) {
      const last = schedule().steps.at(-1)?.readout ?? { width: 0, height: 0 };
      // About 2.4 million operations a pixel for the embedded ones' widths of 32, and 10 million for 128.
      const perPixel = (decoderFlops?.(last) ?? 0) / (last.width * last.height);
      expect(perPixel, name).toBeGreaterThan(1e5);
      expect(perPixel, name).toBeLessThan(2e7);
    }
  });
});
