// A process that exits while the engine runs: its exit code has to be its own, not that of an abort in native code.

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

import { type Carrier, CARRIERS } from './elsewhere.js';
import { createGate, passGate, removeGate } from './exit-gate.js';

const PROGRAM = `
  const { add, GraphBuilder, matMul } = await import('${new URL('../graph/index.ts', import.meta.url).href}');
  const { createRuntime, float32Tensor } = await import('${new URL('../index.ts', import.meta.url).href}');
  const size = 512;
  const g = new GraphBuilder('busy');
  let x = g.input('x', 'float32', [size, size]);
  const w = g.weight('w', new Float32Array(size * size), [size, size]);
  for (let i = 0; i < 60; i++) x = matMul(x, w);
  g.output('y', x);
  const runtime = await createRuntime({ threads: 1, carrier: 'CARRIER' });
  const session = await runtime.load(g.build());
  void session.run({ x: float32Tensor(new Float32Array(size * size), [size, size]) });
  setTimeout(() => END, 15);
`;

function runProgram(carrier: Carrier, end: string): { status: number | null; stderr: string } {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const code = PROGRAM.replace('CARRIER', carrier).replace('END', end);
  const options = ['--import', tsx, '--input-type=module', '--eval', code];
  return spawnSync(process.execPath, options, { encoding: 'utf8', timeout: 55_000 });
}

describe.each(CARRIERS)('a process that ends during a run in a %s', (carrier) => {
  it('keeps its exit code', () => {
    const { status, stderr } = runProgram(carrier, 'process.exit(3)');
    expect(stderr).not.toContain('terminate called');
    expect(status).toBe(3);
  });

  it('reports its own error', () => {
    const { status, stderr } = runProgram(carrier, "{ throw new Error('mine') }");
    expect(stderr).toContain('mine');
    expect(stderr).not.toContain('terminate called');
    expect(status).toBe(1);
  });
});

describe('the gate', () => {
  it('is busy during a call only, whether it succeeds or not', async () => {
    const gate = createGate();
    const states: number[] = [];
    await passGate(gate, () => Promise.resolve(states.push(gate[0]!)));
    await expect(passGate(gate, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect([...states, gate[0]]).toEqual([1, 0]);
    removeGate(gate);
  });

  it('lets nobody pass once the process is ending', async () => {
    const gate = createGate();
    gate[1] = 1;
    let passed = false;
    const blocked = passGate(gate, () => {
      passed = true;
      return Promise.resolve();
    });
    const timeout = new Promise((resolve) =>
      setTimeout(() => {
        resolve('still waiting');
      }, 20),
    );
    expect(await Promise.race([blocked, timeout])).toBe('still waiting');
    expect([passed, gate[0]]).toEqual([false, 0]);
    removeGate(gate);
  });

  it('listens to the exit of the process only while there is a worker', () => {
    const before = process.listenerCount('exit');
    const gates = [createGate(), createGate()];
    expect(process.listenerCount('exit')).toBe(before + 1);
    gates.forEach(removeGate);
    expect(process.listenerCount('exit')).toBe(before);
  });
});
