"""Reading and writing safetensors without a dependency: 8 bytes of header length, JSON header, raw little-endian data."""
import json

import numpy as np
import torch

TYPES = {'F32': np.float32, 'F16': np.float16, 'I32': np.int32, 'I64': np.int64, 'U8': np.uint8}
NAMES = {torch.float32: 'F32', torch.float16: 'F16', torch.int32: 'I32', torch.int64: 'I64', torch.uint8: 'U8'}


def read_safetensors(path):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], 'little')
    header = json.loads(raw[8:8 + size])
    header.pop('__metadata__', None)
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + size + at for at in entry['data_offsets'])
        values = np.frombuffer(raw[start:end], TYPES[entry['dtype']]).reshape(entry['shape'])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def write_safetensors(path, tensors):
    header, at, parts = {'__metadata__': {'format': 'pt'}}, 0, []
    for name, tensor in tensors.items():
        part = tensor.detach().cpu().contiguous().numpy().tobytes()
        header[name] = {'dtype': NAMES[tensor.dtype], 'shape': list(tensor.shape), 'data_offsets': [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    head = json.dumps(header, separators=(',', ':')).encode()
    head += b' ' * (-len(head) % 8)
    path.write_bytes(len(head).to_bytes(8, 'little') + head + b''.join(parts))
