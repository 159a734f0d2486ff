import { describe, expect, it } from 'vitest';

import { CheckpointError } from '../../core/errors.js';
import { memoryBytes } from './byte-source.js';
import { unwrapped } from './prefixes.js';
import { openSafetensors } from './safetensors.js';
import { encodeSafetensors } from './safetensors-writer.js';
import type { TensorSource } from './tensor-source.js';

const WANTED = { marks: ['head.weight', 'body.weight'], official: ['trainer.gpt_fsdp.'] };

function sourceOf(...names: string[]): TensorSource {
  const tensors = names.map(
    (name, i) => [name, { dtype: 'F32', shape: [1], data: Float32Array.of(i) }] as const,
  );
  return openSafetensors(memoryBytes('some.pth', encodeSafetensors(new Map(tensors))));
}

describe('unwrapped', () => {
  it.each([
    'module.',
    'state_dict.',
    'model.',
    'ema.',
    'state_dict.module.',
    'model._orig_mod.',
    'trainer.gpt_fsdp.',
  ])('reads a model under %s', (prefix) => {
    const source = unwrapped(sourceOf('optimizer.lr', `${prefix}body.weight`, `${prefix}body.bias`), WANTED);
    expect([...source.names].sort()).toEqual(['body.bias', 'body.weight']);
    expect(source.read('body.weight')).toEqual(Float32Array.of(1));
    expect(source.has(`${prefix}body.weight`)).toBe(false);
  });

  it('leaves a file as it is whose model has no prefix, whatever copies it has', () => {
    const source = sourceOf('head.weight', 'ema.head.weight');
    expect(unwrapped(source, WANTED)).toBe(source);
    const other = sourceOf('something.else');
    expect(unwrapped(other, WANTED)).toBe(other);
    const ending = sourceOf('forehead.weight');
    expect(unwrapped(ending, WANTED)).toBe(ending);
  });

  it('takes what the official code takes, whatever else is there', () => {
    const source = sourceOf('trainer.gpt_ema_fsdp.head.weight', 'trainer.gpt_fsdp.head.weight');
    expect(unwrapped(source, WANTED).read('head.weight')).toEqual(Float32Array.of(1));
  });

  it('names the prefixes where it is not plain what is meant', () => {
    const two = () => unwrapped(sourceOf('model.head.weight', 'ema.head.weight'), WANTED);
    expect(two).toThrow(CheckpointError);
    expect(two).toThrow(
      /^some\.pth: has the tensors of this model 2 times, under 'ema\.' and 'model\.': save those/,
    );
    const strange = () => unwrapped(sourceOf('cond_stage_model.transformer.head.weight'), WANTED);
    expect(strange).toThrow(CheckpointError);
    expect(strange).toThrow("under 'cond_stage_model.transformer.', among others: save them alone");
  });
});
