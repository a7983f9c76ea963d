/** One line when the connection is away for more than a moment, and when it is back. */
import { useEffect, useState } from 'react'
import { type Refusal, requireCouplet, useMessenger } from '../app/messenger.ts'
import { forgetEverything } from '../app/session.ts'
import { type Key, useWords } from '../i18n/index.ts'
import { Confirm } from '../ui/dialog.tsx'

export function ConnectionStrip() {
  const words = useWords()
  const { state, downSince, wasUp, refusal } = useMessenger((messenger) => messenger.connection)
  const [now, setNow] = useState(Date.now)
  const [backUntil, setBackUntil] = useState(0)
  const [wasShown, setWasShown] = useState(false)

  const isQuiet = state === 'online' && backUntil <= now && !wasShown
  useEffect(() => {
    if (isQuiet) return
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [isQuiet])

  const down = downSince === undefined ? 0 : now - downSince
  const shown = whatToSay(state, down, wasUp)
  useEffect(() => {
    if (shown) setWasShown(true)
    else if (wasShown && state === 'online') {
      setWasShown(false)
      setBackUntil(Date.now() + BACK_MS)
    }
  }, [shown, state, wasShown])

  if (refusal) return <Refused refusal={refusal} />
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

/** Nothing comes and goes any more until somebody does something about it. */
function Refused({ refusal }: { readonly refusal: Refusal }) {
  const words = useWords()
  const [isAsking, setAsking] = useState(false)
  return (
    <div className="strip-place" role="alert" data-testid="connection">
      <p className="strip">
        <span>{words(`strip.${refusal}`)}</span>
        <button
          type="button"
          className="link"
          onClick={() => (refusal === 'client-too-old' ? location.reload() : setAsking(true))}
        >
          {words(refusal === 'client-too-old' ? 'update.load' : 'moved.again')}
        </button>
      </p>
      <Confirm
        title={words('moved.again')}
        text={words('strip.anew.text')}
        action={words('common.delete')}
        danger
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => void forgetEverything()}
      />
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
