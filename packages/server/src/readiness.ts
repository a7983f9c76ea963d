/** Whether the server can take a message and keep it: asked of the disk, not of a flag. */
import type { Store } from './ports.ts'

/** Many askers within a second share one write. */
export function readiness(store: Store, serving: () => boolean): () => Promise<boolean> {
  let last: { readonly at: number; readonly answer: Promise<boolean> } | undefined
  return async () => {
    if (!serving()) return false
    const now = performance.now()
    if (!last || now - last.at > SHARED_FOR_MS) {
      last = { at: now, answer: probe(store) }
    }
    return (await last.answer) && serving()
  }
}

function probe(store: Store): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), PROBE_TIMEOUT_MS).unref()
  })
  const written = store.probe().then(
    () => true,
    () => false,
  )
  return Promise.race([written, late])
}

const SHARED_FOR_MS = 1000
const PROBE_TIMEOUT_MS = 5000
