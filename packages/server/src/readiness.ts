/** Whether the server can take a message and keep it: asked of the disk, not of a flag. */
import type { CodeHealth } from './code-health.ts'
import type { Store } from './ports.ts'

export interface Checks {
  /** Whether a write has just become durable. */
  readonly store: 'ok' | 'unavailable'
  /** Whether the data has the form that this program knows: every migration was made. */
  readonly schema: 'ok' | 'other' | 'unknown'
  /** Whether codes reach phones. A server that cannot send any still serves who is registered. */
  readonly codes: CodeHealth
  readonly serving: 'ok' | 'stopping'
}

export interface Readiness {
  readonly ready: boolean
  readonly checks: Checks
}

export interface ReadinessSources {
  readonly store: Pick<Store, 'probe' | 'isCurrent'>
  readonly codes: () => CodeHealth
  readonly serving: () => boolean
}

/** Many askers within a second share one write. */
export function readiness({ store, codes, serving }: ReadinessSources): () => Promise<Readiness> {
  let last: { readonly at: number; readonly answer: ReturnType<typeof ask> } | undefined
  return async () => {
    const now = performance.now()
    if (serving() && (!last || now - last.at > SHARED_FOR_MS)) {
      last = { at: now, answer: ask(store) }
    }
    const answer = (await last?.answer) ?? UNASKED
    const checks: Checks = {
      ...answer,
      codes: codes(),
      serving: serving() ? 'ok' : 'stopping',
    }
    const ready = checks.store === 'ok' && checks.schema === 'ok' && checks.serving === 'ok'
    return { ready, checks }
  }
}

async function ask(store: ReadinessSources['store']): Promise<Pick<Checks, 'store' | 'schema'>> {
  const [written, current] = await Promise.all([
    inTime(store.probe().then(() => true)),
    inTime(store.isCurrent?.() ?? Promise.resolve(true)),
  ])
  return {
    store: written ? 'ok' : 'unavailable',
    schema: current === undefined ? 'unknown' : current ? 'ok' : 'other',
  }
}

/** `undefined`: it failed, or did not answer in time. */
function inTime(answer: Promise<boolean>): Promise<boolean | undefined> {
  const late = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), PROBE_TIMEOUT_MS).unref()
  })
  return Promise.race([answer.catch(() => undefined), late])
}

/** Nobody asks the store of a server that stops. */
const UNASKED = { store: 'unavailable', schema: 'unknown' } as const
const SHARED_FOR_MS = 1000
const PROBE_TIMEOUT_MS = 5000
