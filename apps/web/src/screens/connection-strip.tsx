/** One line when the connection is away for more than a moment, and when it is back. */
import { useEffect, useState } from 'react'
import { requireCouplet, useMessenger } from '../app/messenger.ts'
import { type Key, useWords } from '../i18n/index.ts'

export function ConnectionStrip() {
  const words = useWords()
  const { state, downSince, wasUp } = useMessenger((messenger) => messenger.connection)
  const [now, setNow] = useState(Date.now)
  const [backUntil, setBackUntil] = useState(0)
  const [wasShown, setWasShown] = useState(false)

  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [])

  const down = downSince === undefined ? 0 : now - downSince
  const shown = whatToSay(state, down, wasUp)
  useEffect(() => {
    if (shown) setWasShown(true)
    else if (wasShown && state === 'online') {
      setWasShown(false)
      setBackUntil(Date.now() + BACK_MS)
    }
  }, [shown, state, wasShown])

  const key = shown ?? (backUntil > now ? 'strip.back' : undefined)
  return (
    <div className="strip-place" role="status" data-testid="connection">
      {key && (
        <p className={`strip ${key === 'strip.back' ? 'strip-good' : ''}`}>
          <span>{words(key as 'strip.back')}</span>
          {key === 'strip.replaced' && (
            <button
              type="button"
              className="link"
              onClick={() =>
                void requireCouplet()
                  .connect()
                  .catch(() => undefined)
              }
            >
              {words('strip.use')}
            </button>
          )}
        </p>
      )}
    </div>
  )
}

function whatToSay(state: string, downMs: number, wasUp: boolean): Key | undefined {
  if (state === 'online') return undefined
  if (state === 'replaced') return 'strip.replaced'
  if (downMs < PATIENCE_MS) return undefined
  if (!navigator.onLine) return 'strip.offline'
  return downMs > LONG_MS || wasUp ? 'strip.unreachable' : 'strip.connecting'
}

/** Shorter interruptions are nobody's business. */
const PATIENCE_MS = 3000
const LONG_MS = 10_000
const BACK_MS = 1500
