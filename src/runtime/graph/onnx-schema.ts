// The part of the ONNX schema that a graph of ours uses, as a protobufjs descriptor: models, graphs, nodes, attributes,
// tensors and their types. Trimmed from onnx/onnx.proto3 of https://github.com/onnx/onnx (Copyright ONNX Project
// Contributors, Apache License 2.0): field names and numbers are theirs, messages and fields that we never write are left out.

import protobuf from 'protobufjs/light.js';

interface Field {
  type: string;
  id: number;
  rule?: 'repeated';
}
const one = (type: string, id: number): Field => ({ type, id });
const many = (type: string, id: number): Field => ({ type, id, rule: 'repeated' });

const descriptor = {
  nested: {
    onnx: {
      nested: {
        ModelProto: {
          fields: {
            ir_version: one('int64', 1),
            opset_import: many('OperatorSetIdProto', 8),
            producer_name: one('string', 2),
            graph: one('GraphProto', 7),
          },
        },
        OperatorSetIdProto: { fields: { domain: one('string', 1), version: one('int64', 2) } },
        GraphProto: {
          fields: {
            node: many('NodeProto', 1),
            name: one('string', 2),
            initializer: many('TensorProto', 5),
            input: many('ValueInfoProto', 11),
            output: many('ValueInfoProto', 12),
            value_info: many('ValueInfoProto', 13),
          },
        },
        NodeProto: {
          fields: {
            input: many('string', 1),
            output: many('string', 2),
            name: one('string', 3),
            op_type: one('string', 4),
            domain: one('string', 7),
            attribute: many('AttributeProto', 5),
          },
        },
        AttributeProto: {
          fields: {
            name: one('string', 1),
            type: one('int32', 20),
            f: one('float', 2),
            i: one('int64', 3),
            s: one('bytes', 4),
            floats: many('float', 7),
            ints: many('int64', 8),
          },
        },
        TensorProto: {
          fields: {
            dims: many('int64', 1),
            data_type: one('int32', 2),
            name: one('string', 8),
            raw_data: one('bytes', 9),
            external_data: many('StringStringEntryProto', 13),
            data_location: one('int32', 14),
          },
        },
        StringStringEntryProto: { fields: { key: one('string', 1), value: one('string', 2) } },
        ValueInfoProto: { fields: { name: one('string', 1), type: one('TypeProto', 2) } },
        TypeProto: { fields: { tensor_type: one('TensorTypeProto', 1) } },
        // Nested as TypeProto.Tensor in the original; names do not reach the wire.
        TensorTypeProto: { fields: { elem_type: one('int32', 1), shape: one('TensorShapeProto', 2) } },
        TensorShapeProto: { fields: { dim: many('Dimension', 1) } },
        Dimension: { fields: { dim_value: one('int64', 1), dim_param: one('string', 2) } },
      },
    },
  },
};

const modelType = protobuf.Root.fromJSON(descriptor).lookupType('onnx.ModelProto');

/** TensorProto.DataType numbers of the element types that graphs of ours use. */
export const DATA_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
} as const;

/** AttributeProto.AttributeType numbers of the attributes that graphs of ours use. */
export const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, floats: 6, ints: 7 } as const;

/** One attribute of a node, in the fields of the ONNX schema. */
export interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  floats?: readonly number[];
  ints?: readonly number[];
}

/** One operator call, in the fields of the ONNX schema. */
interface NodeProto {
  input: readonly string[];
  output: readonly string[];
  name: string;
  op_type: string;
  domain: string;
  attribute: readonly AttributeProto[];
}

/** A constant tensor: inline (`raw_data`, little endian) or outside (`external_data`, `data_location` 1). */
export interface TensorProto {
  name: string;
  dims: readonly number[];
  data_type: number;
  raw_data?: Uint8Array;
  external_data?: readonly { key: string; value: string }[];
  data_location?: number;
}

/** Name, element type and shape of an input or output. */
export interface ValueInfoProto {
  name: string;
  type: {
    tensor_type: {
      elem_type: number;
      shape: { dim: readonly { dim_value?: number; dim_param?: string }[] };
    };
  };
}

/** A whole model, in the fields of the ONNX schema. */
interface ModelProto {
  ir_version: number;
  opset_import: readonly { domain: string; version: number }[];
  producer_name: string;
  graph: {
    name: string;
    node: readonly NodeProto[];
    initializer: readonly TensorProto[];
    input: readonly ValueInfoProto[];
    output: readonly ValueInfoProto[];
    /** What is known of the results in between. */
    value_info: readonly ValueInfoProto[];
  };
}

/** The model's bytes as an `.onnx` file holds them. */
export function encodeModel(model: ModelProto): Uint8Array {
  return modelType.encode(modelType.create(model)).finish();
}

/** Reads the bytes of an `.onnx` file back, as far as this trimmed schema goes (used by tests and tools). */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const message = modelType.decode(bytes);
  return modelType.toObject(message, {
    longs: Number,
    arrays: true,
    defaults: true,
  }) as unknown as ModelProto;
}
