// Keeps the process from ending in the middle of native code: when a worker is stopped while the engine runs, the engine's
// Node.js binding throws where nobody catches and the process aborts with a core dump. On exit the main thread therefore
// lets the worker finish the method that it is in, and the worker starts no other.

/** Longest wait at the exit of the process, in milliseconds. */
const PATIENCE = 60_000;
const BUSY = 0;
const STOP = 1;

/** Memory that both threads see: whether a method runs, and whether none must start again. */
export type ExitGate = Int32Array<SharedArrayBuffer>;

const gates = new Set<ExitGate>();

function waitForAll(): void {
  for (const gate of gates) Atomics.store(gate, STOP, 1);
  for (const gate of gates) Atomics.wait(gate, BUSY, 1, PATIENCE);
}

/** A gate that the exit of this process respects until `removeGate`. */
export function createGate(): ExitGate {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  if (gates.size === 0) process.on('exit', waitForAll);
  gates.add(gate);
  return gate;
}

/** Forgets a gate whose worker has ended. */
export function removeGate(gate: ExitGate): void {
  gates.delete(gate);
  if (gates.size === 0) process.off('exit', waitForAll);
}

/** Does a piece of work, in the worker; never comes back when the process is about to exit. */
export async function passGate<T>(gate: ExitGate, work: () => T | Promise<T>): Promise<T> {
  Atomics.store(gate, BUSY, 1);
  try {
    if (Atomics.load(gate, STOP) === 0) return await work();
  } finally {
    Atomics.store(gate, BUSY, 0);
    Atomics.notify(gate, BUSY);
  }
  return new Promise(() => undefined);
}
