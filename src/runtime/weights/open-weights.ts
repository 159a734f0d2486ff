// The door to checkpoints on disk: recognises a file by its content and a folder by what lies in it, and joins the
// shards of a split checkpoint (`*.index.json`) into one source.

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { CheckpointError } from '../../core/errors.js';
import { openFileBytes, systemFault } from './byte-source.js';
import { openSafetensors } from './safetensors.js';
import { openSharded } from './sharded.js';
import type { TensorSource } from './tensor-source.js';
import { openTorchZip } from './torch-zip.js';

/** Names that are tried first in a folder, best first. */
const PREFERRED = [
  'model.safetensors',
  'model.safetensors.index.json',
  'diffusion_pytorch_model.safetensors',
  'diffusion_pytorch_model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/** What is needed of a checkpoint. */
export interface WeightsOptions {
  /** Beginnings of the names of the tensors: shards without any of them need not be there. @default all */
  readonly tensors?: readonly string[];
}

/** Opens a checkpoint: a safetensors or PyTorch file, an index of shards, or a folder with one of them. Throws CheckpointError. */
export function openWeights(path: string, options: WeightsOptions = {}): TensorSource {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (cause) {
    throw new CheckpointError(path, systemFault(cause), { cause });
  }
  return openFile(isFolder ? join(path, chooseFile(path)) : path, options);
}

/** The checkpoint of a folder: a well-known name, an index of shards, or the only file that could be one. */
function chooseFile(folder: string): string {
  const files = readdirSync(folder).sort();
  const known = PREFERRED.find((name) => files.includes(name));
  if (known !== undefined) return known;
  const indexes = files.filter((name) => /\.(safetensors|bin)\.index\.json$/.test(name));
  const single = files.filter((name) => /\.(safetensors|pth|pt|bin)$/.test(name));
  const candidates = indexes.length > 0 ? indexes : single;
  if (candidates.length > 1) {
    throw new CheckpointError(
      folder,
      `holds several checkpoints (${candidates.slice(0, 5).join(', ')}): name one`,
    );
  }
  if (candidates[0] !== undefined) return candidates[0];
  throw new CheckpointError(folder, 'holds no checkpoint: no .safetensors, .pth, .pt or .bin file');
}

function openFile(path: string, options: WeightsOptions = {}): TensorSource {
  const bytes = openFileBytes(path);
  let head: Uint8Array;
  try {
    head = bytes.read(0, Math.min(bytes.size, 64));
  } catch (error) {
    bytes.close();
    throw error;
  }
  switch (recognise(head)) {
    case 'zip':
      return openTorchZip(bytes);
    case 'safetensors':
      return openSafetensors(bytes);
    case 'json':
      bytes.close();
      if (basename(path).endsWith('.index.json')) return openSharded(path, openShard, options.tensors);
      throw new CheckpointError(
        path,
        'is JSON, but its name does not end in .index.json: no index of shards',
      );
    default:
      bytes.close();
      throw new CheckpointError(path, unknownKind(head));
  }
}

function openShard(index: string, name: string): TensorSource {
  return openFile(join(dirname(index), name));
}

function recognise(head: Uint8Array): 'zip' | 'safetensors' | 'json' | 'unknown' {
  const text = Buffer.from(head).toString('latin1');
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) return 'zip';
  // Eight bytes of header size, of which the upper three are zero in any real file, then a brace.
  if (text.startsWith('\0\0\0', 5) && text[8] === '{') return 'safetensors';
  if (/^\s*\{/.test(text)) return 'json';
  return 'unknown';
}

/** What every pickle of protocol 2 and later begins with. */
const PICKLE_MARK = 0x80;

/** The fault, and the remedy, of a file that no reader takes. */
function unknownKind(head: Uint8Array): string {
  const text = Buffer.from(head).toString('latin1');
  if (head.length === 0) return 'is empty';
  const [mark = 0, protocol = 0] = head;
  if (mark === PICKLE_MARK && protocol >= 2 && protocol <= 5) {
    return (
      'is a PyTorch file of the format before 1.6, or a bare pickle, which is not read: in Python (torch 1.6 or newer), ' +
      "torch.save(torch.load(file, map_location='cpu', weights_only=True), new_file)"
    );
  }
  if (text.startsWith('version https://git-lfs')) {
    return 'is only a Git LFS pointer: fetch the file itself (git lfs pull)';
  }
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return 'is a web page, not a checkpoint: the download failed';
  if (text.startsWith('GGUF')) {
    return 'is a GGUF file, which is not read: take the safetensors file of the model';
  }
  return `is neither safetensors nor a PyTorch checkpoint (it starts with ${JSON.stringify(text.slice(0, 8))})`;
}
