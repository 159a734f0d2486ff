// Attention without the engine's fused kernels, for devices on which these are wrong: WebGPU's gives wrong numbers from 32 queries
// on with the driver SwiftShader, without a word (probably since its groups of threads are narrower than the kernel expects). It is
// not taken where heads of keys and of values differ in width: every head of the values gets channels of zeros.

import type { NodeRecord } from './values.js';

/** Channels that a head of the values gets more. */
const MORE = 4;

/** What was made of some nodes: the nodes, and the int64 constants that they need. */
interface Unfused {
  readonly nodes: readonly NodeRecord[];
  readonly constants: ReadonlyMap<string, BigInt64Array>;
}

/** The nodes with every MultiHeadAttention (values as [B, T, C], nothing kept from before) made so that it is computed in parts. */
export function unfuse(nodes: readonly NodeRecord[]): Unfused {
  const constants = new Map<string, BigInt64Array>();
  const constant = (...numbers: readonly number[]): string => {
    const name = `unfused:${numbers.join()}`;
    constants.set(
      name,
      BigInt64Array.from(numbers, (x) => BigInt(x)),
    );
    return name;
  };
  const made = nodes.flatMap((node): NodeRecord[] => {
    const [query = '', key = '', value = '', ...others] = node.inputs;
    const [output = '', ...present] = node.outputs;
    if (node.op !== 'MultiHeadAttention' || present.length > 0 || value === '') return [node];
    const name = (part: string): string => `${output}:${part}`;
    const plain = (
      op: string,
      {
        inputs,
        to,
        attributes = {},
      }: { inputs: readonly string[]; to: string } & Pick<Partial<NodeRecord>, 'attributes'>,
    ): NodeRecord => ({ op, domain: '', inputs, outputs: [to], attributes });
    const heads = constant(0, 0, node.attributes['num_heads'] as number, -1);
    const together = constant(0, 0, -1);
    return [
      plain('Reshape', { inputs: [value, heads], to: name('heads') }),
      plain('Pad', { inputs: [name('heads'), constant(0, 0, 0, 0, 0, 0, 0, MORE)], to: name('wide') }),
      plain('Reshape', { inputs: [name('wide'), together], to: name('values') }),
      { ...node, inputs: [query, key, name('values'), ...others], outputs: [name('attended')] },
      plain('Reshape', { inputs: [name('attended'), heads], to: name('parts') }),
      plain('Slice', {
        inputs: [name('parts'), constant(0), constant(-MORE), constant(-1)],
        to: name('narrow'),
      }),
      plain('Reshape', { inputs: [name('narrow'), together], to: output }),
    ];
  });
  return { nodes: made, constants };
}
