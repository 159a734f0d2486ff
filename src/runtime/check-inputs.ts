// The check of a run's inputs before anything reaches the engine: one error that tells all that is wrong, and shows what
// was given.

import { RuntimeError } from '../core/errors.js';
import { formatShape, type TensorInfo } from './graph/index.js';
import { elementCount, type RunInput } from './tensors.js';

/** Inputs of a run by their names. */
export type RunInputs = Readonly<Record<string, RunInput>>;

/** Throws when inputs are missing or unknown, or have a wrong type, rank, size or number of elements. */
export function checkInputs(session: string, expected: readonly TensorInfo[], given: RunInputs): void {
  const faults: string[] = [];
  const sizes = new Map<string, { size: number; input: string }>();
  const missing = expected.filter((info) => given[info.name] === undefined);
  if (missing.length > 0) faults.push(`missing: ${missing.map(describeInfo).join(', ')}`);
  const known = new Set(expected.map((info) => info.name));
  const unknown = Object.keys(given).filter((name) => !known.has(name));
  if (unknown.length > 0) faults.push(`unknown: ${unknown.join(', ')}`);
  for (const info of expected) {
    const input = given[info.name];
    if (input) faults.push(...faultsOf(info, input, sizes));
  }
  if (faults.length === 0) return;
  throw new RuntimeError(
    `Session ${session} cannot run with these inputs. ${faults.join('; ')}. Given: ${describeInputs(given)}.`,
  );
}

function faultsOf(
  info: TensorInfo,
  input: RunInput,
  sizes: Map<string, { size: number; input: string }>,
): string[] {
  const { name } = info;
  if ('disposed' in input && input.disposed) return [`${name} has been disposed of`];
  const faults: string[] = [];
  if (input.type !== info.type) faults.push(`${name} should be ${info.type}, not ${input.type}`);
  if ('data' in input && input.data.length !== elementCount(input.dims)) {
    faults.push(`${name} has ${input.data.length} elements, which do not make ${formatShape(input.dims)}`);
  }
  if (input.dims.length !== info.shape.length) {
    return [
      ...faults,
      `${name} should have the shape ${formatShape(info.shape)}, not ${formatShape(input.dims)}`,
    ];
  }
  info.shape.forEach((dim, axis) => {
    const size = input.dims[axis] as number;
    if (typeof dim === 'number') {
      if (size !== dim) faults.push(`${name} should have the size ${dim} along axis ${axis}, not ${size}`);
      return;
    }
    const before = sizes.get(dim);
    if (before && before.size !== size) {
      faults.push(`${dim} is ${before.size} in ${before.input}, but ${size} in ${name}`);
    } else if (/^\w+$/.test(dim)) {
      sizes.set(dim, { size, input: name });
    }
  });
  return faults;
}

function describeInfo(info: TensorInfo): string {
  return `${info.name} ${info.type} ${formatShape(info.shape)}`;
}

/** Names, types and shapes of a run's inputs, for messages. */
export function describeInputs(inputs: RunInputs): string {
  const all = Object.entries(inputs).map(
    ([name, input]) => `${name} ${input.type} ${formatShape(input.dims)}`,
  );
  return all.length > 0 ? all.join(', ') : 'nothing';
}
