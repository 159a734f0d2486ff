// Turns the builder's records into ONNX bytes: drops what no output needs, lays the weights out in external files, and
// keeps small constants inside the model, where ONNX Runtime's optimiser sees them.

import { RuntimeError } from '../../core/errors.js';
import {
  ATTRIBUTE_TYPES,
  type AttributeProto,
  DATA_TYPES,
  encodeModel,
  type TensorProto,
  type ValueInfoProto,
} from './onnx-schema.js';
import { type Shape, UNKNOWN } from './shapes.js';
import { unfuse } from './unfused.js';
import {
  type Attribute,
  type ElementType,
  type ExternalWeight,
  FloatAttribute,
  type GraphModel,
  type NodeRecord,
  type TensorData,
  type TensorInfo,
} from './values.js';

/** A constant or weight as the builder records it; `inline` elements stay in the model. */
export interface Initializer {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly inline?: TensorData;
  read(): TensorData | Promise<TensorData>;
}

/** Everything that the builder has collected. */
interface GraphRecord {
  readonly name: string;
  readonly nodes: readonly NodeRecord[];
  readonly initializers: ReadonlyMap<string, Initializer>;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** What operators give, where the engine is to be told. */
  readonly results: readonly TensorInfo[];
}

const IR_VERSION = 10;
const OPSET_VERSION = 21;
const MICROSOFT_VERSION = 1;
/** Weights start at multiples of this many bytes, the width of a cache line and of the widest vector load. */
const ALIGNMENT = 64;
/** A new external file begins when one would grow beyond this: buffers of any size need not be supported. */
const FILE_BYTES = 2 ** 30;

const textBytes = new TextEncoder();

/** The model of a finished graph. */
export function emitModel(graph: GraphRecord): GraphModel {
  const { nodes, used } = reachable(graph);
  const weights: ExternalWeight[] = [];
  const layout = new FileLayout();
  const initializer: TensorProto[] = [];
  for (const [name, entry] of graph.initializers) {
    if (!used.has(name)) continue;
    if (entry.inline) {
      initializer.push(inlineTensor(name, entry, entry.inline));
    } else {
      const place = layout.place(entry.byteLength);
      weights.push({ name, byteLength: entry.byteLength, ...place, read: () => entry.read() });
      initializer.push(externalTensor(name, entry, place));
    }
  }
  const proto = encodeModel({
    ir_version: IR_VERSION,
    opset_import: [
      { domain: '', version: OPSET_VERSION },
      { domain: 'com.microsoft', version: MICROSOFT_VERSION },
    ],
    producer_name: 'varsearch',
    graph: {
      name: graph.name,
      node: nodes.map((node) => ({
        input: node.inputs,
        output: node.outputs,
        name: node.outputs[0] ?? node.op,
        op_type: node.op,
        domain: node.domain,
        attribute: Object.entries(node.attributes).map(([name, value]) => attributeProto(name, value)),
      })),
      initializer,
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
      value_info: graph.results.filter((each) => used.has(each.name) && isTold(each)).map(valueInfo),
    },
  });
  const weightBytes = weights.reduce((sum, weight) => sum + weight.byteLength, 0);
  const { name, inputs, outputs } = graph;
  const unfused = (): GraphModel => emitModel(withoutFusion(graph));
  return { name, proto, weights, weightBytes, inputs, outputs, unfused };
}

function withoutFusion(graph: GraphRecord): GraphRecord {
  const { nodes, constants } = unfuse(graph.nodes);
  const added = [...constants].map(([name, inline]): [string, Initializer] => [
    name,
    { type: 'int64', shape: [inline.length], byteLength: inline.byteLength, inline, read: () => inline },
  ]);
  return { ...graph, nodes, initializers: new Map([...graph.initializers, ...added]) };
}

/** The nodes that some output needs, and the names of all values that they use. */
function reachable(graph: GraphRecord): { nodes: NodeRecord[]; used: Set<string> } {
  const used = new Set(graph.outputs.map((output) => output.name));
  const nodes: NodeRecord[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => used.has(output))) continue;
    for (const input of node.inputs) used.add(input);
    nodes.push(node);
  }
  return { nodes: nodes.reverse(), used };
}

class FileLayout {
  private file = 0;
  private end = 0;

  place(byteLength: number): { file: string; offset: number } {
    if (this.end > 0 && this.end + byteLength > FILE_BYTES) {
      this.file++;
      this.end = 0;
    }
    const offset = this.end;
    this.end = Math.ceil((offset + byteLength) / ALIGNMENT) * ALIGNMENT;
    return { file: `weights-${this.file}.bin`, offset };
  }
}

function inlineTensor(name: string, entry: Initializer, data: TensorData): TensorProto {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: entry.shape, data_type: DATA_TYPES[entry.type], raw_data: raw };
}

function externalTensor(
  name: string,
  entry: Initializer,
  place: { file: string; offset: number },
): TensorProto {
  return {
    name,
    dims: entry.shape,
    data_type: DATA_TYPES[entry.type],
    data_location: 1,
    external_data: [
      { key: 'location', value: place.file },
      { key: 'offset', value: String(place.offset) },
      { key: 'length', value: String(entry.byteLength) },
    ],
  };
}

function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPES.string, s: textBytes.encode(value) };
  if (value instanceof FloatAttribute) {
    return typeof value.values === 'number'
      ? { name, type: ATTRIBUTE_TYPES.float, f: value.values }
      : { name, type: ATTRIBUTE_TYPES.floats, floats: value.values };
  }
  const whole = (x: number): number => {
    if (!Number.isInteger(x)) {
      throw new RuntimeError(`Attribute ${name}: mark ${x} as a real number by float().`);
    }
    return x;
  };
  return typeof value === 'number'
    ? { name, type: ATTRIBUTE_TYPES.int, i: whole(value) }
    : { name, type: ATTRIBUTE_TYPES.ints, ints: value.map(whole) };
}

/**
 * Whether the engine is told of a result's size: it plans memory by comparing every result with all that are free, and one whose
 * size it does not know stays free to the end. Of 32 blocks in 8 bits, that took two seconds at every start. Of three axes it is
 * not told: with them it makes one operator of some sum and its norm, whose last bits are others.
 */
function isTold({ shape }: TensorInfo): boolean {
  return shape.length > 0 && shape.length !== 3 && !shape.includes(UNKNOWN);
}

function valueInfo(info: TensorInfo): ValueInfoProto {
  return {
    name: info.name,
    type: { tensor_type: { elem_type: DATA_TYPES[info.type], shape: { dim: dims(info.shape) } } },
  };
}

function dims(shape: Shape): { dim_value?: number; dim_param?: string }[] {
  return shape.map((dim) =>
    typeof dim === 'number' ? { dim_value: dim } : dim === UNKNOWN ? {} : { dim_param: dim },
  );
}
