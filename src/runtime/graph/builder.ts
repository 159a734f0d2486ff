// The graph builder: collects inputs, weights and operator calls, and emits an ONNX model (opset 21 and com.microsoft).
// Operators are functions in the ops-*.ts files beside this one; `op` is the escape for any other. Wrong shapes are errors
// where they are static; the rest is left to ONNX Runtime.

import { CheckpointError, RuntimeError } from '../../core/errors.js';
import { isArrayOf } from '../../core/realm.js';
import { emitModel, type Initializer } from './emit.js';
import { formatShape, type Shape, shapesAgree, staticSize } from './shapes.js';
import { transposed } from './transpose-data.js';
import {
  type Attribute,
  ELEMENT_BYTES,
  type ElementType,
  type GraphModel,
  type NodeRecord,
  type TensorData,
  type TensorInfo,
} from './values.js';

/** The part of a checkpoint reader that the builder needs: shapes before anything is read, and a tensor in float32. */
export interface WeightSource {
  /** The file or folder, for messages. */
  readonly label: string;
  /** Shape of a tensor; throws when there is none of that name. */
  info(name: string): { readonly shape: readonly number[] };
  read(name: string): Float32Array | Promise<Float32Array>;
}

/** A WeightSource that can be asked what it has. */
export interface NamedWeights extends WeightSource {
  readonly names: readonly string[];
  has(name: string): boolean;
}

/** How a weight is taken from a checkpoint. */
interface WeightOptions {
  /** The shape that the tensor must have in the file; names match any size. */
  readonly expected?: Shape;
  /** Swap the two dimensions of a matrix (a linear layer's [out, in] becomes [in, out]). @default false */
  readonly transpose?: boolean;
  /** Shape to give the tensor afterwards, of as many elements (a [C] bias becomes [1, C, 1, 1]). */
  readonly shape?: readonly number[];
}

/** A weight computed from others: its shape, and how to get its elements when the model is loaded or saved. */
interface LazyWeight {
  readonly shape: readonly number[];
  read(): TensorData | Promise<TensorData>;
}

/** Type and shape of an operator's result. */
interface ResultType {
  readonly type: ElementType;
  readonly shape: Shape;
}

/** An operator call of the escape hatch: everything that ONNX wants to know about it. */
interface OpCall {
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: '' | 'com.microsoft';
  readonly outputs: readonly ResultType[];
}

/** The result of an operator, a weight or an input: what operators take and give. */
export interface Value {
  readonly graph: GraphBuilder;
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

/** Builds one ONNX graph. Values of one builder cannot be used in another. */
export class GraphBuilder {
  readonly name: string;
  private readonly nodes: NodeRecord[] = [];
  private readonly initializers = new Map<string, Initializer>();
  private readonly inputs: TensorInfo[] = [];
  private readonly outputs: TensorInfo[] = [];
  private readonly results: TensorInfo[] = [];
  private readonly shared = new Map<string, Value>();
  private readonly sources = new Map<WeightSource, number>();
  private readonly names = new Set<string>();
  private scope = '';

  constructor(name: string) {
    this.name = name;
  }

  /** Declares an input of the model. */
  input(name: string, type: ElementType, shape: Shape): Value {
    this.claim(name);
    this.inputs.push({ name, type, shape });
    return this.value(name, type, shape);
  }

  /** Declares a value as an output of the model under this name; an `as` shape renames its symbolic dimensions. */
  output(name: string, value: Value, as: Shape = value.shape): void {
    if (!shapesAgree(as, value.shape)) {
      throw new RuntimeError(
        `Graph ${this.name}: output ${name} has shape ${formatShape(value.shape)}, not ${formatShape(as)}.`,
      );
    }
    this.own(value, `output ${name}`);
    this.claim(name);
    this.nodes.push({ op: 'Identity', domain: '', inputs: [value.name], outputs: [name], attributes: {} });
    this.outputs.push({ name, type: value.type, shape: as });
  }

  /** Names the nodes that `body` makes after this part of the model, for profiles and messages. */
  scoped<T>(name: string, body: () => T): T {
    const outer = this.scope;
    this.scope = `${outer}${name}/`;
    try {
      return body();
    } finally {
      this.scope = outer;
    }
  }

  /** A weight with its elements at hand. */
  weight(name: string, data: TensorData, shape: readonly number[], type: ElementType = typeOf(data)): Value {
    if (staticSize(shape) !== data.length) {
      throw new RuntimeError(
        `Weight ${name}: ${data.length} elements do not make the shape ${formatShape(shape)}.`,
      );
    }
    return this.lazyWeight(name, { shape, read: () => data }, type);
  }

  /** A weight whose elements are read or computed only when the model is loaded or saved. */
  lazyWeight(name: string, weight: LazyWeight, type: ElementType = 'float32'): Value {
    const unique = this.fresh(name);
    const byteLength = (staticSize(weight.shape) ?? 0) * ELEMENT_BYTES[type];
    this.initializers.set(unique, { type, shape: weight.shape, byteLength, read: () => weight.read() });
    return this.value(unique, type, weight.shape);
  }

