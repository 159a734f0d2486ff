// Several weights that are computed from one tensor: it is read once for all of them, and held no longer than until then.

/** `takers` readers of one result: the first to be called makes it, the last lets go of it. */
export function sharedRead<T>(takers: number, read: () => T | Promise<T>): () => Promise<T> {
  let held: Promise<T> | undefined;
  let left = takers;
  return async () => {
    const result = (held ??= Promise.resolve(read()));
    left--;
    if (left === 0) {
      held = undefined;
      left = takers;
    }
    return result;
  };
}
