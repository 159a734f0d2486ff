// What several ledgers say of one engine: each has its own time, and what it waited for the others apart.

import { expect, it } from 'vitest';

import { Ledger } from '../core/ledger.js';
import { GraphBuilder, matMul } from './graph/index.js';
import { createRuntime, float32Tensor } from './index.js';

it('counts a moment of the engine once, whoever waits for it', async () => {
  const runtime = await createRuntime({ threads: 1 });
  const g = new GraphBuilder('heavy');
  const size = 768;
  let x = g.input('x', 'float32', [size, size]);
  const w = g.weight('w', new Float32Array(size * size).fill(1 / size), [size, size]);
  for (let i = 0; i < 8; i++) x = matMul(x, w);
  g.output('y', x);
  const session = await runtime.load(g.build());
  const input = { x: float32Tensor(new Float32Array(size * size), [size, size]) };
  await session.run(input);
  const ledgers = [new Ledger(), new Ledger(), new Ledger()];
  const start = performance.now();
  await Promise.all(
    ledgers.map(async (ledger) => {
      for (let i = 0; i < 3; i++) await ledger.time('transformer', () => session.run(input));
    }),
  );
  const wall = performance.now() - start;
  const times = ledgers.map((ledger) => ledger.record().milliseconds);
  const own = times.reduce((sum, { transformer }) => sum + transformer, 0);
  expect(own).toBeLessThan(wall * 1.5);
  expect(own).toBeGreaterThan(wall * 0.3);
  for (const { transformer, waiting } of times) {
    expect(transformer + waiting).toBeLessThan(wall * 1.5);
  }
  // Alone, nobody waits.
  const alone = new Ledger();
  await alone.time('transformer', () => session.run(input));
  expect(alone.record().milliseconds.waiting).toBe(0);
  await runtime.close();
});
