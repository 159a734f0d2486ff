// What a device needs and lacks, in one line each with the remedy: WebGPU on Linux a Vulkan loader and a driver, CUDA the engine's
// own library, which its package does not bring along.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { isError } from '../core/realm.js';
import type { Device } from './devices.js';

const LOADER = 'libvulkan.so.1';
/** Where the dynamic linker looks without being told, in systems that keep no cache of it. */
const LIBRARY_FOLDERS = ['/lib', '/usr/lib', '/usr/local/lib', '/lib64', '/usr/lib64'];
const LINKER_CACHE = '/etc/ld.so.cache';
const SOFTWARE = /swiftshader|lvp_icd|lavapipe|llvmpipe/i;

const listed = (name: string): string[] => (process.env[name] ?? '').split(':').filter((each) => each !== '');

/** Why WebGPU cannot open here, as far as files tell; null where it may. Other systems bring their graphics library along. */
export function webgpuFault(): string | null {
  if (process.platform !== 'linux') return null;
  if (!hasLoader()) {
    return `there is no Vulkan loader (${LOADER}): install it (Debian, Ubuntu: apt install libvulkan1), and the driver of your GPU`;
  }
  if (drivers().length === 0) {
    return 'there is no Vulkan driver: install that of your GPU (AMD, Intel: apt install mesa-vulkan-drivers; NVIDIA: its own), or name its file in VK_DRIVER_FILES';
  }
  return null;
}

function hasLoader(): boolean {
  const folders = [...listed('LD_LIBRARY_PATH'), ...LIBRARY_FOLDERS];
  if (folders.some((folder) => existsSync(join(folder, LOADER)))) return true;
  return existsSync(LINKER_CACHE) && readFileSync(LINKER_CACHE).includes(LOADER);
}

/** The description files of Vulkan's drivers, where its loader looks for them. */
function drivers(): string[] {
  const named = [...listed('VK_DRIVER_FILES'), ...listed('VK_ICD_FILENAMES')];
  const home = (variable: string, usual: string): string => process.env[variable] ?? join(homedir(), usual);
  const shared = listed('XDG_DATA_DIRS');
  const roots = [
    ...['/etc', '/usr/local/etc', home('XDG_CONFIG_HOME', '.config'), home('XDG_DATA_HOME', '.local/share')],
    ...(shared.length > 0 ? shared : ['/usr/local/share', '/usr/share']),
  ];
  const folders =
    named.length > 0
      ? named
      : [...listed('VK_ADD_DRIVER_FILES'), ...roots.map((root) => join(root, 'vulkan/icd.d'))];
  return folders.flatMap((path) => {
    if (!existsSync(path)) return [];
    if (path.endsWith('.json')) return [path];
    return readdirSync(path)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(path, name));
  });
}

/** The name of a driver that computes on the processor, where there is no other; null otherwise. */
export function softwareDriver(): string | null {
  const found = process.platform === 'linux' ? drivers() : [];
  return found.length > 0 && found.every((path) => SOFTWARE.test(basename(path)))
    ? basename(found[0] ?? '')
    : null;
}

const CUDA_LIBRARY = 'libonnxruntime_providers_cuda.so';

/** Why CUDA cannot open here, as far as files tell; null where it may. */
export function cudaFault(): string | null {
  const { platform, arch } = process;
  const here = `${platform}-${arch}`;
  if (here !== 'linux-x64') {
    return `onnxruntime-node has CUDA on linux-x64 alone, and this is ${here}: take webgpu`;
  }
  const root = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..');
  const inside = join('bin', 'napi-v6', platform, arch);
  if (existsSync(join(root, inside, CUDA_LIBRARY))) return null;
  // Its install script is left out where it is bundled, and so are the packages that the script needs.
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return (
    `${CUDA_LIBRARY} is not there, which npm was told to leave out: run ONNXRUNTIME_NODE_INSTALL=cuda12 npm install --prefix cuda ` +
    `onnxruntime-node@${version}, and copy cuda/node_modules/onnxruntime-node/${inside}/*.so to ${join(root, inside)}`
  );
}

/** An error of the engine while it opened a device, in one line. */
export function describeFault(device: Device, error: unknown): string {
  const message = isError(error) ? error.message : String(error);
  if (/Failed to get a WebGPU (adapter|device)/i.test(message)) {
    return "the driver offers no GPU: look whether 'vulkaninfo' finds one";
  }
  const line = message.split('\n').find((each) => each.trim() !== '') ?? '';
  // The engine names the place in its source first.
  const words = line.replace(/^.*\/onnxruntime_src\/\S+\s+/, '').trim();
  return device === 'cuda'
    ? `${words} (it needs the NVIDIA driver, CUDA 12 and cuDNN 9 where the system finds them)`
    : words;
}
