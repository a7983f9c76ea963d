/** Files that only their owner may open, from their first moment on. */

/** Whatever makes files in `work` makes them so. Only in the main thread. */
export function privately<T>(work: () => T): T {
  const before = process.umask(0o077)
  try {
    return work()
  } finally {
    process.umask(before)
  }
}
