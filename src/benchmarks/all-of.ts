// Work that several do at the same time, and that ends as one.

/** Waits for all; where one fails, the others are ended, and its reason is that of all. */
export async function allOf(work: readonly Promise<void>[], failed: AbortController): Promise<void> {
  for (const each of work) {
    each.catch((error: unknown) => {
      failed.abort(error);
    });
  }
  const ends = await Promise.allSettled(work);
  failed.signal.throwIfAborted();
  const end = ends.find((each) => each.status === 'rejected');
  if (end) throw end.reason;
}
