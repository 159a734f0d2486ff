import { describe, expect, it } from 'vitest';

import { RandomKey } from '../../src/core/random.js';
import { joinWords, PROMPT_KINDS, promptText } from '../../src/toybox/world/grammar.js';
import { BACKGROUNDS, COLOURS, type Scene, SHAPES, TEXTURES } from '../../src/toybox/world/scene.js';
import { generateSample } from './generate.js';
import { exportHeader, HEADER_BYTES, RECORD_BYTES, writeRecord } from './record.js';

const header = exportHeader(3, 5);

/** Reads a record back as training/ does. */
function readRecord(bytes: Uint8Array): { scene: Scene; kind: string | undefined; caption: string } {
  const at = (i: number): number => bytes[i] ?? 0;
  const { vocabulary } = JSON.parse(new TextDecoder().decode(header)) as { vocabulary: string[] };
  const objects = Array.from({ length: at(0) & 15 }, (_, i) => ({
    shape: SHAPES[at(2 + 4 * i) >> 4] ?? 'circle',
    colour: COLOURS[at(2 + 4 * i) & 15] ?? 'red',
    texture: TEXTURES[at(3 + 4 * i) >> 6] ?? 'plain',
    radius: (at(3 + 4 * i) & 63) / 4,
    x: at(4 + 4 * i) / 4,
    y: at(5 + 4 * i) / 4,
  }));
  const words = [...bytes.subarray(22)].filter((id) => id > 0).map((id) => vocabulary[id - 1] ?? '?');
  const background = BACKGROUNDS[at(0) >> 4] ?? 'white';
  return { scene: { background, objects }, kind: PROMPT_KINDS[at(1)], caption: joinWords(words) };
}

describe('exported records', () => {
  it('have a header of one padded JSON line', () => {
    expect(header).toHaveLength(HEADER_BYTES);
    const text = new TextDecoder().decode(header);
    expect(text.indexOf('\n')).toBe(HEADER_BYTES - 1);
    expect(JSON.parse(text)).toMatchObject({
      version: 1,
      count: 3,
      seed: 5,
      record: RECORD_BYTES,
      shapes: SHAPES,
    });
  });

  it('hold the scene, the kind and the caption', () => {
    const root = RandomKey.fromSeed(9);
    for (let i = 0; i < 100; i++) {
      const sample = generateSample(root.fold(i));
      const bytes = new Uint8Array(2 * RECORD_BYTES);
      writeRecord(sample, bytes, RECORD_BYTES);
      expect(bytes.subarray(0, RECORD_BYTES).every((value) => value === 0)).toBe(true);
      expect(readRecord(bytes.subarray(RECORD_BYTES))).toEqual({
        scene: sample.scene,
        kind: sample.kind,
        caption: promptText(sample.prompt, sample.wording),
      });
    }
  });
});