  /** A tensor of a checkpoint, widened to float32; asking twice for the same gives the same value. */
  weightFrom(source: WeightSource, key: string, options: WeightOptions = {}): Value {
    const { expected, transpose = false } = options;
    const found = source.info(key).shape;
    if (expected && !shapesAgree(expected, found)) {
      throw new CheckpointError(
        source.label,
        `weight ${key} should have the shape ${formatShape(expected)}, but has ${formatShape(found)}; ` +
          'the configuration does not belong to this checkpoint',
      );
    }
    if (transpose && found.length !== 2) {
      throw new RuntimeError(`Weight ${key}: only a matrix can be transposed, found ${formatShape(found)}.`);
    }
    const [rows, columns] = found as [number, number];
    const shape = options.shape ?? (transpose ? [columns, rows] : found);
    if (staticSize(shape) !== staticSize(found)) {
      throw new RuntimeError(`Weight ${key}: ${formatShape(found)} cannot become ${formatShape(shape)}.`);
    }
    const identity = `${this.sourceNumber(source)}:${key}:${String(transpose)}:${shape.join()}`;
    return this.once(identity, () =>
      this.lazyWeight(key, {
        shape,
        read: async () => {
          const data = await source.read(key);
          return transpose ? transposed(data, rows, columns) : data;
        },
      }),
    );
  }

  /** A small constant that lies inside the model: a number, a list of whole numbers (int64), or typed elements. */
  constant(
    data: TensorData | readonly number[] | number,
    shape?: readonly number[],
    type?: ElementType,
  ): Value {
    const elements =
      typeof data === 'number'
        ? Float32Array.of(data)
        : Array.isArray(data)
          ? BigInt64Array.from(data, (x: number) => BigInt(x))
          : (data as TensorData);
    const dims = shape ?? (typeof data === 'number' ? [] : [elements.length]);
    if (staticSize(dims) !== elements.length) {
      throw new RuntimeError(`Constant: ${elements.length} elements do not make ${formatShape(dims)}.`);
    }
    const elementType = type ?? typeOf(elements);
    const make = (): Value => {
      const name = this.fresh('constant');
      const { byteLength } = elements;
      this.initializers.set(name, {
        type: elementType,
        shape: dims,
        byteLength,
        inline: elements,
        read: () => elements,
      });
      return this.value(name, elementType, dims);
    };
    return elements.length > 16
      ? make()
      : this.once(`c:${elementType}:${dims.join()}:${elements.join()}`, make);
  }

  /** Calls any operator of ONNX or com.microsoft; types and shapes of the results are the caller's word. */
  op(type: string, call: OpCall): Value[] {
    const inputs = call.inputs.map((input) => (input ? this.own(input, type).name : ''));
    while (inputs.at(-1) === '') inputs.pop();
    const outputs = call.outputs.map((result) => this.value(this.fresh(type), result.type, result.shape));
    this.results.push(...outputs.map(({ name, type: of, shape }) => ({ name, type: of, shape })));
    this.nodes.push({
      op: type,
      domain: call.domain ?? '',
      inputs,
      outputs: outputs.map((output) => output.name),
      attributes: call.attributes ?? {},
    });
    return outputs;
  }

  /** Calls any operator that has one result. */
  op1(type: string, call: Omit<OpCall, 'outputs'> & ResultType): Value {
    const { type: resultType, shape, ...rest } = call;
    return this.op(type, { ...rest, outputs: [{ type: resultType, shape }] })[0] as Value;
  }

  /** The value made under this key before, or the one that `make` makes now. */
  once(key: string, make: () => Value): Value {
    let value = this.shared.get(key);
    if (!value) this.shared.set(key, (value = make()));
    return value;
  }

  /**
   * The finished model. Nodes and weights that no output needs are left out. With `tellSizes`, a graph in which a name always stands
   * for one size tells the engine of those in between, which opens graphs of thousands of nodes several times as fast.
   */
  build({ tellSizes = false }: { readonly tellSizes?: boolean } = {}): GraphModel {
    if (this.outputs.length === 0) throw new RuntimeError(`Graph ${this.name} has no output.`);
    return emitModel({
      name: this.name,
      nodes: this.nodes,
      initializers: this.initializers,
      inputs: this.inputs,
      outputs: this.outputs,
      results: tellSizes ? this.results : [],
    });
  }

  private value(name: string, type: ElementType, shape: Shape): Value {
    return { graph: this, name, type, shape };
  }

  private own(value: Value, user: string): Value {
    if (value.graph !== this) {
      throw new RuntimeError(
        `Graph ${this.name}: ${user} uses ${value.name} of the graph ${value.graph.name}.`,
      );
    }
    return value;
  }

  private claim(name: string): void {
    if (this.names.has(name)) {
      throw new RuntimeError(`Graph ${this.name}: the name ${name} is taken already.`);
    }
    this.names.add(name);
  }

  private fresh(stem: string): string {
    const base = this.scope + stem;
    let name = base;
    for (let i = 1; this.names.has(name); i++) name = `${base}.${i}`;
    this.names.add(name);
    return name;
  }

  private sourceNumber(source: WeightSource): number {
    let number = this.sources.get(source);
    if (number === undefined) this.sources.set(source, (number = this.sources.size));
    return number;
  }
}

function typeOf(data: TensorData): ElementType {
  if (isArrayOf('Float32Array', data)) return 'float32';
  if (isArrayOf('BigInt64Array', data)) return 'int64';
  if (isArrayOf('Int32Array', data)) return 'int32';
  if (isArrayOf('Uint8Array', data)) return 'uint8';
  if (isArrayOf('Int8Array', data)) return 'int8';
  return 'float16';
}
